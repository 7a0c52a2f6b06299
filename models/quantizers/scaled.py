"""Weights whose scales are an integer times a power of two: what `alpha='auto'` becomes."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray
from qkeras.quantizers import BaseQuantizer

from models.quantizers import _exact
from models.quantizers.codes import MAX_SCALE_MULT, QuantizerError, WeightCodes


class quantized_bits_scaled(BaseQuantizer):  # type: ignore[misc]  # QKeras has no types
    """Quantize weights to code * mult * 2**exponent, with fixed scales.

    code = clip(round_half_away(w / scale), -levels, levels), levels = 2**(bits-1) - 1. The value
    is exact in float64; float32 rounds products of more than 24 bits.

    Args:
        bits: width of a code, 2 to 31.
        mults, exponents: of every scale, flat in C order; 0 < mult < 2**15.
        scale_shape: shape of the scales, broadcastable to the weights'.
    """

    def __init__(
        self,
        bits: int,
        mults: list[int],
        exponents: list[int],
        scale_shape: list[int],
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not (2 <= bits <= 31 and all(0 < mult < MAX_SCALE_MULT for mult in mults)):
            raise QuantizerError(
                f"quantized_bits_scaled: bits={bits!r}, mults {min(mults)}..{max(mults)} lie "
                f"outside 2..31 and 1..{MAX_SCALE_MULT - 1}.\n  Make it with freeze_auto(model)."
            )
        self.bits = int(bits)
        self.mults = np.array(mults, np.int64).reshape(scale_shape)
        self.exponents = np.array(exponents, np.int64).reshape(scale_shape)
        self.levels = 2 ** (self.bits - 1) - 1
        self.label = name or f"quantized_bits_scaled({bits})"
        # Read by QKeras layers and converters; a string alpha keeps the stock initializers.
        self.alpha, self.symmetric, self.keep_negative = "auto", 1, 1

    @property
    def scale(self) -> NDArray[np.float64]:
        """Real steps, exact in float64."""
        return np.ldexp(self.mults.astype(np.float64), self.exponents)

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        w = tf.convert_to_tensor(w)
        ratio = tf.stop_gradient(tf.cast(w, tf.float64)) / self.scale
        rounded = tf.sign(ratio) * _exact.round_half_up(tf.abs(ratio))
        codes = tf.clip_by_value(rounded, -float(self.levels), float(self.levels))
        value = tf.cast(codes * self.scale, w.dtype)
        return _exact.straight_through(w, value)

    def export(self, array: ArrayLike) -> WeightCodes:
        """Return the codes and scales of weights."""
        wide = np.asarray(array, np.float64)
        ratio = wide / self.scale
        whole = np.floor(np.abs(ratio))
        rounded = np.sign(ratio) * (whole + (np.abs(ratio) - whole >= 0.5))
        codes = np.clip(rounded, -self.levels, self.levels).astype(np.int64)
        mults, exponents = (np.broadcast_to(a, wide.shape) for a in (self.mults, self.exponents))
        return WeightCodes(codes, mults, exponents, self.bits)

    def max(self) -> float:
        """Return a bound for QKeras' weight constraint, which must not clip."""
        return float(np.max(self.scale) * self.levels)

    def min(self) -> float:
        """Return the negative of `max`."""
        return -self.max()

    def get_config(self) -> dict[str, Any]:
        return {
            "bits": self.bits,
            "mults": self.mults.ravel().tolist(),
            "exponents": self.exponents.ravel().tolist(),
            "scale_shape": list(self.mults.shape),
            "name": self.label,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "quantized_bits_scaled":
        return cls(**config)


def rounded_scale(
    steps: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return mult and exponent of the nearest mult * 2**exponent with odd mult < 2**15."""
    mantissa, exponent = np.frexp(steps)
    mults = np.rint(np.ldexp(mantissa, 15)).astype(np.int64)
    exponents = exponent.astype(np.int64) - 15
    power_of_two = (mults & -mults).astype(np.float64)  # the largest that divides it
    trailing = np.log2(power_of_two).astype(np.int64)
    return mults >> trailing, exponents + trailing
