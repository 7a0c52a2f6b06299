"""Widths and ranges of sums."""

from __future__ import annotations

from math import prod

import numpy as np

from flow.graph.types import (
    Add,
    AveragePool,
    IntArray,
    Kind,
    MatVec,
    Multiply,
    Node,
    TensorType,
)

INT64_SAFE_BITS = 62


def signed_bits(low: int, high: int) -> int:
    """Width of the narrowest two's-complement type that holds both ends, at least 1."""
    return (
        max(
            (~low if low < 0 else low).bit_length(),
            (~high if high < 0 else high).bit_length(),
        )
        + 1
    )


def accumulator_range(node: Node) -> tuple[int, int]:
    """Smallest and largest value that `accumulate` gives for legal codes, and 0.

    Of a MatVec from its actual weights; every partial sum fits as well, whatever the order.
    """
    if isinstance(node, MatVec):
        ranges = channel_ranges(node)
        return min(0, *(low for low, _ in ranges)), max(0, *(high for _, high in ranges))
    if isinstance(node, Add):
        shifts = add_shifts(node)
        lows = [x.lo << shift for x, shift in zip(node.x_types, shifts, strict=True)]
        highs = [x.hi << shift for x, shift in zip(node.x_types, shifts, strict=True)]
        return _with_partial_sums(lows, highs)
    if isinstance(node, Multiply):
        ends = [prod(pair) for pair in _centred_ends(*node.x_types)]
        return min(*ends, 0), max(*ends, 0)
    count = int(node.counts.max()) if isinstance(node, AveragePool) else 1
    low = min(x.lo for x in node.x_types)
    high = max(x.hi for x in node.x_types)
    return min(count * low, 0), max(count * high, 0)


def accumulator_bits(node: Node) -> int:
    """Signed width that holds `accumulator_range`."""
    return signed_bits(*accumulator_range(node))


def channel_ranges(node: MatVec) -> list[tuple[int, int]]:
    """Smallest and largest sum(x * w) of each output channel; partial sums may lie outside."""
    by_channel = _by_channel(node)
    positive = np.maximum(by_channel, 0).sum(axis=0).tolist()
    negative = np.minimum(by_channel, 0).sum(axis=0).tolist()
    lo, hi = node.x.lo, node.x.hi  # Python integers from here on: nothing can overflow
    return [(p * lo + n * hi, p * hi + n * lo) for p, n in zip(positive, negative, strict=True)]


def channel_sums(node: MatVec) -> IntArray:
    """[cout]: the sum of each output channel's weights."""
    sums: IntArray = _by_channel(node).sum(axis=0)
    return sums


def add_shifts(node: Add) -> tuple[int, ...]:
    """Left shift of each input of an Add that brings it to the finest exponent of all."""
    finest = min(x.scale_exp for x in node.x_types)
    return tuple(x.scale_exp - finest for x in node.x_types)


def _by_channel(node: MatVec) -> IntArray:
    """Weights as [K, cout]; a depthwise layer's [kh, kw, c] has its channels last as well."""
    assert node.kind is not Kind.DEPTHWISE or node.weights.ndim == 3
    return node.weights.reshape(-1, node.out_shape[2])


def _with_partial_sums(lows: list[int], highs: list[int]) -> tuple[int, int]:
    """The range of every sum of a subset of terms."""
    return sum(min(low, 0) for low in lows), sum(max(high, 0) for high in highs)


def _centred_ends(first: TensorType, second: TensorType) -> list[tuple[int, int]]:
    return [
        (a - first.zero_point, b - second.zero_point)
        for a in (first.lo, first.hi)
        for b in (second.lo, second.hi)
    ]
