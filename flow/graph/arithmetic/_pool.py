"""Average pools: one exact division by a constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flow.errors import RangeError
from flow.graph.arithmetic._codes import clip
from flow.graph.arithmetic._ranges import INT64_SAFE_BITS
from flow.graph.types import AveragePool, IntArray, Rounding, TensorType


@dataclass(frozen=True, slots=True)
class PoolDivide:
    """y = clip(((((sum << pre_shift) + constant) * reciprocal) >> shift) + offset, lo, hi).

    Equal to floor(((sum << pre_shift) + constant) / divisor) + offset for every reachable sum;
    `divide_constant` proves it. `even`: half-even rounding, which clears the last bit of the
    quotient where the division leaves no remainder.
    """

    pre_shift: int
    constant: int
    divisor: int
    reciprocal: int
    shift: int
    offset: int
    y: TensorType
    even: bool = False


def fold_pool(node: AveragePool, count: int | None = None) -> PoolDivide:
    """Average over `count` elements and its requantisation as one exact division.

    y = floor((2 * sum * 2**k + N) / (2 * N)) + zp_y with k = ex - ey and sum over q - zp_x; for
    k < 0 the divisor is scaled instead. Source: design contract, docs/arithmetic.md.

    Args:
        count: N; default the whole window.
    """
    count = node.window.taps if count is None else count
    k = node.x.scale_exp - node.y.scale_exp
    numerator_shift, scale = (k + 1, 1) if k >= 0 else (1, 1 << -k)
    divisor, half = 2 * count * scale, count * scale
    constant = half - ((node.x.zero_point * count) << numerator_shift)
    low = ((count * node.x.lo) << numerator_shift) + constant
    high = ((count * node.x.hi) << numerator_shift) + constant
    quotient_offset = low // divisor if low < 0 else 0
    even = node.rounding is Rounding.HALF_EVEN
    if even:
        quotient_offset &= ~1  # the quotient keeps its parity
    constant -= quotient_offset * divisor
    if (high - low).bit_length() > INT64_SAFE_BITS:
        raise RangeError(
            f"layer {node.name!r}: the average's numerator needs {(high - low).bit_length()} bits, "
            f"more than {INT64_SAFE_BITS}.\n"
            "  The exponents of input and output lie too far apart."
        )
    reciprocal, shift = divide_constant(divisor, high - quotient_offset * divisor)
    offset = quotient_offset + node.y.zero_point
    return PoolDivide(numerator_shift, constant, divisor, reciprocal, shift, offset, node.y, even)


def divide_constant(divisor: int, largest: int) -> tuple[int, int]:
    """Find m, s with (n * m) >> s == n // divisor for all 0 <= n <= `largest`.

    Uses m = ceil(2**s / divisor), which is exact when largest * (m * divisor - 2**s) < 2**s.
    Source: Granlund and Montgomery 1994, theorem 4.2.
    """
    for shift in range(divisor.bit_length() - 1, INT64_SAFE_BITS):
        reciprocal = -(-(1 << shift) // divisor)
        error = reciprocal * divisor - (1 << shift)
        if largest * error < (1 << shift):
            return reciprocal, shift
    raise RangeError(f"no exact reciprocal of {divisor} below 2**{INT64_SAFE_BITS} exists.")


def pool_average(sums: IntArray, node: AveragePool) -> IntArray:
    """Averages from raw sums of codes, by true division (the hardware's form is `PoolDivide`)."""
    return clip(pool_rescale(sums, node), node.y)


def pool_rescale(sums: IntArray, node: AveragePool) -> IntArray:
    """The averages before clipping; with padding `sums` must be [..., oh, ow, c]."""
    counts = node.counts[..., None]
    different = np.unique(counts).tolist()
    if len(different) == 1:
        return _divide(sums, fold_pool(node, different[0]))
    result = np.zeros_like(sums)
    for count in different:
        result += np.where(counts == count, _divide(sums, fold_pool(node, count)), 0)
    return result


def _divide(sums: IntArray, fold: PoolDivide) -> IntArray:
    quotient, remainder = np.divmod((sums << fold.pre_shift) + fold.constant, fold.divisor)
    if fold.even:
        quotient -= quotient & (remainder == 0)
    result: IntArray = quotient + fold.offset
    return result
