"""What Keras computes: every kind of step in float64, every quantizer on exact values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.errors import FlowError
from flow.frontend._activations import OWN, exported
from flow.frontend._geometry import pool_geometry
from flow.frontend._layers import KERNELS
from flow.frontend._steps import Step
from flow.frontend._weights import OWN as OWN_WEIGHTS
from flow.frontend._weights import float_weights, kernel_quantizer
from flow.graph.types import IntArray
from models.quantizers import stock
from models.quantizers.norms import gain_and_shift

Floats = NDArray[np.float64]
Weigh = Callable[[Any, NDArray[np.float32]], Floats]  # a quantizer and float weights -> weights


def quantized_codes(quantizer: Any, values: NDArray[Any]) -> IntArray:
    """Codes that an activation quantizer gives for float32 values, or for exact float64 ones.

    QKeras' own quantizers compute in float32. Rounding to odd keeps every value on its side of
    every threshold, so their result is that of the exact value.
    Source: Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums", theorem 2.
    """
    codes = exported(quantizer)
    if type(quantizer).__name__ == OWN:
        result = quantizer(tf.constant(values))
    else:
        narrow = values if values.dtype == np.float32 else round_to_odd(values)
        result = stock.activation_values(quantizer, narrow)
    return to_codes(np.asarray(result, np.float64), codes.scale, codes.zero_point, quantizer)


def to_codes(values: Floats, scale: float, zero_point: int, made_by: Any) -> IntArray:
    """Codes of real values; a value between two codes would be no code at all."""
    ratio = values / scale
    codes: IntArray = np.rint(ratio).astype(np.int64)
    if (codes != ratio).any():
        kind = type(made_by).__name__  # QKeras' str() of some quantizers fails
        name = getattr(made_by, "label", getattr(made_by, "name", kind))
        raise FlowError(
            f"{name!r} gave values that are no multiples of its step {scale}.\n"
            "  Freeze the model before it is exported."
        )
    codes += zero_point
    return codes


def round_to_odd(values: Floats) -> NDArray[np.float32]:
    """float32 of float64 values; of the two around an inexact one, that with an odd last bit."""
    near = values.astype(np.float32)
    inexact = near.astype(np.float64) != values
    even = near.view(np.int32) & 1 == 0
    towards = np.where(near < values, np.float32(np.inf), np.float32(-np.inf))
    return np.where(inexact & even, np.nextafter(near, towards, dtype=np.float32), near)


def table_codes(step: Step, values: Floats) -> IntArray:
    """Codes of a function step, computed in float32 as Keras does."""
    real = values.astype(np.float32)
    if step.layer is not None:
        real = np.asarray(step.layer(tf.constant(real)), np.float32)
    if step.relu:
        real = np.minimum(np.maximum(real, 0), np.float32(step.ceiling or np.inf))
    return quantized_codes(step.quantizer, real)


def compute(step: Step, inputs: Sequence[Floats], weigh: Weigh | None = None) -> Floats:
    """A step's layer and ReLU in float64 on real inputs [n, h, w, c], padding included.

    Args:
        weigh: what a layer multiplies by; None: the `effective` weights.
    """
    result = np.asarray(_LAYERS[step.role](step.layer, weigh or effective, *inputs), np.float64)
    result = result.reshape((len(inputs[0]), *step.out_shape))
    if step.norm is not None:
        result = _normalize(step.norm, effective, result)
    if step.relu:
        result = np.minimum(np.maximum(result, 0), step.ceiling or np.inf)
    return result


def effective(quantizer: Any, array: NDArray[np.float32]) -> Floats:
    """Weights as the quantizer gives them."""
    if type(quantizer).__name__ in OWN_WEIGHTS:
        return np.asarray(quantizer(tf.constant(array, tf.float64)))
    return np.asarray(stock.weight_values(quantizer, array))


def _matrix(layer: Any, weigh: Weigh, x: Floats) -> Floats:
    kernel, bias = float_weights(layer)
    weights = weigh(kernel_quantizer(layer), kernel)
    kind = type(layer).__name__
    if kind == "QDense":
        flat = x if x.shape[-1] == len(weights) else x.reshape(len(x), -1)
        result = flat @ weights
    elif KERNELS[kind] == "depthwise":
        strides = (1, *layer.strides, 1)
        result = np.asarray(
            tf.nn.depthwise_conv2d(tf.constant(x), weights, strides, layer.padding.upper())
        )
    else:
        result = _convolve(layer, x, weights)
    if bias is None:
        return result
    exact = bias.astype(np.float64)
    quantizer = layer.bias_quantizer_internal
    biased: Floats = result + (exact if quantizer is None else weigh(quantizer, bias))
    return biased


def _convolve(layer: Any, x: Floats, weights: Floats) -> Floats:
    strides, padding = tuple(layer.strides), layer.padding.upper()
    if weights.ndim == 3:
        weights, strides = weights[None], (1, *strides)
    if padding == "CAUSAL":
        x, padding = np.pad(x, ((0, 0), (0, 0), (weights.shape[1] - 1, 0), (0, 0))), "VALID"
    parts = [
        tf.nn.conv2d(tf.constant(channels), kernel, (1, *strides, 1), padding)
        for channels, kernel in zip(
            np.split(x, layer.groups, axis=-1), np.split(weights, layer.groups, axis=-1),
            strict=True,
        )
    ]  # fmt: skip
    return np.concatenate(parts, axis=-1)


def _average(layer: Any, weigh: Weigh, x: Floats) -> Floats:
    """Exact sums, divided once: Keras' own order of roundings could miss a tie."""
    kind = type(layer).__name__
    if "Global" in kind:
        sums, counts = x.sum(axis=(1, 2)), np.array(x.shape[1] * x.shape[2])
    else:
        size, strides = pool_geometry(layer)
        ones = np.ones((*size, x.shape[-1], 1))
        sums, counts = (
            np.asarray(tf.nn.conv2d(_by_channel(v), ones[:, :, :1], (1, *strides, 1),
                                    layer.padding.upper()))
            for v in (x, np.ones_like(x[:1]))
        )  # fmt: skip
        sums, counts = _back(sums, len(x)), _back(counts, 1)
    quantizer = getattr(layer, "average_quantizer_internal", None)
    if quantizer is not None:
        factor = float(weigh(quantizer, np.array(1.0 / counts.flat[0], np.float32)))
        return np.asarray(sums * factor)
    return np.asarray(sums / counts)


def _by_channel(x: Floats) -> tf.Tensor:
    """[n, h, w, c] as [n * c, h, w, 1]: strides of a depthwise convolution must be equal."""
    n, height, width, channels = x.shape
    return tf.constant(x.transpose(0, 3, 1, 2).reshape(n * channels, height, width, 1))


def _back(x: Floats, n: int) -> Floats:
    _, height, width, _ = x.shape
    return x.reshape(n, -1, height, width).transpose(0, 2, 3, 1)


def _keras(layer: Any, weigh: Weigh, *inputs: Floats) -> Floats:
    """Keras' own layer in float64."""
    twin = type(layer).from_config({**layer.get_config(), "dtype": "float64"})
    shapes = [layer.input_shape] if len(inputs) == 1 else layer.input_shape
    tensors = [
        tf.constant(x.reshape(len(x), *shape[1:])) for x, shape in zip(inputs, shapes, strict=True)
    ]
    return np.asarray(twin(tensors[0] if len(tensors) == 1 else tensors))


def _normalize(layer: Any, weigh: Weigh, x: Floats) -> Floats:
    gain, shift = gain_and_shift(layer)
    return x * gain + shift


def _same(layer: Any, weigh: Weigh, x: Floats) -> Floats:
    return x


_LAYERS: dict[str, Callable[..., Floats]] = {
    "matrix": _matrix,
    "average": _average,
    "largest": _keras,
    "merge": _keras,
    "concat": _keras,
    "upsample": _keras,
    "shuffle": _keras,
    "rescale": _same,
    "norm": _normalize,
}
