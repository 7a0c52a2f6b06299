"""Small QKeras models, calibrated on random data and frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D

from models import ranges
from models.quantizers import quantized_bits_featuremap, quantized_bits_po2

CALIBRATION_SAMPLES = 24


def activation(
    bits: int, *, signed: bool = True, symmetric: int = 1, alpha: str = "auto_po2", name: str = ""
) -> QActivation:
    """A quantizer layer; `signed` is its own choice, whatever layer is before it."""
    quantizer = quantized_bits_featuremap(
        bits, symmetric=symmetric, keep_negative=int(signed), alpha=alpha
    )
    return QActivation(quantizer, name=name or None)


def conv(filters: int, kernel: Any, *, bits: int = 4, bias_bits: int = 31, **more: Any) -> QConv2D:
    """A convolution with per-channel weight steps and per-element bias steps."""
    return QConv2D(filters, kernel, **_quantizers("kernel", bits, bias_bits, -1), **more)


def depthwise(kernel: Any, *, bits: int = 4, bias_bits: int = 31, **more: Any) -> QDepthwiseConv2D:
    """A depthwise convolution with one weight step per channel."""
    return QDepthwiseConv2D(kernel, **_quantizers("depthwise", bits, bias_bits, 2), **more)


def dense(units: int, *, bits: int = 4, bias_bits: int = 31, **more: Any) -> QDense:
    """A dense layer."""
    return QDense(units, **_quantizers("kernel", bits, bias_bits, -1), **more)


def _quantizers(prefix: str, bits: int, bias_bits: int, axis: int) -> dict[str, Any]:
    return {
        f"{prefix}_quantizer": quantized_bits_po2(bits, axis),
        "bias_quantizer": quantized_bits_po2(bias_bits, "element"),
    }


def chain(shape: tuple[int, ...], layers: list[Any], name: str = "small") -> tf.keras.Model:
    """A functional model of the layers, neither calibrated nor frozen."""
    inputs = tf.keras.Input(shape, name="raw")
    value = inputs
    for layer in layers:
        value = layer(value)
    return tf.keras.Model(inputs, value, name=name)


def frozen(shape: tuple[int, ...], layers: list[Any], seed: int = 0) -> tf.keras.Model:
    """A functional model with random weights and biases, calibrated and frozen."""
    model = chain(shape, layers)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, (QConv2D, QDepthwiseConv2D, QDense)):
            layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    ranges.calibrate(model, samples(model, CALIBRATION_SAMPLES, seed))
    ranges.freeze(model)
    return model


def samples(model: tf.keras.Model, count: int, seed: int = 1) -> np.ndarray:
    """Float inputs, more of them positive, so that asymmetric zero points are not centred."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 3.0, (count, *model.input_shape[1:])).astype(np.float32)
