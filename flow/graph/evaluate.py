"""Raw samples to codes, codes to predictions, predictions to an accuracy."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from flow.graph.arithmetic import quantise_input
from flow.graph.engine import Engine, check_engine
from flow.graph.types import IntArray, IntGraph

SLICE = 2048  # samples whose codes are in memory at a time
CHECKED = 8  # samples that the reference computes as well


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracies in 0..1 on one data set; None where it was not measured.

    `recorded` says that `float` and `qkeras` come from the training record of the weights and not
    from this run.
    """

    metric: str
    dataset: str
    float: builtins.float | None
    qkeras: builtins.float | None
    integer: builtins.float | None
    samples: int
    recorded: bool


def map_input(graph: IntGraph, raw: NDArray[np.generic]) -> IntArray:
    """Codes [n, h, w, c] of the first quantizer for raw samples [n, h, w] or [n, h, w, c].

    Raises:
        DataError: wrong shape, dtype, or values that the table does not cover.
    """
    shape = graph.input_shape
    if raw.ndim == 3 and shape[2] == 1:
        raw = raw[..., None]
    if raw.ndim != 4 or raw.shape[1:] != shape:
        raise DataError(
            f"samples for {graph.name!r} have shape {raw.shape}, "
            f"not (n, {', '.join(map(str, shape))})."
        )
    mapping = graph.input_map
    if raw.dtype != np.dtype(mapping.raw_dtype):
        raise DataError(
            f"samples for {graph.name!r} are {raw.dtype}, not {mapping.raw_dtype}.\n"
            "  Store them in raw form, before any scaling."
        )
    if mapping.table is None:
        if not np.isfinite(raw).all():
            raise DataError(f"samples for {graph.name!r} hold NaN or infinity.")
        return quantise_input(raw, graph.input_type, mapping.rounding)
    table = np.array(mapping.table, np.int64)
    low, high = mapping.raw_lo, mapping.raw_lo + len(table) - 1
    if len(raw) and (raw.min() < low or raw.max() > high):
        raise DataError(
            f"samples for {graph.name!r} span {raw.min()}..{raw.max()}, outside {low}..{high}."
        )
    codes: IntArray = table[raw.astype(np.int64) - mapping.raw_lo]
    return codes


def predict(graph: IntGraph, codes: IntArray) -> NDArray[np.int64]:
    """Class with the largest output code, the first one on a tie; [n]."""
    return _classes(Engine(graph).run(codes))


def evaluate(
    graph: IntGraph,
    raw: NDArray[np.generic],
    labels: NDArray[np.generic],
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Share of samples that the integer network classifies correctly.

    The fast engine runs them all, the reference a few of them.

    Args:
        progress: called with (samples done, samples in all).

    Raises:
        DataError: the samples do not fit the network, or there are none.
        Mismatch: engine and reference differ in a layer.
    """
    engine, correct = Engine(graph), 0
    spread = np.linspace(0, len(raw) - 1, min(len(raw), CHECKED)).astype(int)
    check_engine(engine, map_input(graph, raw[spread]))
    for start in range(0, len(raw), SLICE):
        part = slice(start, start + SLICE)
        outputs = engine.run(map_input(graph, raw[part]))
        correct += int((_classes(outputs) == labels[part]).sum())
        if progress is not None:
            progress(min(start + SLICE, len(raw)), len(raw))
    return correct / len(raw)


def _classes(outputs: IntArray) -> IntArray:
    classes: IntArray = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return classes
