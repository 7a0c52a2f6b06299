"""Keyword spotting: the MLPerf-Tiny DS-CNN with quantizers around every layer."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D

from models import labels
from models.bits import NetworkBits
from models.quantizers import quantized_bits_featuremap, quantized_bits_po2

INPUT_SHAPE = (49, 10, 1)  # frames, MFCC, channel; real values (code - zero_point) * scale
LABELS = labels.LABELS["kws"]
BLOCKS = 4
FILTERS = 64
WEIGHT_LAYERS = (
    "conv2d",
    *(f"{kind}_{block}".removesuffix("_0")
      for pair in range(BLOCKS)
      for kind, block in (("depthwise_conv2d", pair), ("conv2d", pair + 1))),
    "dense",
)  # fmt: skip


def build(bits: NetworkBits) -> tf.keras.Model:
    """Build the quantized DS-CNN; its output is the last quantizer's (logits, no softmax).

    Order: quantizer, layer, ReLU, quantizer, ...; average pool, quantizer, flatten, dense,
    quantizer. BatchNorm is folded: every layer has a bias. Kernel steps are per output
    channel (depthwise: per channel), bias steps per element.
    """
    inputs = tf.keras.Input(INPUT_SHAPE, name="input_1")
    x = _activation(bits, 0)(inputs)
    x = _conv(bits, "conv2d", (10, 4), (2, 2))(x)
    x = _activation(bits, 1)(tf.keras.layers.ReLU(name="re_lu")(x))
    for block in range(BLOCKS):
        depthwise = "depthwise_conv2d" + (f"_{block}" if block else "")
        x = _depthwise(bits, depthwise)(x)
        x = tf.keras.layers.ReLU(name=f"re_lu_{2 * block + 1}")(x)
        x = _activation(bits, 2 * block + 2)(x)
        x = _conv(bits, f"conv2d_{block + 1}", (1, 1), (1, 1))(x)
        x = tf.keras.layers.ReLU(name=f"re_lu_{2 * block + 2}")(x)
        x = _activation(bits, 2 * block + 3)(x)
    x = tf.keras.layers.AveragePooling2D((25, 5), name="average_pooling2d")(x)
    x = _activation(bits, 10)(x)
    x = tf.keras.layers.Flatten(name="flatten")(x)
    x = QDense(len(LABELS), name="dense", **_quantizers(bits, "dense", "kernel", -1))(x)
    return tf.keras.Model(inputs, _activation(bits, 11)(x), name="kws")


def _activation(bits: NetworkBits, index: int) -> QActivation:
    name = "activation" + (f"_{index}" if index else "")
    spec = bits.activations[name]
    quantizer = quantized_bits_featuremap(
        spec.bits, alpha="auto_po2", keep_negative=int(spec.signed), name=name
    )
    return QActivation(quantizer, name=name)


def _conv(
    bits: NetworkBits, name: str, kernel: tuple[int, int], strides: tuple[int, int]
) -> QConv2D:
    return QConv2D(
        FILTERS, kernel, strides, padding="same", name=name, **_quantizers(bits, name, "kernel", -1)
    )


def _depthwise(bits: NetworkBits, name: str) -> QDepthwiseConv2D:
    return QDepthwiseConv2D(
        (3, 3), padding="same", name=name, **_quantizers(bits, name, "depthwise", 2)
    )


def _quantizers(bits: NetworkBits, name: str, kernel: str, axis: int) -> dict[str, Any]:
    """Return the two quantizer arguments of a layer; `kernel` is QKeras' argument prefix."""
    spec = bits.matrices[name]
    return {
        f"{kernel}_quantizer": quantized_bits_po2(spec.weight_bits, axis, name=f"{name}.kernel"),
        "bias_quantizer": quantized_bits_po2(spec.bias_bits, "element", name=f"{name}.bias"),
    }


def fold_batchnorm(float_model: tf.keras.Model) -> dict[str, NDArray[np.float64]]:
    """Fold each BatchNormalization into the layer before it, in float64.

    kernel' = kernel * g, bias' = (bias - mean) * g + beta, with g = gamma / sqrt(var + epsilon).

    Returns:
        '<layer>/kernel' and '<layer>/bias' for every layer with weights; kernels in Keras'
        own shapes ([kh, kw, in, out]; depthwise [kh, kw, channels, 1]; dense [in, out]).
    """
    folded: dict[str, NDArray[np.float64]] = {}
    previous = ""
    for layer in float_model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            gain, shift = _batchnorm_affine(layer)
            kernel = folded[f"{previous}/kernel"]
            depthwise = kernel.ndim == 4 and kernel.shape[-1] == 1 and gain.size > 1
            folded[f"{previous}/kernel"] = kernel * (gain[:, None] if depthwise else gain)
            folded[f"{previous}/bias"] = folded[f"{previous}/bias"] * gain + shift
        elif layer.get_weights():
            previous = layer.name
            kernel, bias = (np.asarray(value, np.float64) for value in layer.get_weights())
            folded[f"{previous}/kernel"], folded[f"{previous}/bias"] = kernel, bias
    return folded


def _batchnorm_affine(
    layer: tf.keras.layers.BatchNormalization,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gain and shift: BatchNorm(x) = x * gain + shift, per channel."""
    gamma, beta, mean, variance = (np.asarray(v, np.float64) for v in layer.get_weights())
    gain = gamma / np.sqrt(variance + layer.epsilon)
    return gain, beta - mean * gain


def transfer(model: tf.keras.Model, folded: dict[str, NDArray[np.float64]]) -> None:
    """Copy folded float weights (see `fold_batchnorm`) into a model of `build`.

    Raises:
        ValueError: a layer is missing or has another shape (Keras' own message).
    """
    for name in WEIGHT_LAYERS:
        layer = model.get_layer(name)
        layer.set_weights([folded[f"{name}/kernel"], folded[f"{name}/bias"]])
