"""What the kernels' narrow arithmetic needs in order to be exact, from a node's actual integers.

A tensor is stored as int16 where its codes span 16 bits. A layer with weights multiplies stored
codes by int16 weights into int32; codes are cut into two limbs where the whole ones could overflow.
Requantisation is int32 where every value in between fits, else int64. What no choice makes exact is
None here and is left to the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.graph.arithmetic import Requant
from flow.graph.types import IntArray, TensorType

INT16, INT32, INT64 = (1 << 15, 1 << 31, 1 << 63)

Words = NDArray[Any]  # int32 or int64


def offset(tensor: TensorType) -> int | None:
    """What is taken off a code to store it as int16; None: 16 bits do not hold its codes."""
    if tensor.lo >= -INT16 and tensor.hi < INT16:
        return 0
    return tensor.lo + INT16 if tensor.hi - tensor.lo < 2 * INT16 else None


def stored_range(tensor: TensorType) -> tuple[int, int]:
    """Smallest and largest stored code of a tensor that has an offset."""
    less = offset(tensor)
    assert less is not None
    return tensor.lo - less, tensor.hi - less


def limb_shift(weights: IntArray, low: int, high: int) -> int | None:
    """How int16 codes low..high are cut so that int32 holds all sums with int16 weights [K, cout].

    Returns:
        0: not at all. s: into x mod 2**s and x >> s. None: no cut suffices.
    """
    if _sums_fit(weights, low, high):
        return 0
    for shift in range(1, 16):
        limbs = (0, (1 << shift) - 1), (low >> shift, high >> shift)
        if all(_sums_fit(weights, *limb) for limb in limbs):
            return shift
    return None


def _sums_fit(weights: IntArray, low: int, high: int) -> bool:
    """Whether int32 holds every sum of any of the products, in whatever order they are added."""
    ends = weights * low, weights * high
    least = np.minimum(np.minimum(*ends), 0).sum(axis=0).min()
    most = np.maximum(np.maximum(*ends), 0).sum(axis=0).max()
    return bool(least >= -INT32 and most < INT32)


@dataclass(frozen=True, slots=True, eq=False)
class Rescaling:
    """y = clip((acc * factor + constant) >> shift, lo, hi) + add for stored accumulators.

    Arrays are [channels], all int32 or all int64 (`wide`), wide enough for all that is computed.
    `below`: see kernels/requant.h; None where rounding is half up. `add` gives the stored code
    (`wide_output`: the code itself, int64).
    """

    constant: Words
    shift: Words
    factor: Words | None
    below: Words | None
    lo: int
    hi: int
    add: int
    wide: bool
    wide_output: bool


def rescaling(
    requant: Requant, zero: list[int], ranges: list[tuple[int, int]], *, narrow: bool = True
) -> Rescaling | None:
    """The same requantisation for accumulators of stored codes.

    Args:
        zero: [channels] what the true accumulator is more than the stored one.
        ranges: [channels] of the stored accumulators.
        narrow: int32 accumulators are known to be exact.

    Returns:
        None where int64 does not hold a value in between.
    """
    mult = requant.mult if requant.mult is not None else np.ones(1, np.int64)
    factors = [int(m) << requant.pre_shift for m in np.broadcast_to(mult, len(ranges)).tolist()]
    constants = [
        constant + less * factor
        for constant, less, factor in zip(requant.constant.tolist(), zero, factors, strict=True)
    ]
    shifts = requant.shift.tolist()
    y, less = requant.y, offset(requant.y)
    lo, hi, add = y.lo - y.zero_point, y.hi - y.zero_point, y.zero_point - (less or 0)
    values = [lo, hi, add, *constants, *factors]
    for (low, high), factor, constant in zip(ranges, factors, constants, strict=True):
        values += (low, high, low * factor, high * factor)
        values += (low * factor + constant, high * factor + constant)
    least, most = min(values), max(values)
    wide = not (narrow and least >= -INT32 and most < INT32 and max(shifts) < 32)
    if least < -INT64 or most >= INT64:
        return None
    dtype = np.dtype(np.int64 if wide else np.int32)
    below = None
    if requant.tie is not None:
        masks = [(1 << s) - 1 if t else -1 for s, t in zip(shifts, requant.tie, strict=True)]
        below = np.array(masks, dtype)
    return Rescaling(
        np.array(constants, dtype),
        np.array(shifts, dtype),
        np.array(factors, dtype) if set(factors) != {1} else None,
        below, lo, hi, add, wide, less is None,
    )  # fmt: skip
