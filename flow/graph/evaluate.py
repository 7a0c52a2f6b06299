"""Raw samples to codes, codes to predictions, predictions to an accuracy."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from flow.graph.arithmetic import quantise_input
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph


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
    return _classes(run_taps(graph, codes)[graph.output.name])


def evaluate(
    graph: IntGraph,
    raw: NDArray[np.generic],
    labels: NDArray[np.generic],
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Share of samples that the integer network classifies correctly."""
    taps = run_taps(graph, map_input(graph, raw), progress)
    return float((_classes(taps[graph.output.name]) == labels).mean())


def _classes(outputs: IntArray) -> IntArray:
    classes: IntArray = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return classes
