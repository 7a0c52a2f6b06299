"""The reference stays the authority: a look at a few frames before the engine is believed."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from flow.errors import Mismatch
from flow.graph.engine._engine import Engine
from flow.graph.observe import Seen, observe
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
                int(different.sum()), different.size, _fault(engine),
            )  # fmt: skip


def check_observed(engine: Engine, codes: IntArray) -> None:
    """Compare what every layer shows on input codes [n, h, w, c] with what the reference sees.

    Raises:
        Mismatch: the first layer that differs, and in what.
        DataError: the codes do not fit the graph's input.
    """
    expected, got = observe(engine.graph, codes), engine.observe(codes)
    for name, seen in expected.items():
        pairs = [
            (field.name, getattr(seen, field.name), getattr(got[name], field.name))
            for field in fields(Seen)
        ]
        different = [pair for pair in pairs if pair[1] != pair[2]]
        if different:
            raise Mismatch(name, *different[0], len(different), len(pairs), _fault(engine))


def _fault(engine: Engine) -> str:
    return (
        f"This is a fault of the fast integer engine (network {engine.graph.name!r}); "
        "please report it."
    )
