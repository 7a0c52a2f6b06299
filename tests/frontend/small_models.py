"""Small QKeras models, calibrated on random data and frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D

from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.graph import IntGraph, map_input, run_taps
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


# Keras converts the Python of every layer's call, which takes most of the time of a small model.
quick = tf.autograph.experimental.do_not_convert


@quick
def chain(shape: tuple[int, ...], layers: list[Any], name: str = "small") -> tf.keras.Model:
    """A functional model of the layers, neither calibrated nor frozen."""
    inputs = tf.keras.Input(shape, name="raw")
    value = inputs
    for layer in layers:
        value = layer(value)
    return tf.keras.Model(inputs, value, name=name)


@quick
def branched(shape: tuple[int, ...], build: Callable[[Any], Any]) -> tf.keras.Model:
    """A functional model of what `build` makes of its input, neither calibrated nor frozen."""
    inputs = tf.keras.Input(shape, name="raw")
    return tf.keras.Model(inputs, build(inputs), name="small")


def frozen(shape: tuple[int, ...], layers: list[Any], seed: int = 0) -> tf.keras.Model:
    """A functional model with random weights and biases, calibrated and frozen."""
    return with_weights(chain(shape, layers), seed)


@quick
def with_weights(model: tf.keras.Model, seed: int = 0, scale: float = 1.0) -> tf.keras.Model:
    """The model with random weights, statistics and biases, calibrated and frozen."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        values = [_random_weight(rng, weight, scale) for weight in layer.weights]
        if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel"):
            layer.set_weights(values)
    ranges.calibrate(model, samples(model, CALIBRATION_SAMPLES, seed))
    ranges.freeze(model)
    return model


def _random_weight(rng: np.random.Generator, weight: tf.Variable, scale: float) -> np.ndarray:
    if "variance" in weight.name or "gamma" in weight.name:
        return rng.uniform(0.5, 2.0, weight.shape)
    if "iteration" in weight.name:
        return np.array(-1)
    return rng.normal(size=weight.shape) * scale


def checked(model: tf.keras.Model, frames: int = 40) -> IntGraph:
    """The model's IntGraph, after every code of every layer was found equal."""
    graph = from_keras(model)
    real = samples(model, frames).reshape(-1, *graph.input_shape)
    taps = run_taps(graph, map_input(graph, real))
    compared = check_equality(model, graph, taps, real)
    assert [(c.name, c.compared) for c in compared[1:]] == [
        (node.name, frames * int(np.prod(node.out_shape))) for node in graph.nodes
    ]
    return graph


def samples(model: tf.keras.Model, count: int, seed: int = 1) -> np.ndarray:
    """Float inputs, more of them positive, so that asymmetric zero points are not centred."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 3.0, (count, *model.input_shape[1:])).astype(np.float32)
