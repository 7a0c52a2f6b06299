"""Requantisation by definition. Slow, written for tests: exact rationals, nothing folded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from flow.graph.arithmetic._requant import Requantised, affine
from flow.graph.types import IntArray, Rounding


def requantise_textbook(acc: IntArray, node: Requantised) -> IntArray:
    """Codes of accumulators [..., channels]: the real value, rounded once to y's grid, clipped."""
    channels = affine(node)
    result = np.zeros_like(acc)
    for index, value in np.ndenumerate(acc):
        channel = channels[index[-1] % len(channels)]
        real = (int(value) - channel.zero) * channel.mult * Fraction(2) ** channel.exponent
        code = nearest((real + channel.bias) / Fraction(2) ** node.y.scale_exp, node.rounding)
        result[index] = min(max(code + node.y.zero_point, node.y.lo), node.y.hi)
    return result


def nearest(value: Fraction, rounding: Rounding) -> int:
    """The integer next to `value`; of two equally near ones the upper, or the even one."""
    if rounding is Rounding.HALF_EVEN:
        return round(value)
    return (value + Fraction(1, 2)).__floor__()
