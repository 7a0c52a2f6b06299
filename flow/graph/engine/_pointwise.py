"""Nodes without weights as calls of kernels."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod

import numpy as np

from flow.graph.arithmetic import Requant, add_shifts, fold_pool, fold_requant
from flow.graph.engine import _structs as structs
from flow.graph.engine._proof import INT32, INT64, offset, rescaling, stored_range
from flow.graph.engine._step import CHUNK, Arrays, Step, requant_struct
from flow.graph.types import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    MaxPool,
    Multiply,
    Rescale,
    Rounding,
    Table,
    TensorType,
    Upsample,
)


def merge_step(node: Add | Rescale) -> Step | None:
    """The kernel's call; None where the kernels' arithmetic is not exact."""
    shifts = add_shifts(node) if isinstance(node, Add) else (0,)
    offsets = _offsets(node.x_types)
    if offsets is None:
        return None
    ends = [stored_range(x) for x in node.x_types]
    least = sum(min(low, 0) << shift for (low, _), shift in zip(ends, shifts, strict=True))
    most = sum(max(high, 0) << shift for (_, high), shift in zip(ends, shifts, strict=True))
    zero = sum(less << shift for less, shift in zip(offsets, shifts, strict=True))
    found = rescaling(fold_requant(node), [zero], [(least, most)])
    if found is None:
        return None
    arrays = Arrays()
    argument = structs.Merge(
        requant_struct(found, arrays, CHUNK, CHUNK), arrays.int32(shifts),
        len(shifts), prod(node.out_shape),
    )  # fmt: skip
    return Step("merge", argument, arrays.kept)


def product_step(node: Multiply) -> Step | None:
    """The kernel's call; None where the kernels' arithmetic is not exact."""
    offsets = _offsets(node.x_types)
    if offsets is None:
        return None
    adds = [less - x.zero_point for x, less in zip(node.x_types, offsets, strict=True)]
    factors = [
        [end + add for end in stored_range(x)] for x, add in zip(node.x_types, adds, strict=True)
    ]
    ends = [one * other for one, other in product(*factors)]
    found = rescaling(fold_requant(node), [0], [(min(*ends, 0), max(*ends, 0))])
    if found is None:
        return None
    height, width, channels = node.out_shape
    vector = node.in_shapes[1] != node.in_shapes[0]
    rows, row = (height * width, channels) if vector else (1, prod(node.out_shape))
    arrays = Arrays()
    argument = structs.Product(requant_struct(found, arrays, CHUNK, CHUNK), *adds, rows, row)
    return Step("product", argument, arrays.kept)


def concat_step(node: Concat) -> Step | None:
    """The kernel's call; None where the kernels' arithmetic is not exact."""
    offsets = _offsets(node.x_types)
    if offsets is None:
        return None
    requant, arrays = fold_requant(node), Arrays()
    parts, first = (structs.Part * len(offsets))(), 0
    for index, (x, shape, less) in enumerate(
        zip(node.x_types, node.in_shapes, offsets, strict=True)
    ):
        found = rescaling(_channel(requant, first), [less], [stored_range(x)])
        if found is None:
            return None
        parts[index] = structs.Part(requant_struct(found, arrays, CHUNK, CHUNK), shape[2])
        first += shape[2]
    height, width, channels = node.out_shape
    argument = structs.Concat(arrays.structs(parts), len(offsets), height * width, channels)
    return Step("concat", argument, arrays.kept)


def _channel(requant: Requant, index: int) -> Requant:
    one = slice(index, index + 1)
    return replace(
        requant,
        constant=requant.constant[one],
        shift=requant.shift[one],
        tie=None if requant.tie is None else requant.tie[one],
    )


def _offsets(types: tuple[TensorType, ...]) -> list[int] | None:
    """Of all tensors; None where one has none."""
    found = [less for less in map(offset, types) if less is not None]
    return found if len(found) == len(types) else None


def lookup_step(node: Table) -> Step | None:
    """The kernel's call; None where the input's codes need more than 16 bits."""
    if offset(node.x) is None:
        return None
    less = offset(node.y)
    table = np.array(node.table, np.int64)
    arrays = Arrays()
    argument = structs.Lookup(
        arrays.address(table if less is None else (table - less).astype(np.int16)),
        stored_range(node.x)[0], prod(node.out_shape), less is None,
    )  # fmt: skip
    return Step("lookup", argument, arrays.kept)


def average_step(node: AveragePool) -> Step | None:
    """The kernel's call; None where the kernels' arithmetic is not exact."""
    less = offset(node.x)
    if less is None:
        return None
    counts, choices = np.unique(node.counts, return_inverse=True)
    folds = [fold_pool(node, count) for count in counts.tolist()]
    divisions = (structs.Division * len(folds))()
    widest = max(map(abs, stored_range(node.x))) * int(counts.max())
    for index, (fold, count) in enumerate(zip(folds, counts.tolist(), strict=True)):
        constant = fold.constant + ((less * count) << fold.pre_shift)
        divisions[index] = structs.Division(constant, fold.divisor, fold.offset)
        if widest >= INT32 or (widest << fold.pre_shift) + abs(constant) >= INT64:
            return None
    arrays, stored_less = Arrays(), offset(node.y)
    argument = structs.Average(
        _geometry(node), arrays.structs(divisions), arrays.int32(choices.ravel()),
        node.y.lo, node.y.hi, -(stored_less or 0),
        folds[0].pre_shift, node.rounding is Rounding.HALF_EVEN, stored_less is None,
    )  # fmt: skip
    return Step("average", argument, arrays.kept, sums=node.in_shape[2])


def largest_step(node: MaxPool) -> Step | None:
    """The kernel's call; None where codes need more than 16 bits."""
    if offset(node.x) is None:
        return None
    return Step("largest", structs.Largest(_geometry(node), stored_range(node.x)[0]), [])


def repeat_step(node: Upsample) -> Step | None:
    """The kernel's call; None where codes need more than 16 bits."""
    if offset(node.x) is None:
        return None
    return Step("repeat", structs.Repeat(*node.in_shape, node.rows, node.cols), [])


def shuffle_step(node: ChannelShuffle) -> Step | None:
    """The kernel's call; None where codes need more than 16 bits."""
    if offset(node.x) is None:
        return None
    height, width, channels = node.in_shape
    argument = structs.Shuffle(height * width, node.groups, channels // node.groups)
    return Step("shuffle", argument, [])


def _geometry(node: AveragePool | MaxPool) -> structs.Geometry:
    window = node.window
    return structs.Geometry(
        *node.in_shape, *node.out_shape[:2],
        window.kernel_h, window.kernel_w, window.stride_h, window.stride_w,
        window.pad_top, window.pad_left,
    )  # fmt: skip
