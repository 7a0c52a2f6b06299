"""Layers with weights: geometry of their planes, weights in the kernels' order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flow.graph.arithmetic import channel_sums, fold_requant
from flow.graph.engine import _structs as structs
from flow.graph.engine._library import Library
from flow.graph.engine._proof import (
    INT16,
    Rescaling,
    limb_shift,
    offset,
    rescaling,
    stored_range,
)
from flow.graph.engine._step import SLACK, Arrays, Step, requant_struct
from flow.graph.types import IntArray, Kind, MatVec

MOST_ROWS = 8  # of kernels/matrix.h
ROWS_TOGETHER = 64  # output pixels at least, of several frames where one has fewer
ALL_FRAMES = 1 << 20


def matvec_step(node: MatVec, library: Library) -> Step | None:
    """The kernel's call; None where the kernels' arithmetic is not exact."""
    if offset(node.x) is None or np.abs(node.weights).max() >= INT16:
        return None
    by_channel = node.weights.reshape(-1, node.out_shape[2])
    shift = limb_shift(by_channel, *stored_range(node.x))
    found = _rescaling(node, by_channel, shift) if shift is not None else None
    if shift is None or found is None:
        return None
    if node.kind is Kind.DEPTHWISE:
        return _depthwise(node, library, found, shift)
    return _matrix(node, library.lanes, found, shift)


def _rescaling(node: MatVec, by_channel: IntArray, shift: int) -> Rescaling | None:
    low, high = stored_range(node.x)
    ends = by_channel * low, by_channel * high
    least, most = np.minimum(*ends).sum(axis=0).tolist(), np.maximum(*ends).sum(axis=0).tolist()
    return rescaling(
        fold_requant(node), _zero(node).tolist(), list(zip(least, most, strict=True)),
        narrow=shift == 0,
    )  # fmt: skip


def _zero(node: MatVec) -> IntArray:
    """[cout]: what the true accumulator is more than that of stored codes."""
    return (offset(node.x) or 0) * channel_sums(node)


def _plane(node: MatVec, shift: int) -> structs.Plane:
    height, width, channels = node.in_shape
    window = node.window
    rows = (node.out_shape[0] - 1) * window.stride_h + window.kernel_h
    cols = (node.out_shape[1] - 1) * window.stride_w + window.kernel_w
    padded = window.pad_top or window.pad_left or rows > height or cols > width
    pad = node.x.zero_point - (offset(node.x) or 0)
    return structs.Plane(
        height, width, channels, window.pad_top, window.pad_left, rows, cols, pad,
        bool(padded or shift), shift,
    )  # fmt: skip


def _pitch(plane: structs.Plane) -> int:
    """Pixels from a row of the plane to the next."""
    return int(plane.cols if plane.copied else plane.width)


def _plane_size(plane: structs.Plane) -> int:
    return int(plane.rows * plane.cols * plane.channels) if plane.copied else 0


def _limbs(plane: structs.Plane) -> int:
    return 2 if plane.limb_shift else 1


def _windows_at(node: MatVec, pitch: int, pixels: int = 1) -> tuple[IntArray, IntArray]:
    """Where windows start in the plane and write in the output, every so many pixels of a row."""
    height, width, channels = node.out_shape
    y, x = np.mgrid[:height, :width:pixels]
    at = (y * node.window.stride_h * pitch + x * node.window.stride_w) * node.in_shape[2]
    return at.ravel(), ((y * width + x) * channels).ravel()


def _matrix(node: MatVec, lanes: int, found: Rescaling, shift: int) -> Step:
    plane, arrays = _plane(node, shift), Arrays()
    segments_at, weights = _segments(node, _pitch(plane))
    packed = pack_matrix(weights, lanes)
    groups, blocks, segments, pairs = packed.shape[:4]
    per_group = node.out_shape[2] // groups
    sums = -(-((groups - 1) * per_group + blocks * lanes) // lanes) * lanes
    pixels = node.out_shape[0] * node.out_shape[1]
    together = -(-ROWS_TOGETHER // pixels) if plane.copied else ALL_FRAMES
    argument = structs.Matrix(
        plane, requant_struct(found, arrays, 1, sums), arrays.address(packed),
        arrays.int32(segments_at), arrays.int32(_windows_at(node, _pitch(plane))[0]),
        segments, pairs, blocks, groups, node.in_shape[2] // groups, per_group,
        pixels, node.out_shape[2], sums, together,
    )  # fmt: skip
    planes = _limbs(plane) * (together * _plane_size(plane) + SLACK) if plane.copied else 0
    scratch = (_limbs(plane) * MOST_ROWS + 2) * sums
    return Step("matrix", argument, arrays.kept, planes, scratch, _zero(node))


def _segments(node: MatVec, pitch: int) -> tuple[IntArray, IntArray]:
    """Runs of a window's elements that lie behind each other in the plane.

    Returns:
        Where they start, and their weights [segments, elements, groups, cout / groups].
    """
    window, (_, _, channels) = node.window, node.in_shape
    per_group = node.out_shape[2] // node.groups
    ky, kx = np.arange(window.kernel_h) * pitch, np.arange(window.kernel_w)
    if node.groups == 1:
        return ky * channels, node.weights.reshape(len(ky), -1, 1, per_group)
    at = (ky[:, None] + kx).ravel() * channels
    return at, node.weights.reshape(len(at), -1, node.groups, per_group)


def pack_matrix(weights: IntArray, lanes: int) -> NDArray[np.int16]:
    """[segments, elements, groups, channels] as [groups, blocks, segments, pairs, lanes, 2]."""
    segments, elements, groups, channels = weights.shape
    pairs, blocks = -(-elements // 2), -(-channels // lanes)
    padded = np.zeros((segments, 2 * pairs, groups, blocks * lanes), np.int16)
    padded[:, :elements, :, :channels] = weights
    split = padded.reshape(segments, pairs, 2, groups, blocks, lanes)
    return np.ascontiguousarray(split.transpose(3, 4, 0, 1, 5, 2))


def _depthwise(node: MatVec, library: Library, found: Rescaling, shift: int) -> Step:
    plane, arrays = _plane(node, shift), Arrays()
    channels, vector = node.in_shape[2], 2 * library.lanes
    fits = node.window.stride_w == 1 and vector % channels == 0
    pixels = vector // channels if fits else 1  # taken at a time, as if they were channels
    packed = pack_depthwise(np.tile(node.weights, pixels), library)
    blocks, pairs = packed.shape[:2]
    pitch = _pitch(plane)
    taps = np.add.outer(np.arange(node.window.kernel_h) * pitch, np.arange(node.window.kernel_w))
    taps_at = np.zeros(2 * pairs, np.int64)
    taps_at[: taps.size] = taps.ravel() * channels
    windows_at, outputs_at = _windows_at(node, pitch, pixels)
    argument = structs.Depthwise(
        plane, requant_struct(found, arrays, pixels, blocks * vector), arrays.address(packed),
        arrays.int32(taps_at), arrays.int32(windows_at), arrays.int32(outputs_at),
        len(windows_at), pairs, blocks, int(np.prod(node.out_shape)),
    )  # fmt: skip
    limbs = _limbs(plane)
    planes = limbs * (_plane_size(plane) + SLACK) if plane.copied else 0
    scratch = (limbs + 2) * blocks * vector
    zero = np.tile(_zero(node), pixels)
    return Step("depthwise", argument, arrays.kept, planes, scratch, zero)


def pack_depthwise(weights: IntArray, library: Library) -> NDArray[np.int16]:
    """[kh, kw, channels] as [blocks, pairs, 2, 2 * lanes], two taps interleaved."""
    taps, channels = weights.shape[0] * weights.shape[1], weights.shape[2]
    vector = 2 * library.lanes
    pairs, blocks = -(-taps // 2), -(-channels // vector)
    padded = np.zeros((2 * pairs, blocks * vector), np.int16)
    padded[:taps, :channels] = weights.reshape(taps, channels)
    split = padded.reshape(pairs, 2, blocks, vector).transpose(2, 0, 1, 3)
    packed = np.ascontiguousarray(split)
    for block in packed:
        for pair in block:
            library.pair_taps(pair)
    return packed
