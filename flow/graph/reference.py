"""Integer reference inference in NumPy int64: the semantics that every other engine must equal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flow.errors import DataError
from flow.graph.accumulate import accumulate
from flow.graph.arithmetic import clip, fold_requant, pool_rescale, rescale
from flow.graph.types import (
    AveragePool,
    ChannelShuffle,
    IntArray,
    IntGraph,
    MaxPool,
    Node,
    Table,
    Upsample,
)

BATCH = 32  # frames whose windows are held in memory at a time


def run(graph: IntGraph, codes: IntArray) -> IntArray:
    """Output codes [n, h, w, c] of the last node for input codes [n, h, w, c]."""
    return run_taps(graph, codes)[graph.output.name]


def run_taps(
    graph: IntGraph,
    codes: IntArray,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, IntArray]:
    """Output codes of every node, by name, and the input's own codes under `input_name`.

    Args:
        codes: [n, h, w, c] codes of the first quantizer.
        progress: called with (frames done, frames in all) after each batch.

    Raises:
        DataError: shape or values do not fit the graph's input.
    """
    check_codes(graph, codes)
    batches: list[dict[str, IntArray]] = []
    for start in range(0, len(codes), BATCH):
        batches.append(_run_batch(graph, codes[start : start + BATCH]))
        if progress is not None:
            progress(min(start + BATCH, len(codes)), len(codes))
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _run_batch(graph: IntGraph, codes: IntArray) -> dict[str, IntArray]:
    taps: dict[str, IntArray] = {graph.input_name: codes.astype(np.int64)}
    for node in graph.nodes:
        taps[node.name] = run_node(node, *(taps[source] for source in node.sources))
    return taps


def run_node(node: Node, *inputs: IntArray) -> IntArray:
    """Output codes [n, oh, ow, cout] of one node for the codes [n, h, w, c] of its inputs."""
    return clip(unclipped(node, accumulate(node, *inputs)), node.y)


def unclipped(node: Node, sums: IntArray) -> IntArray:
    """Codes [n, oh, ow, cout] before clipping, from the sums of `accumulate`."""
    if isinstance(node, AveragePool):
        return pool_rescale(sums, node)
    if isinstance(node, (MaxPool, Table, Upsample, ChannelShuffle)):
        return sums
    return rescale(sums, fold_requant(node))


def check_codes(graph: IntGraph, codes: IntArray) -> None:
    """Raise DataError unless `codes` is a non-empty batch of legal input codes."""
    if codes.ndim != 4 or codes.shape[1:] != graph.input_shape or len(codes) == 0:
        raise DataError(
            f"input codes of {graph.name!r} have shape {codes.shape}, "
            f"not (n, {', '.join(map(str, graph.input_shape))}) with n > 0."
        )
    tensor = graph.input_type
    if codes.min() < tensor.lo or codes.max() > tensor.hi:
        raise DataError(
            f"input codes of {graph.name!r} span {codes.min()}..{codes.max()}, "
            f"outside {tensor.lo}..{tensor.hi}.\n  Map raw data with flow.graph.map_input first."
        )
