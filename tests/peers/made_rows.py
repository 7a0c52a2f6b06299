"""Rows as a comparison would give them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flow.peers.judge import Judged
from flow.peers.row import Row

EXACT = Judged(120, 0, 0, 0.0, 1.0, None)
WRONG = Judged(120, 90, 30, 7.25, 0.5, None)


def row(network: str = "conv", alpha: str = "1", flow: str = "default", **more: Any) -> Row:
    """A row of a flow that ran and was exact."""
    plain = Row(
        network=network,
        alpha=alpha,
        flow=flow,
        io_type="io_stream",
        frames=12,
        qkeras_accuracy=None,
        compile_cpu_s=8.0,
        compile_wall_s=9.0,
        inferences_per_cpu_s=100.0,
        inferences_per_wall_s=90.0,
        judged=EXACT,
    )
    return replace(plain, **more)


def failed(**more: Any) -> Row:
    """A row of a flow whose C++ did not compile."""
    return row(
        **more, failed="compilation: a.h:1: error: no `x`", judged=None, compile_cpu_s=None,
        compile_wall_s=None, inferences_per_cpu_s=None, inferences_per_wall_s=None,
    )  # fmt: skip


def comparison_rows() -> list[Row]:
    """Two models in four flows each; kws has labels."""
    rows = []
    for network, accuracy, speed in (("conv", None, 2000.0), ("kws", 0.9, 900.0)):
        labelled = {"network": network, "qkeras_accuracy": accuracy}
        rows += [
            row(**labelled, judged=replace(WRONG, accuracy=accuracy and 0.4)),
            failed(**labelled, flow="bit_exact"),
            row(**labelled, flow="hand-set", inferences_per_cpu_s=60.0),
            row(**labelled, flow="shiftflow", inferences_per_cpu_s=speed, compile_cpu_s=20.0),
        ]
    return rows
