"""Integer reference inference in NumPy int64: the semantics that every other engine must equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from flow.errors import DataError
from flow.graph.arithmetic import clip, fold_requant, pool_rescale, rescale
from flow.graph.types import (
    AveragePool,
    IntArray,
    IntGraph,
    Kind,
    Node,
    Shape,
    Window,
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
        taps[node.name] = run_node(node, taps[node.source])
    return taps


def run_node(node: Node, x: IntArray) -> IntArray:
    """Output codes [n, oh, ow, cout] of one node for the codes [n, h, w, c] of its input."""
    return clip(unclipped(node, accumulate(node, x)), node.y)


def unclipped(node: Node, sums: IntArray) -> IntArray:
    """Codes [n, oh, ow, cout] before clipping, from the sums of `accumulate`."""
    if isinstance(node, AveragePool):
        return pool_rescale(sums, node)
    return rescale(sums, fold_requant(node))


def accumulate(node: Node, x: IntArray) -> IntArray:
    """Raw sums [n, oh, ow, cout] of x * w, of x for a pool; padding reads the zero point."""
    x = x.reshape((len(x), *node.in_shape))
    if isinstance(node, AveragePool):
        pooled: IntArray = _windows(x, node.window, node.out_shape, 0).sum(axis=(3, 4))
        return pooled
    patches = _windows(x, node.window, node.out_shape, node.x.zero_point)
    sums: IntArray
    if node.kind is Kind.DEPTHWISE:
        sums = np.einsum("nyxijc,ijc->nyxc", patches, node.weights)
    else:
        flat = patches.reshape((*patches.shape[:3], -1))
        sums = flat @ node.weights.reshape(-1, node.out_shape[2])
    return sums


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


def _windows(x: IntArray, window: Window, out_shape: Shape, pad: int) -> IntArray:
    """All windows of [n, h, w, c] as [n, oh, ow, kh, kw, c]."""
    n, height, width, channels = x.shape
    out_h, out_w, _ = out_shape
    rows = (out_h - 1) * window.stride_h + window.kernel_h
    cols = (out_w - 1) * window.stride_w + window.kernel_w
    padded = np.full(
        (
            n,
            max(rows, height + window.pad_top),
            max(cols, width + window.pad_left),
            channels,
        ),
        pad,
        np.int64,
    )
    padded[:, window.pad_top :, window.pad_left :][:, :height, :width] = x
    result = np.empty((n, out_h, out_w, window.kernel_h, window.kernel_w, channels), np.int64)
    for ky, kx in _taps(window):
        stop_y = ky + (out_h - 1) * window.stride_h + 1
        stop_x = kx + (out_w - 1) * window.stride_w + 1
        result[:, :, :, ky, kx] = padded[
            :, ky : stop_y : window.stride_h, kx : stop_x : window.stride_w
        ]
    return result


def _taps(window: Window) -> Iterator[tuple[int, int]]:
    for ky in range(window.kernel_h):
        for kx in range(window.kernel_w):
            yield ky, kx
