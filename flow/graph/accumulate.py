"""The sums (products, largest values, table entries) of one node, before requantisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flow.graph.arithmetic import add_shifts
from flow.graph.types import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    IntArray,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Shape,
    Table,
    Upsample,
    Window,
)


def accumulate(node: Node, *inputs: IntArray) -> IntArray:
    """Raw integers [n, oh, ow, c] of one node for the codes [n, h, w, c] of its inputs.

    MatVec: sums of x * w, padding reads the zero point. AveragePool: sums of x inside the map. Add:
    the sum of the codes on the finest grid, zero points and all. Multiply: the product of
    the codes less their zero points. The others: codes.
    """
    shaped = [x.reshape((len(x), *shape)) for x, shape in zip(inputs, node.in_shapes, strict=True)]
    result: IntArray = _OPERATIONS[type(node)](node, *shaped)
    return result


def _matrix(node: MatVec, x: IntArray) -> IntArray:
    patches = _windows(x, node.window, node.out_shape, node.x.zero_point)
    if node.kind is Kind.DEPTHWISE:
        return np.asarray(np.einsum("nyxijc,ijc->nyxc", patches, node.weights))
    cin, cout = node.in_shape[2] // node.groups, node.out_shape[2] // node.groups
    sums: list[IntArray] = [
        patches[..., group * cin : (group + 1) * cin].reshape((*patches.shape[:3], -1))
        @ node.weights[..., group * cout : (group + 1) * cout].reshape(-1, cout)
        for group in range(node.groups)
    ]
    return sums[0] if len(sums) == 1 else np.concatenate(sums, axis=-1)


def _average(node: AveragePool, x: IntArray) -> IntArray:
    return np.asarray(_windows(x, node.window, node.out_shape, 0).sum(axis=(3, 4)))


def _largest(node: MaxPool, x: IntArray) -> IntArray:
    return np.asarray(_windows(x, node.window, node.out_shape, node.x.lo).max(axis=(3, 4)))


def _add(node: Add, *inputs: IntArray) -> IntArray:
    shifted = [x << shift for x, shift in zip(inputs, add_shifts(node), strict=True)]
    return np.asarray(np.sum(shifted, axis=0))


def _product(node: Multiply, first: IntArray, second: IntArray) -> IntArray:
    one, other = node.x_types
    return (first - one.zero_point) * (second - other.zero_point)


def _concat(node: Concat, *inputs: IntArray) -> IntArray:
    return np.concatenate(inputs, axis=-1)


def _same(node: Rescale, x: IntArray) -> IntArray:
    return x


def _look_up(node: Table, x: IntArray) -> IntArray:
    entries: IntArray = np.array(node.table, np.int64)[x - node.x.lo]
    return entries


def _repeat(node: Upsample, x: IntArray) -> IntArray:
    repeated: IntArray = x.repeat(node.rows, axis=1).repeat(node.cols, axis=2)
    return repeated


def _shuffle(node: ChannelShuffle, x: IntArray) -> IntArray:
    return x[..., list(node.order)]


_OPERATIONS: dict[type, Callable[..., Any]] = {
    MatVec: _matrix,
    AveragePool: _average,
    MaxPool: _largest,
    Add: _add,
    Multiply: _product,
    Concat: _concat,
    Rescale: _same,
    Table: _look_up,
    Upsample: _repeat,
    ChannelShuffle: _shuffle,
}


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
