"""What a tensor's codes mean, and the geometry of windows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from flow.errors import RangeError

IntArray = NDArray[np.int64]
Shape = tuple[int, int, int]  # [h, w, channels]; a vector is [1, 1, c], a sequence [1, w, c]


class Kind(str, Enum):
    """What a node computes."""

    CONV = "conv"
    DEPTHWISE = "depthwise"
    DENSE = "dense"
    AVERAGE_POOL = "average_pool"
    MAX_POOL = "max_pool"
    ADD = "add"
    MULTIPLY = "multiply"
    CONCAT = "concat"
    RESCALE = "rescale"
    TABLE = "table"
    UPSAMPLE = "upsample"
    CHANNEL_SHUFFLE = "channel_shuffle"


class Rounding(str, Enum):
    """How requantisation rounds: floor(v + 1/2), or to the nearest with ties to even codes."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


@dataclass(frozen=True, slots=True)
class TensorType:
    """An activation tensor: real value = (code - zero_point) * 2**scale_exp, lo <= code <= hi."""

    bits: int
    signed: bool
    scale_exp: int
    zero_point: int
    lo: int
    hi: int

    def __post_init__(self) -> None:
        low, high = self.representable
        if not (1 <= self.bits <= 32 and low <= self.lo < self.hi <= high):
            raise RangeError(
                f"tensor type {self!r}: lo..hi must lie in {low}..{high} and bits in 1..32."
            )
        if not self.lo <= self.zero_point <= self.hi:
            raise RangeError(f"tensor type {self!r}: zero_point must lie in lo..hi, real 0 exists.")

    @property
    def representable(self) -> tuple[int, int]:
        """Smallest and largest integer of this width and sign."""
        if self.signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Geometry of a sliding window; bottom and right padding follow from the output shape."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int

    @property
    def taps(self) -> int:
        """Positions of the window."""
        return self.kernel_h * self.kernel_w


POINT = Window(1, 1, 1, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class InputMap:
    """How raw samples become the codes of the first quantizer, on the host.

    `table` maps every raw integer (index 0 is `raw_lo`) to its code; it is None when the raw data
    are floats, and then code = clip(round(raw / 2**scale_exp) + zero_point, lo, hi).
    """

    raw_dtype: str
    raw_lo: int
    table: tuple[int, ...] | None
    rounding: Rounding = Rounding.HALF_UP
