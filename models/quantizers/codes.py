"""What a quantizer exports: integers only, NumPy only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.errors import FlowError

MAX_SCALE_MULT = 2**15


class QuantizerError(FlowError, ValueError):
    """A quantizer that cannot do what was asked; the message names it and the remedy."""


class NotCalibrated(QuantizerError):
    """The range of an activation quantizer was never set from data."""


class NotFrozen(QuantizerError):
    """A quantizer with a non-po2 scale was exported while its scale may still change."""


@dataclass(frozen=True, slots=True)
class FeatureMapCodes:
    """Integer description of an activation quantizer: real = (q - zero_point) * scale.

    scale = scale_mult * 2**scale_exp; scale_mult is 1 for a power-of-two scale.
    """

    bits: int
    signed: bool
    scale_exp: int
    scale_mult: int  # 0 < scale_mult < 2**15
    zero_point: int  # within lo..hi
    lo: int  # least code
    hi: int  # greatest code
    rounding: str = "half_up"  # floor(x / scale + 1/2); or "half_even": ties to even codes

    def __post_init__(self) -> None:
        if not 0 < self.scale_mult < MAX_SCALE_MULT:
            raise QuantizerError(
                f"scale_mult={self.scale_mult} lies outside 1..{MAX_SCALE_MULT - 1}.\n"
                "  Freeze the quantizer again: it chooses the multiplier."
            )
        if not self.lo <= self.zero_point <= self.hi:
            raise QuantizerError(
                f"zero_point={self.zero_point} lies outside the codes {self.lo}..{self.hi}.\n"
                "  Calibrate with data whose range is extended to contain 0."
            )

    @property
    def scale(self) -> float:
        """Real step between two codes (exact in float64)."""
        return float(np.ldexp(float(self.scale_mult), self.scale_exp))

    def quantize(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the codes of real values: clip(round(x/scale) + zero_point, lo, hi)."""
        ratio = np.asarray(x, np.float64) / self.scale
        whole = np.floor(ratio)
        up = whole + (ratio - whole >= 0.5)
        rounded = up if self.rounding == "half_up" else np.rint(ratio)
        codes: NDArray[np.int64] = np.clip(rounded + self.zero_point, self.lo, self.hi).astype(
            np.int64
        )
        return codes

    def dequantize(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the real values of codes (exact in float64)."""
        return (np.asarray(codes, np.int64) - self.zero_point) * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class WeightCodes:
    """Integers of a weight tensor: real = codes * mults * 2**exponents, all three of its shape."""

    codes: NDArray[np.int64]
    mults: NDArray[np.int64]  # 0 < mults < 2**15; 1 for a power-of-two scale
    exponents: NDArray[np.int64]
    bits: int  # signed width of a code


def code_range(bits: int, keep_negative: bool, symmetric: bool) -> tuple[int, int]:
    """Return the least and greatest code of a `bits`-wide quantizer."""
    if not keep_negative:
        return 0, 2**bits - 1
    top = 2 ** (bits - 1) - 1
    return (-top if symmetric else -top - 1), top


def ceil_log2_ratio(value: NDArray[np.float64] | np.float64, levels: int) -> NDArray[np.int64]:
    """Return the least e with levels * 2**e >= value, exactly; 0 where value is 0.

    Compares mantissas instead of taking a logarithm, so no rounding and no epsilon
    can move the result (stock `auto_po2` adds 1e-7 and loses narrow scales).
    """
    mantissa, exponent = np.frexp(np.asarray(value, np.float64))
    level_mantissa, level_exponent = np.frexp(np.float64(levels))
    result = exponent.astype(np.int64) - int(level_exponent) + (mantissa > level_mantissa)
    return np.where(np.asarray(value) == 0, 0, result).astype(np.int64)
