"""The reference stays the authority: a look at a few frames before the engine is believed."""

from __future__ import annotations

import numpy as np

from flow.errors import Mismatch
from flow.graph.engine._engine import Engine
from flow.graph.reference import run_taps
from flow.graph.types import IntArray


def check_engine(engine: Engine, codes: IntArray) -> None:
    """Compare every code of every layer with the reference's for input codes [n, h, w, c].

    Raises:
        Mismatch: the first layer that differs, and its first difference.
        DataError: the codes do not fit the graph's input.
    """
    expected, got = run_taps(engine.graph, codes), engine.run_taps(codes)
    for name, values in expected.items():
        different = values != got[name]
        if different.any():
            at = tuple(int(i) for i in np.argwhere(different)[0])
            raise Mismatch(
                name, at, int(values[at]), int(got[name][at]),
                int(different.sum()), different.size,
                f"This is a fault of the fast integer engine (network {engine.graph.name!r}); "
                "please report it.",
            )  # fmt: skip
