"""Output channels whose weights are too small to change any output: constants, exactly.

Trained float networks hold them: a batch normalization whose gain has died leaves weights of 1e-30
beside a bias of 1, too far apart for one integer accumulator.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np

from flow.graph.types import Kind, MatVec, Rounding

FAR_SHIFT = 40  # right shifts up to it fit every constant and are left as they are


def constant_channels(node: MatVec, notes: list[str]) -> MatVec:
    """The node with weight 0 in channels whose result no input changes; their number is noted.

    Only channels whose accumulator is shifted right by more than FAR_SHIFT are looked at.
    """
    weights, exponents, mults = node.weights.copy(), node.weight_exp.copy(), node.weight_mult.copy()
    found = [
        channel
        for channel, exponent in enumerate(exponents)
        if node.y.scale_exp - node.x.scale_exp - int(exponent) > FAR_SHIFT
        and _is_constant(node, channel)
    ]
    if not found:
        return node
    weights[..., found], mults[found] = 0, 1
    exponents[found] = node.y.scale_exp - node.x.scale_exp  # no shift
    notes.append(
        f"layer {node.name!r}: {len(found)} of {len(exponents)} output channels are constant: "
        "their weights are too small to change any output."
    )
    return replace(node, weights=weights, weight_exp=exponents, weight_mult=mults)


def _is_constant(node: MatVec, channel: int) -> bool:
    """Whether the least and the greatest sum of a channel give the same code.

    Rounding and clipping are monotone, so then all sums between do, and the sum 0 is one of them.
    """
    step = Fraction(2) ** node.y.scale_exp
    scale = Fraction(2) ** (node.x.scale_exp + int(node.weight_exp[channel]))
    unit = int(node.weight_mult[channel]) * scale / step
    bias = int(node.bias[channel]) * Fraction(2) ** int(node.bias_exp[channel])
    low, high = (bias / step + Fraction(1, 2) + end * unit for end in _sums(node, channel))
    tie = node.rounding is Rounding.HALF_EVEN and low.denominator == 1  # may round down
    ends = (floor(low) - tie, floor(high))
    least, greatest = (min(max(end + node.y.zero_point, node.y.lo), node.y.hi) for end in ends)
    return least == greatest


def _sums(node: MatVec, channel: int) -> tuple[int, int]:
    """Bounds of the sum of products, input codes counted from their zero point; 0 lies between."""
    assert node.kind is not Kind.DEPTHWISE or node.weights.ndim == 3
    weights = node.weights[..., channel].ravel()
    ends = [weights * (end - node.x.zero_point) for end in (node.x.lo, node.x.hi)]
    lows, highs = np.minimum(*ends), np.maximum(*ends)
    return int(np.minimum(lows, 0).sum()), int(np.maximum(highs, 0).sum())
