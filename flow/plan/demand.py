"""How many beats of its inputs a unit has read when it writes a beat: lower and upper bounds.

The units are those of hls_templates/vitis: a chain of processes, each with its own order of reads
and writes. Bounds, because a window reads ahead as long as its ring has room, and because the
pipeline of a process may hold finished beats back until more input comes (Vitis HLS does not flush
its pipelines when an input is empty).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flow.graph.types import (
    Add,
    ChannelShuffle,
    Concat,
    IntArray,
    Multiply,
    Node,
    Upsample,
)
from flow.plan.elementwise import input_words, pixel_beats, vector_second
from flow.plan.fold import Windowed
from flow.plan.hwplan import UnitPlan, WindowPlan

HOLD_BACK = 16  # beats in the pipeline of one process; these kernels are not as deep


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Beats, each array for the same sequence of moments; `least` <= truth <= `most`."""

    least: IntArray
    most: IntArray


@dataclass(frozen=True, slots=True)
class _Process:
    """Bounds on the beats read when so many were written."""

    least: Callable[[IntArray], IntArray]
    most: Callable[[IntArray], IntArray]
    total: int  # beats read per frame


def demand(node: Node, unit: UnitPlan, port: int, elems: int, written: Demand) -> Demand:
    """Beats of input `port` that were read when the unit wrote `written` beats of its output.

    Args:
        elems: elements per beat of the input's stream.
    """
    found = written
    for process in _processes(node, unit, port, elems):
        found = through(found, process.total, process.least, process.most)
    return found


def through(
    written: Demand,
    total: int,
    least: Callable[[IntArray], IntArray] = lambda count: count,
    most: Callable[[IntArray], IntArray] = lambda count: count,
) -> Demand:
    """The same moments one process further up, where `total` beats pass per frame."""
    held = np.where(written.most > 0, most(written.most) + HOLD_BACK, 0)
    return Demand(np.minimum(least(written.least), total), np.minimum(held, total))


def _processes(node: Node, unit: UnitPlan, port: int, elems: int) -> list[_Process]:
    """The processes of one input, from the output to the input."""
    size = int(np.prod(node.in_shapes[port]))
    if isinstance(node, Windowed):
        chain = _operation(node, unit)
        word_elems = unit.window.word_elems if unit.window else unit.x_elems
        if unit.window is not None:
            chain.append(_resize(unit.x_elems, word_elems, unit.window.words_out * word_elems))
            chain.append(_window(unit.window))
    else:
        word_elems = input_words(node, unit.lanes)[port]
        beats = size // word_elems
        passes = [_same(lambda count: count, beats)] * _passes(node)
        chain = [_element(node, unit, port, beats), *passes]
    return [*chain, _resize(word_elems, elems, size)]


def _operation(node: Windowed, unit: UnitPlan) -> list[_Process]:
    pixels = node.out_shape[0] * node.out_shape[1]
    groups = node.out_shape[2] // unit.pe
    if unit.mac is None:
        return [_same(lambda count: count * node.window.taps, pixels * groups * node.window.taps)]
    parts, steps, repeat = unit.pe // unit.lanes, unit.mac.steps, unit.repeat
    return [
        _same(lambda count: _ceil(count, parts), pixels * groups),
        _same(lambda count: _ceil(count, repeat) * steps, pixels * groups // repeat * steps),
    ]


def _passes(node: Node) -> int:
    """Most processes that an input's beats pass besides the operation itself.

    They are sums or joins, of two at a time, and a requantisation.
    """
    joins = len(node.in_shapes) - 2 if isinstance(node, Add | Concat) else 0
    return joins + (1 if isinstance(node, Add | Multiply | Concat) else 0)


def _element(node: Node, unit: UnitPlan, port: int, total: int) -> _Process:
    if isinstance(node, Upsample):
        return _same(lambda count: _repeated(node, unit.lanes, count), total)
    if isinstance(node, Concat) and unit.lanes != node.out_shape[2]:
        return _same(lambda count: _in_turn(node, unit.lanes, port, count), total)
    if isinstance(node, ChannelShuffle):
        ahead = pixel_beats(node, unit.lanes)
        return _same(lambda count: np.where(count > 0, count + ahead, 0), total)
    if isinstance(node, Multiply) and vector_second(node) and port == 1:
        return _same(lambda count: np.where(count > 0, total, 0), total)
    return _same(lambda count: count, total)


def _repeated(node: Upsample, lanes: int, count: IntArray) -> IntArray:
    """Pixels come when their first copy goes out; the rest of the copies are read from a buffer."""
    _, width, channels = node.in_shape
    folds = channels // lanes
    last = np.maximum(count, 1) - 1
    row, beat = np.divmod(last, width * node.cols * folds)
    pixel, fold = np.divmod(beat, folds)
    first_copy = np.where(pixel % node.cols == 0, fold + 1, folds)
    within = np.where(row % node.rows == 0, pixel // node.cols * folds + first_copy, width * folds)
    return np.where(count > 0, row // node.rows * width * folds + within, 0)


def _in_turn(node: Concat, lanes: int, port: int, count: IntArray) -> IntArray:
    beats = [shape[2] // lanes for shape in node.in_shapes]
    pixels, within = np.divmod(count, sum(beats))
    return pixels * beats[port] + np.clip(within - sum(beats[:port]), 0, beats[port])


def _resize(written: int, read: int, elements: int) -> _Process:
    """A width converter between beats of so many elements; `elements` pass per frame.

    Between equal widths there is none; counting one is on the safe side.
    """
    return _same(lambda count: _ceil(count * written, read), elements // read)


def _window(plan: WindowPlan) -> _Process:
    """At least what the windows that went out needed, at most what the ring holds beyond them."""
    height, width, _ = plan.in_shape
    out_rows, out_cols, _ = plan.out_shape
    per_pixel = plan.words_out // (out_rows * out_cols)
    total = height * width * plan.folds
    window = plan.window
    tops = np.arange(out_rows) * window.stride_h - window.pad_top
    lefts = np.arange(out_cols) * window.stride_w - window.pad_left
    bottom = np.minimum(tops + window.kernel_h, height) - 1
    right = np.minimum(lefts + window.kernel_w, width) - 1
    last = (bottom[:, None] * width + right + 1) * plan.folds
    inside = (bottom >= np.maximum(tops, 0))[:, None] & (right >= np.maximum(lefts, 0))
    needed = np.maximum.accumulate(np.where(inside, last, 0).reshape(-1))
    needed = np.concatenate([[0], needed])
    room = np.maximum(tops, 0) * width * plan.folds + plan.ring_words

    def least(count: IntArray) -> IntArray:
        return np.asarray(needed[count // per_pixel])

    def most(count: IntArray) -> IntArray:
        row = _ceil(count, per_pixel * out_cols)
        return np.where(count > 0, room[np.maximum(row, 1) - 1], 0)

    return _Process(least, most, total)


def _same(reads: Callable[[IntArray], IntArray], total: int) -> _Process:
    return _Process(reads, reads, total)


def _ceil(count: IntArray, divisor: int) -> IntArray:
    return -(-count // divisor)
