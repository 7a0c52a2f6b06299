"""Requantisation: one multiplication where the scale is no power of two, one sum, one shift."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from flow.errors import RangeError
from flow.graph.arithmetic._codes import clip
from flow.graph.arithmetic._ranges import (
    INT64_SAFE_BITS,
    accumulator_bits,
    add_shifts,
    channel_sums,
)
from flow.graph.types import (
    Add,
    Concat,
    IntArray,
    MatVec,
    Multiply,
    Rescale,
    Rounding,
    TensorType,
)

Requantised = MatVec | Add | Multiply | Concat | Rescale


@dataclass(frozen=True, slots=True)
class Affine:
    """The real value of one channel: (acc - zero) * mult * 2**exponent + bias."""

    zero: int
    mult: int
    exponent: int
    bias: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Requant:
    """Folded requantisation of one layer; the arrays are [channels], shift >= 0.

    Channels are the outputs' of a MatVec or Concat; of the other nodes there is one for all.
    `mult`: None where every factor is 1. `tie`: the channels in which half-even rounding can meet
    a tie; None where rounding is half up.
    """

    pre_shift: int
    constant: IntArray
    shift: IntArray
    y: TensorType
    mult: IntArray | None = None
    tie: NDArray[np.bool_] | None = None


def fold_requant(node: Requantised) -> Requant:
    """Fold bias, rounding and the input zero point into one constant per output channel.

    With r = ey - exponent: constant = floor(2**r * (bias / 2**ey + 1/2)) - zero * mult. A channel
    with r < 0 needs a left shift; then all channels share `pre_shift` = -min(r), which changes no
    result. Source: docs/arithmetic.md, section 'Why one constant is enough'.

    Raises:
        RangeError: a value does not fit 62 bits.
    """
    channels = affine(node)
    y = node.y
    right = [y.scale_exp - channel.exponent for channel in channels]
    pre_shift = max(0, -min(right))
    acc_bits = accumulator_bits(node) + pre_shift
    constants, ties = [], []
    for index, (channel, r) in enumerate(zip(channels, right, strict=True)):
        shift = r + pre_shift
        offset = _pow2(shift) * (channel.bias * _pow2(-y.scale_exp) + Fraction(1, 2))
        constant = offset.__floor__() - ((channel.zero * channel.mult) << pre_shift)
        wide = acc_bits + channel.mult.bit_length() - 1
        if max(constant.bit_length(), wide, shift) > INT64_SAFE_BITS:
            raise RangeError(
                f"layer {node.name!r}, channel {index}: the folded constant needs "
                f"{constant.bit_length()} bits, the accumulator {wide}, the shift is "
                f"{shift}; none may exceed {INT64_SAFE_BITS}.\n"
                "  The exponents of input, weights and output lie too far apart."
            )
        constants.append(constant)
        ties.append(offset.denominator == 1)
    mult = np.array([channel.mult for channel in channels], np.int64)
    return Requant(
        pre_shift,
        np.array(constants, np.int64),
        np.array(right, np.int64) + pre_shift,
        y,
        mult if (mult != 1).any() else None,
        np.array(ties) if node.rounding is Rounding.HALF_EVEN else None,
    )


def requantise(acc: IntArray, requant: Requant) -> IntArray:
    """Turn accumulators [..., channels] into codes; half of the rounding is in the constant."""
    return clip(rescale(acc, requant), requant.y)


def rescale(acc: IntArray, requant: Requant) -> IntArray:
    """The codes before clipping."""
    product = acc if requant.mult is None else acc * requant.mult
    wide = (product << requant.pre_shift) + requant.constant
    shifted = wide >> requant.shift
    if requant.tie is not None:
        below = wide & ((np.int64(1) << requant.shift) - 1)
        shifted -= shifted & (requant.tie & (below == 0))
    return shifted + requant.y.zero_point


def affine(node: Requantised) -> list[Affine]:
    """What the accumulator of each channel means; the textbook form rounds exactly this."""
    if isinstance(node, MatVec):
        return [
            Affine(
                node.x.zero_point * int(total),
                int(mult),
                node.x.scale_exp + int(exponent),
                int(bias) * _pow2(int(bias_exp)),
            )
            for total, mult, exponent, bias, bias_exp in zip(
                channel_sums(node), node.weight_mult, node.weight_exp, node.bias, node.bias_exp,
                strict=True,
            )
        ]  # fmt: skip
    if isinstance(node, Add):
        shifted = zip(node.x_types, add_shifts(node), strict=True)
        zero = sum(x.zero_point << shift for x, shift in shifted)
        return [Affine(zero, 1, min(x.scale_exp for x in node.x_types), Fraction(0))]
    if isinstance(node, Multiply):
        return [Affine(0, 1, sum(x.scale_exp for x in node.x_types), Fraction(0))]
    return [
        Affine(x.zero_point, 1, x.scale_exp, Fraction(0))
        for x, shape in zip(node.x_types, node.in_shapes, strict=True)
        for _ in range(shape[2] if isinstance(node, Concat) else 1)
    ]


def _pow2(exponent: int) -> Fraction:
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)
