"""Activation quantizer with a learned, freezable range."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike
from qkeras.quantizers import BaseQuantizer

from models.quantizers import _exact
from models.quantizers._fit import fit_range
from models.quantizers.codes import (
    MAX_SCALE_MULT,
    FeatureMapCodes,
    NotCalibrated,
    NotFrozen,
    QuantizerError,
    code_range,
)

_UNCALIBRATED, _LEARNING, _FROZEN = 0, 1, 2
_WIDEST_FLOAT32_BITS = 24


class quantized_bits_featuremap(BaseQuantizer):  # type: ignore[misc]  # QKeras has no types
    """Quantize a feature map with one scale and zero point per tensor.

    code = clip(floor(x/s + 1/2) + zero_point, lo, hi), value = (code - zero_point) * s.
    A tensor is computed in its own float type. Until `calibrate` it passes values through.

    The step s = 2**ceil(log2_step) (`auto_po2`) or 2**log2_step (`auto`) is trained:
    gradients are straight-through inside the clip and 0 outside for x, and
    s*ln(2)*(code - x/s) inside, s*ln(2)*code outside for log2_step.
    Source: Jain et al. 2020, "Trained quantization thresholds", section 3.

    `freeze` fixes the step as scale_mult * 2**scale_exp. The learned state lives in
    variables, so that it is saved with the weights of the layer that holds the quantizer.

    Args:
        bits: width of a code, 2 to 24.
        integer: accepted as in QKeras and unused: the range is learned.
        symmetric: 1: zero point 0 and codes +-(2**(bits-1) - 1); 0: the zero point is
            calibrated and the full code range is used.
        keep_negative: 0 for data that are never negative: codes 0..2**bits - 1.
        alpha: 'auto_po2' or 'auto'.
        scale_axis: accepted as in the thesis and unused: hardware needs one constant
            per tensor, not one per sample (axis 0).
    """

    def __init__(
        self,
        bits: int = 8,
        integer: int | None = None,
        symmetric: int = 1,
        keep_negative: int = 1,
        alpha: str = "auto_po2",
        scale_axis: int | None = 0,
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not 2 <= bits <= _WIDEST_FLOAT32_BITS:
            raise QuantizerError(
                f"quantized_bits_featuremap: bits={bits!r} lies outside 2..24.\n"
                "  Wider codes are not exact in float32; choose fewer bits."
            )
        if alpha not in ("auto_po2", "auto"):
            raise QuantizerError(
                f"quantized_bits_featuremap: alpha={alpha!r} is not supported.\n"
                "  Choose 'auto_po2' or 'auto'."
            )
        self.bits, self.integer = int(bits), integer
        self.symmetric, self.keep_negative = int(symmetric), int(keep_negative)
        self.alpha, self.scale_axis = alpha, scale_axis
        self.label = name or f"quantized_bits_featuremap({bits})"
        self.lo, self.hi = code_range(self.bits, bool(keep_negative), bool(symmetric))
        self.log2_step = tf.Variable(0.0, name="log2_step", dtype=tf.float32)
        # float32 holds these integers exactly; HDF5 weights of Keras are float arrays.
        # [state, zero_point, scale_mult, scale_exp]
        self.codes = tf.Variable([0.0, 0.0, 1.0, 0.0], name="codes", trainable=False)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.convert_to_tensor(x)
        state, zero_point, mult, exponent = tf.unstack(tf.cast(self.codes, x.dtype))
        log2_step = tf.convert_to_tensor(self.log2_step)
        frozen = tf.equal(state, _FROZEN)
        learned = (
            _exact.exp2i(tf.math.ceil(log2_step), x.dtype)
            if self.alpha == "auto_po2"
            else tf.pow(tf.constant(2, x.dtype), tf.cast(log2_step, x.dtype))
        )
        step = tf.where(frozen, mult * _exact.exp2i(exponent, x.dtype), learned)
        quantized = self._fake_quantize(x, log2_step, step, zero_point)
        return tf.where(tf.equal(state, _UNCALIBRATED), x, quantized)

    def _fake_quantize(
        self, x: tf.Tensor, log2_step: tf.Tensor, step: tf.Tensor, zero_point: tf.Tensor
    ) -> tf.Tensor:
        """Quantize, with the gradients of the class docstring for x and log2_step."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
        def forward(x: tf.Tensor, log2_step: tf.Tensor) -> tuple[tf.Tensor, Any]:
            ratio = x / step
            code = _exact.round_half_up(ratio) + zero_point
            clipped = tf.clip_by_value(code, float(self.lo), float(self.hi))
            inside = tf.equal(code, clipped)
            offset = clipped - zero_point

            def backward(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                slope = tf.where(inside, offset - ratio, offset)
                d_log2 = tf.reduce_sum(dy * slope) * step * tf.cast(np.log(2.0), x.dtype)
                return tf.where(inside, dy, tf.zeros_like(dy)), tf.cast(d_log2, log2_step.dtype)

            return offset * step, backward

        return forward(x, log2_step)

    def calibrate(self, samples: ArrayLike) -> None:
        """Set the range from real inputs of any shape: least squared error.

        Raises:
            QuantizerError: no samples, or samples that are not finite.
        """
        fitted = fit_range(
            np.asarray(samples),
            self.lo,
            self.hi,
            self.alpha == "auto_po2",
            not self.symmetric,
            self.label,
        )
        self.log2_step.assign(fitted.log2_step)
        self.codes.assign([_LEARNING, fitted.zero_point, 1, 0])

    def freeze(self) -> None:
        """Make the scale a constant, scale_mult * 2**scale_exp (scale_mult 1 for auto_po2).

        Raises:
            NotCalibrated: there is no range to freeze.
        """
        state, zero_point, _, _ = self._state()
        if state == _FROZEN:
            return
        if state == _UNCALIBRATED:
            raise NotCalibrated(self._uncalibrated())
        log2_step = float(self.log2_step.numpy())
        if self.alpha == "auto_po2":
            mult, exponent = 1, int(np.ceil(log2_step))
        else:
            exponent = int(np.floor(log2_step)) - 14
            mult = min(int(np.floor(2.0 ** (log2_step - exponent) + 0.5)), MAX_SCALE_MULT - 1)
        self.codes.assign([_FROZEN, zero_point, mult, exponent])

    def export(self) -> FeatureMapCodes:
        """Return the integers that define this quantizer.

        Raises:
            NotCalibrated: the range was never set.
            NotFrozen: alpha is 'auto' and the scale is still a float.
        """
        state, zero_point, mult, exponent = self._state()
        if state == _UNCALIBRATED:
            raise NotCalibrated(self._uncalibrated())
        if state == _LEARNING and self.alpha == "auto":
            raise NotFrozen(
                f"{self.label}: alpha='auto' and the scale is not frozen.\n"
                "  Call freeze() first: it rounds the scale to an integer times a power of two."
            )
        if state == _LEARNING:
            exponent = int(np.ceil(float(self.log2_step.numpy())))
        return FeatureMapCodes(
            self.bits, bool(self.keep_negative), exponent, mult, zero_point, self.lo, self.hi
        )

    @property
    def calibrated(self) -> bool:
        """Whether the range was set from data."""
        return self._state()[0] != _UNCALIBRATED

    def _state(self) -> tuple[int, int, int, int]:
        state, zero_point, mult, exponent = (int(v) for v in self.codes.numpy())
        return state, zero_point, mult, exponent

    def _uncalibrated(self) -> str:
        return (
            f"{self.label}: its range was never calibrated.\n"
            "  Call calibrate(samples) with inputs of this layer (or train the model) first."
        )

    def max(self) -> float:
        """Return the greatest real value (QKeras interface)."""
        state, zero_point, mult, exponent = self._state()
        step = mult * 2.0**exponent if state == _FROZEN else 2.0 ** float(self.log2_step.numpy())
        return (self.hi - zero_point) * step

    def min(self) -> float:
        """Return the least real value (QKeras interface)."""
        state, zero_point, mult, exponent = self._state()
        step = mult * 2.0**exponent if state == _FROZEN else 2.0 ** float(self.log2_step.numpy())
        return (self.lo - zero_point) * step

    # BaseQuantizer hides variables; ours are learned and must reach optimizer and file.
    @property
    def trainable_variables(self) -> tuple[tf.Variable, ...]:
        return (self.log2_step,)

    @property
    def non_trainable_variables(self) -> tuple[tf.Variable, ...]:
        return (self.codes,)

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        return (self.log2_step, self.codes)

    def get_config(self) -> dict[str, Any]:
        return {
            "bits": self.bits,
            "integer": self.integer,
            "symmetric": self.symmetric,
            "keep_negative": self.keep_negative,
            "alpha": self.alpha,
            "scale_axis": self.scale_axis,
            "name": self.label,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "quantized_bits_featuremap":
        return cls(**config)
