"""Power-of-two quantizer for kernels and biases, without an epsilon."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray
from qkeras.quantizers import BaseQuantizer

from models.quantizers import _exact
from models.quantizers.codes import QuantizerError, ceil_log2_ratio

_RULES = ("least_squares", "ceil")
# A finer step must win clearly: two orders of summation then never disagree on a tie.
_CLEAR_WIN = 1.0 - 2.0**-20
_FLOAT32_SIGNIFICANT_BITS = 24
_EXPONENT_LIMIT = 100  # keeps codes * 2**exponent inside float32's normal range


class quantized_bits_po2(BaseQuantizer):  # type: ignore[misc]  # QKeras has no types
    """Quantize weights to symmetric codes with power-of-two steps.

    code = clip(round_half_away(w / 2**e), -levels, levels), value = code * 2**e, where levels is
    2**(bits-1) - 1, beyond 25 bits rounded down to the 24 significant bits of float32.
    e is the least exponent that covers the largest weight ('ceil'), or the one of it and the
    two below with the least squared error ('least_squares', a clear win needed to go lower).
    Stock `auto_po2` adds 1e-7 inside its logarithm, which turns 31-bit biases into 0;
    here exponents are compared exactly, for any width up to 31.

    The value is exact in float32 for float32 weights: a code equals w / 2**e, or is a rounding
    of it to fewer than 24 bits, or is +-levels. The gradient is straight-through.

    Args:
        bits: width of a code, 2 to 31.
        scale_axis: the axis that keeps its own exponents (-1: output channels of QConv2D and
            QDense; 2: channels of QDepthwiseConv2D), 'element' for one per element, None for
            one per tensor.
        rule: 'least_squares' or 'ceil'; 'element' always covers, so both agree there.
        exponents: frozen exponents (flat, C order), set by `freeze`; None: chosen from w.
    """

    def __init__(
        self,
        bits: int = 8,
        scale_axis: int | str | None = -1,
        rule: str = "least_squares",
        exponents: list[int] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not 2 <= bits <= 31:
            raise QuantizerError(
                f"quantized_bits_po2: bits={bits!r} lies outside 2..31.\n  Choose a width in it."
            )
        if rule not in _RULES or (isinstance(scale_axis, str) and scale_axis != "element"):
            raise QuantizerError(
                f"quantized_bits_po2: rule={rule!r}, scale_axis={scale_axis!r} is not supported.\n"
                f"  Choose a rule of {_RULES} and an axis number, 'element' or None."
            )
        self.bits, self.scale_axis, self.rule = int(bits), scale_axis, rule
        self.label = name or f"quantized_bits_po2({bits})"
        self.exponents = None if exponents is None else tuple(int(e) for e in exponents)
        self.levels = _greatest_code(self.bits)
        # Read by QKeras layers and converters; a string alpha keeps the stock initializers.
        self.alpha, self.symmetric, self.keep_negative = "auto_po2", 1, 1

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        w = tf.convert_to_tensor(w)
        wide = tf.stop_gradient(tf.cast(w, tf.float64))
        exponent = self._exponents_tf(wide)
        step = _exact.exp2i(exponent, tf.float64)
        value = tf.cast(self._codes_tf(wide, step) * step, w.dtype)

        return _exact.straight_through(w, value)

    def _codes_tf(self, wide: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        ratio = wide / step
        rounded = tf.sign(ratio) * _exact.round_half_up(tf.abs(ratio))
        return tf.clip_by_value(rounded, -float(self.levels), float(self.levels))

    def _exponents_tf(self, wide: tf.Tensor) -> tf.Tensor:
        if self.exponents is not None:
            shape = _exponent_shape(tuple(wide.shape), self.scale_axis)
            return tf.reshape(tf.constant(self.exponents, tf.int64), shape)
        axes = _reduced_axes(len(wide.shape), self.scale_axis)
        top = tf.reduce_max(tf.abs(wide), axis=axes, keepdims=True) if axes else tf.abs(wide)
        mantissa, exponent = _exact.frexp(tf.where(top > 0, top, tf.ones_like(top)))
        level_mantissa, level_exponent = np.frexp(np.float64(self.levels))
        covering = exponent - int(level_exponent) + tf.cast(mantissa > level_mantissa, tf.int64)
        covering = tf.where(top > 0, covering, tf.zeros_like(covering))
        best = tf.clip_by_value(covering, -_EXPONENT_LIMIT, _EXPONENT_LIMIT)
        if self.rule == "ceil" or not axes:
            return best
        error = self._error_tf(wide, best, axes)
        for back in (1, 2):
            finer = tf.maximum(covering - back, -_EXPONENT_LIMIT)
            finer_error = self._error_tf(wide, finer, axes)
            wins = finer_error < error * _CLEAR_WIN
            best, error = tf.where(wins, finer, best), tf.where(wins, finer_error, error)
        return best

    def _error_tf(self, wide: tf.Tensor, exponent: tf.Tensor, axes: tuple[int, ...]) -> tf.Tensor:
        step = _exact.exp2i(exponent, tf.float64)
        difference = self._codes_tf(wide, step) * step - wide
        return tf.reduce_sum(tf.square(difference), axis=axes, keepdims=True)

    def export(self, array: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the codes (shape of `array`) and exponents (broadcastable to it) of weights.

        codes * 2.0**exponents equals the quantizer's output exactly.
        """
        wide = np.asarray(array).astype(np.float64)
        exponents = self._exponents(wide)
        return self._codes(wide, exponents).astype(np.int64), exponents

    def freeze(self, array: ArrayLike) -> None:
        """Keep the exponents that `array` has now, whatever the weights become."""
        _, exponents = self.export(array)
        self.exponents = tuple(int(e) for e in exponents.ravel())

    def _codes(
        self, wide: NDArray[np.float64], exponents: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        ratio = np.ldexp(wide, -exponents)
        whole = np.floor(np.abs(ratio))
        rounded = np.sign(ratio) * (whole + (np.abs(ratio) - whole >= 0.5))
        codes: NDArray[np.float64] = np.clip(rounded, -self.levels, self.levels)
        return codes

    def _exponents(self, wide: NDArray[np.float64]) -> NDArray[np.int64]:
        if self.exponents is not None:
            shape = _exponent_shape(wide.shape, self.scale_axis)
            if len(self.exponents) != int(np.prod(shape)):
                raise QuantizerError(
                    f"{self.label}: {len(self.exponents)} frozen exponents do not fit weights of "
                    f"shape {wide.shape} with scale_axis={self.scale_axis!r}.\n"
                    "  Freeze the quantizer on the weights of its own layer."
                )
            return np.array(self.exponents, np.int64).reshape(shape)
        axes = _reduced_axes(wide.ndim, self.scale_axis)
        top = np.abs(wide).max(axis=axes, keepdims=True) if axes else np.abs(wide)
        covering = ceil_log2_ratio(top, self.levels)
        best = np.clip(covering, -_EXPONENT_LIMIT, _EXPONENT_LIMIT)
        if self.rule == "ceil" or not axes:
            return best
        error = self._error(wide, best, axes)
        for back in (1, 2):
            finer = np.maximum(covering - back, -_EXPONENT_LIMIT)
            finer_error = self._error(wide, finer, axes)
            wins = finer_error < error * _CLEAR_WIN
            best, error = np.where(wins, finer, best), np.where(wins, finer_error, error)
        return best

    def _error(
        self, wide: NDArray[np.float64], exponents: NDArray[np.int64], axes: tuple[int, ...]
    ) -> NDArray[np.float64]:
        value = np.ldexp(self._codes(wide, exponents), exponents)
        result: NDArray[np.float64] = np.square(value - wide).sum(axis=axes, keepdims=True)
        return result

    def max(self) -> float:
        """Return a bound for QKeras' weight constraint, which must not clip po2 weights."""
        return 2.0**_EXPONENT_LIMIT

    def min(self) -> float:
        """Return the negative of `max`."""
        return -self.max()

    def get_config(self) -> dict[str, Any]:
        return {
            "bits": self.bits,
            "scale_axis": self.scale_axis,
            "rule": self.rule,
            "exponents": None if self.exponents is None else list(self.exponents),
            "name": self.label,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "quantized_bits_po2":
        return cls(**config)


def _greatest_code(bits: int) -> int:
    spare = max(0, bits - 1 - _FLOAT32_SIGNIFICANT_BITS)
    return int(2 ** (bits - 1) - 1) >> spare << spare


def _reduced_axes(rank: int, scale_axis: int | str | None) -> tuple[int, ...]:
    """Return the axes that share an exponent; () means one exponent per element."""
    if scale_axis == "element":
        return ()
    kept = None if scale_axis is None else int(scale_axis) % rank
    return tuple(axis for axis in range(rank) if axis != kept)


def _exponent_shape(shape: tuple[int, ...], scale_axis: int | str | None) -> tuple[int, ...]:
    axes = _reduced_axes(len(shape), scale_axis)
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
