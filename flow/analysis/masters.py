"""The float weights of a network whose scales were made constants: those of the model before that.

`freeze_norms` and `freeze_auto` put effective weights in the place of float ones. A second copy of
the model, left as it was, still has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flow.frontend._steps import Step
from models.quantizers import stock
from models.quantizers.norms import is_norm

NORM_ROLES = ("gamma", "beta", "mean", "variance")


def master_steps(steps: Sequence[Step], before: Any) -> list[Step]:
    """The same steps with the layers of `before`, which are called the same.

    Batch normalizations lose their quantizers; those of `before` are changed.
    """
    return [
        replace(step, layer=_plain(step.layer, before), norm=_plain(step.norm, before))
        for step in steps
    ]


def no_twin(steps: Sequence[Step]) -> str | None:
    """Why the network has no float twin; None: it has one."""
    signs = [
        f"{step.quantizer_layer!r} ({type(step.quantizer).__name__})"
        for step in steps
        if type(step.quantizer).__name__ in stock.SIGNS
    ]
    if not signs:
        return None
    return f"activations {', '.join(signs)} are signs, which stand for no values before rounding"


def _plain(layer: Any, before: Any) -> Any:
    if layer is None:
        return None
    plain = before.get_layer(layer.name)
    if is_norm(plain):
        for role in NORM_ROLES:
            setattr(plain, f"{role}_quantizer_internal", None)
    return plain
