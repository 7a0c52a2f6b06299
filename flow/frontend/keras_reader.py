"""Read a Keras/QKeras model as steps: what each layer is, what it is fed by, what quantizes it.

Nothing is computed here; the reader names everything that is unsupported, all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flow.errors import UnsupportedLayer
from flow.frontend._activations import is_calibrated
from flow.frontend._reader import Reader
from flow.frontend._steps import INPUT_NAME, Step
from flow.graph.types import IDENTIFIER, RESERVED_NAMES


def read_steps(model: Any, *, ranges_follow: bool = False) -> list[Step]:
    """Split a model into steps in topological order; the first is its input's quantizer.

    The names of steps are the layers', but for what hardware cannot be called.

    Args:
        ranges_follow: ranges will be calibrated, and are no problem among others.

    Raises:
        UnsupportedLayer: unknown layers, missing quantizers, ...; all are listed.
    """
    reader = Reader(_model_problems(model))
    reader.read(model, topological(model))
    problems = reader.problems
    if problems:
        if not ranges_follow:
            problems += _uncalibrated(reader.steps)
        raise UnsupportedLayer(
            f"model {model.name!r} cannot become integers:\n"
            + "\n".join(f"  - {problem}" for problem in dict.fromkeys(problems))
        )
    return _named(reader.steps)


def _uncalibrated(steps: list[Step]) -> list[str]:
    names = [step.quantizer_layer for step in steps if not is_calibrated(step.quantizer)]
    listed = ", ".join(map(repr, names))
    return [f"the ranges of quantizers {listed} were never calibrated."] if names else []


def _named(steps: list[Step]) -> list[Step]:
    """Give every step a name of its own that a module of hardware can have."""
    taken = {*RESERVED_NAMES, INPUT_NAME}
    named = []
    for step in steps:
        name = re.sub(r"\W", "_", step.name, flags=re.ASCII)
        if step.role != "input" and not IDENTIFIER.fullmatch(name):
            name = f"layer_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        named.append(replace(step, name=name))
    return named


def _model_problems(model: Any) -> Iterator[str]:
    counts = len(model.inputs or []), len(model.outputs or [])
    if counts != (1, 1):
        yield (
            f"model {model.name!r} has {counts[0]} inputs and {counts[1]} outputs; one of each is "
            "supported."
        )
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield (
                f"layer {layer.name!r} is a model ({type(layer).__name__}); "
                "put its layers into the model itself."
            )


def topological(model: Any) -> list[Any]:
    """Keras' nodes (calls of layers) from inputs to outputs, each after all it reads."""
    ordered: list[Any] = []
    done: set[int] = {id(tensor) for tensor in model.inputs}
    waiting: list[tuple[Any, bool]] = [(tensor, False) for tensor in reversed(model.outputs)]
    while waiting:  # not recursive: a network may be deeper than Python's stack
        tensor, inputs_done = waiting.pop()
        if id(tensor) in done:
            continue
        if inputs_done:
            done.add(id(tensor))
            ordered.append(tensor.node)
        else:
            waiting.append((tensor, True))
            waiting += [(source, False) for source in reversed(tensor.node.keras_inputs)]
    return ordered
