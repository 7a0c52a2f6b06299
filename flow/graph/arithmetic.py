"""The arithmetic contract: the only place in Python where rounding and scaling are defined.

Its twins are `hls_templates/xls/arith.x` (DSLX) and, for documentation, `docs/arithmetic.md`.
Everything works on exact integers; a requantisation is

    y = clip((((acc << pre_shift) + constant) >> shift) + zero_point, lo, hi)

with `constant` and `shift` per output channel, derived once by `fold_requant`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import RangeError
from flow.graph.types import AveragePool, IntArray, MatVec, TensorType

INT64_SAFE_BITS = 62


@dataclass(frozen=True, slots=True, eq=False)
class Requant:
    """Folded requantisation of one layer; `constant` and `shift` are [cout], shift >= 0."""

    pre_shift: int
    constant: IntArray
    shift: IntArray
    y: TensorType


@dataclass(frozen=True, slots=True)
class PoolDivide:
    """y = clip(((((sum << pre_shift) + constant) * reciprocal) >> shift) + offset, lo, hi).

    Equal to floor(((sum << pre_shift) + constant) / divisor) + offset for every reachable sum;
    `divide_constant` proves it.
    """

    pre_shift: int
    constant: int
    divisor: int
    reciprocal: int
    shift: int
    offset: int
    y: TensorType


def signed_bits(low: int, high: int) -> int:
    """Width of the narrowest two's-complement type that holds both ends, at least 1."""
    return (
        max(
            (~low if low < 0 else low).bit_length(),
            (~high if high < 0 else high).bit_length(),
        )
        + 1
    )


def fold_requant(node: MatVec) -> Requant:
    """Fold bias, rounding and the input zero point into one constant per output channel.

    With r = ey - (ex + ew): constant = floor(2**r * (bias_real / 2**ey + 1/2)) - zp_x * sum(w).
    A channel with r < 0 needs a left shift; then all channels share `pre_shift` = -min(r), which
    changes no result. Source: docs/arithmetic.md, section 'Why one constant is enough'.
    """
    channels = node.out_shape[2]
    weight_sums = node.weights.reshape(-1, channels).sum(axis=0)
    right = [node.y.scale_exp - node.x.scale_exp - int(exponent) for exponent in node.weight_exp]
    pre_shift = max(0, -min(right))
    acc_bits = accumulator_bits(node)
    constant = np.zeros(channels, np.int64)
    shift = np.zeros(channels, np.int64)
    for channel, r in enumerate(right):
        total = r + pre_shift
        bias_in_y = Fraction(int(node.bias[channel])) * _pow2(
            int(node.bias_exp[channel]) - node.y.scale_exp
        )
        rounded = (_pow2(total) * (bias_in_y + Fraction(1, 2))).__floor__()
        if r < 0:  # the grid of acc is coarser than y's: round the bias on y's own grid
            rounded = (bias_in_y + Fraction(1, 2)).__floor__() << total
        value = rounded - ((node.x.zero_point * int(weight_sums[channel])) << pre_shift)
        if max(value.bit_length(), acc_bits + pre_shift, total) > INT64_SAFE_BITS:
            raise RangeError(
                f"layer {node.name!r}, channel {channel}: the folded constant needs "
                f"{value.bit_length()} bits, the accumulator {acc_bits + pre_shift}, the shift is "
                f"{total}; none may exceed {INT64_SAFE_BITS}.\n"
                "  The exponents of input, weights and output lie too far apart."
            )
        constant[channel], shift[channel] = value, total
    return Requant(pre_shift, constant, shift, node.y)


def requantise(acc: IntArray, requant: Requant) -> IntArray:
    """Turn accumulators [..., cout] into codes; half-up rounding is inside the constant."""
    return clip(rescale(acc, requant), requant.y)


def rescale(acc: IntArray, requant: Requant) -> IntArray:
    """The codes before clipping."""
    shifted = ((acc << requant.pre_shift) + requant.constant) >> requant.shift
    return shifted + requant.y.zero_point


def clip(values: IntArray, tensor: TensorType) -> IntArray:
    """Saturate to the codes that the tensor may hold."""
    return np.clip(values, tensor.lo, tensor.hi)


def requantise_textbook(acc: IntArray, node: MatVec) -> IntArray:
    """The same result by definition: align everything to the finest grid, round once, clip.

    Slow and written for tests: it uses exact rationals and none of `fold_requant`.
    """
    channels = node.out_shape[2]
    weight_sums = node.weights.reshape(-1, channels).sum(axis=0)
    result = np.zeros_like(acc)
    for channel in range(channels):
        scale = _pow2(node.x.scale_exp + int(node.weight_exp[channel]) - node.y.scale_exp)
        bias = Fraction(int(node.bias[channel])) * _pow2(
            int(node.bias_exp[channel]) - node.y.scale_exp
        )
        zero = node.x.zero_point * int(weight_sums[channel])
        for index, value in np.ndenumerate(acc[..., channel]):
            code = ((int(value) - zero) * scale + bias + Fraction(1, 2)).__floor__()
            result[(*index, channel)] = min(max(code + node.y.zero_point, node.y.lo), node.y.hi)
    return result


def accumulator_range(node: MatVec) -> tuple[int, int]:
    """Smallest and largest value of sum(x * w) over all channels, from the actual weights."""
    by_channel = node.weights.reshape(-1, node.out_shape[2])
    positive = np.maximum(by_channel, 0).sum(axis=0).tolist()
    negative = np.minimum(by_channel, 0).sum(axis=0).tolist()
    lo, hi = node.x.lo, node.x.hi  # Python integers from here on: nothing can overflow
    sums = list(zip(positive, negative, strict=True))
    low = min(p * lo + n * hi for p, n in sums)
    high = max(p * hi + n * lo for p, n in sums)
    return min(low, 0), max(high, 0)


def accumulator_bits(node: MatVec) -> int:
    """Width of the accumulator; every partial sum fits as well, whatever the order."""
    return signed_bits(*accumulator_range(node))


def fold_pool(node: AveragePool) -> PoolDivide:
    """Average pool and its requantisation as one exact division.

    y = floor((2 * sum * 2**k + N) / (2 * N)) + zp_y with k = ex - ey and sum over q - zp_x; for
    k < 0 the divisor is scaled instead. Source: design contract, docs/arithmetic.md.
    """
    count = node.window.taps
    k = node.x.scale_exp - node.y.scale_exp
    numerator_shift, scale = (k + 1, 1) if k >= 0 else (1, 1 << -k)
    divisor, half = 2 * count * scale, count * scale
    constant = half - ((node.x.zero_point * count) << numerator_shift)
    low = ((count * node.x.lo) << numerator_shift) + constant
    high = ((count * node.x.hi) << numerator_shift) + constant
    quotient_offset = low // divisor if low < 0 else 0
    constant -= quotient_offset * divisor
    if (high - low).bit_length() > INT64_SAFE_BITS:
        raise RangeError(
            f"layer {node.name!r}: the average's numerator needs {(high - low).bit_length()} bits, "
            f"more than {INT64_SAFE_BITS}.\n"
            "  The exponents of input and output lie too far apart."
        )
    reciprocal, shift = divide_constant(divisor, high - quotient_offset * divisor)
    offset = quotient_offset + node.y.zero_point
    return PoolDivide(numerator_shift, constant, divisor, reciprocal, shift, offset, node.y)


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
    """The averages before clipping."""
    fold = fold_pool(node)
    return ((sums << fold.pre_shift) + fold.constant) // fold.divisor + fold.offset


def quantise_input(values: NDArray[Any], tensor: TensorType) -> IntArray:
    """Real values to codes: clip(floor(v / 2**scale_exp + 1/2) + zero_point, lo, hi).

    The half is compared, not added: v + 1/2 itself could round up in float64.
    """
    ratio = np.ldexp(np.asarray(values, np.float64), -tensor.scale_exp)
    whole = np.floor(ratio)
    codes = whole + (ratio - whole >= 0.5) + tensor.zero_point
    clipped: NDArray[np.float64] = np.clip(codes, tensor.lo, tensor.hi)
    return clipped.astype(np.int64)


def dequantise(codes: IntArray, tensor: TensorType) -> NDArray[np.float64]:
    """Codes to real values (code - zero_point) * 2**scale_exp, exact in float64."""
    return np.ldexp((codes - tensor.zero_point).astype(np.float64), tensor.scale_exp)


def _pow2(exponent: int) -> Fraction:
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)
