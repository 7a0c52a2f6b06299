"""The type of a layer's sums when nothing rounds them."""

from __future__ import annotations

from fractions import Fraction

from flow.errors import RangeError
from flow.graph.arithmetic._ranges import accumulator_range, channel_ranges, signed_bits
from flow.graph.arithmetic._requant import affine
from flow.graph.types import Add, MatVec, Multiply, TensorType

MAX_BITS = 32


def exact_type(node: MatVec | Add | Multiply) -> TensorType:
    """The narrowest signed type on whose grid every sum of the node lies; its y is not looked at.

    Raises:
        RangeError: it needs more than 32 bits.
    """
    channels = affine(node)
    whole = [accumulator_range(node)] * len(channels)
    ranges = channel_ranges(node) if isinstance(node, MatVec) else whole
    finest = min(
        min(channel.exponent, 1 - channel.bias.denominator.bit_length()) if channel.bias
        else channel.exponent
        for channel in channels
    )  # fmt: skip
    ends = [
        ((acc - channel.zero) * channel.mult * _pow2(channel.exponent) + channel.bias)
        * _pow2(-finest)
        for channel, pair in zip(channels, ranges, strict=True)
        for acc in pair
    ]
    low, high = min(0, int(min(ends))), max(0, int(max(ends)))
    bits = max(signed_bits(low, high), 2)
    if bits > MAX_BITS:
        raise RangeError(
            f"layer {node.name!r} has no quantizer behind it, and its exact sums need {bits} bits, "
            f"more than {MAX_BITS}.\n  Add a QActivation after it, or quantize its bias coarser."
        )
    return TensorType(bits, True, finest, 0, low, max(high, low + 1))


def _pow2(exponent: int) -> Fraction:
    return Fraction(2) ** exponent
