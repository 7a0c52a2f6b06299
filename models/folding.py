"""Float weights of a network, batch normalization folded in, and their way into another network."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Folded = dict[str, NDArray[np.float64]]


def fold_batchnorm(float_model: tf.keras.Model) -> Folded:
    """Fold each BatchNormalization into the layer that it reads, in float64.

    kernel' = kernel * g, bias' = (bias - mean) * g + beta, with g = gamma / sqrt(var + epsilon).
    A layer without a bias gets one.

    Returns:
        '<layer>/kernel' and '<layer>/bias' for every layer with weights; kernels in Keras'
        own shapes ([kh, kw, in, out]; depthwise [kh, kw, channels, 1]; dense [in, out]).
    """
    folded: Folded = {}
    for layer in float_model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            _fold(layer, folded)
        elif layer.get_weights():
            kernel, *bias = (np.asarray(value, np.float64) for value in layer.get_weights())
            folded[f"{layer.name}/kernel"] = kernel
            channels = layer.output_shape[-1]
            folded[f"{layer.name}/bias"] = bias[0] if bias else np.zeros(channels)
    return folded


def _fold(layer: tf.keras.layers.BatchNormalization, folded: Folded) -> None:
    before = layer.input.node.layer
    gain, shift = _batchnorm_affine(layer)
    depthwise = isinstance(before, tf.keras.layers.DepthwiseConv2D)
    folded[f"{before.name}/kernel"] *= gain[:, None] if depthwise else gain
    bias = folded[f"{before.name}/bias"]
    folded[f"{before.name}/bias"] = bias * gain + shift


def _batchnorm_affine(
    layer: tf.keras.layers.BatchNormalization,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gain and shift: BatchNorm(x) = x * gain + shift, per channel."""
    gamma, beta, mean, variance = (np.asarray(v, np.float64) for v in layer.get_weights())
    gain = gamma / np.sqrt(variance + layer.epsilon)
    return gain, beta - mean * gain


def transfer(model: tf.keras.Model, folded: Folded) -> None:
    """Copy folded weights (see `fold_batchnorm`) into the layers of the same names.

    Raises:
        ValueError: a layer has another shape (Keras' own message), or names differ.
    """
    layers = {layer.name: layer for layer in model.layers if hasattr(layer, "bias")}
    given = {key.removesuffix("/kernel") for key in folded if key.endswith("/kernel")}
    if given != set(layers):
        raise ValueError(
            f"weights are of layers {sorted(given)}, model {model.name!r} has {sorted(layers)}."
        )
    for name, layer in layers.items():
        layer.set_weights([folded[f"{name}/kernel"], folded[f"{name}/bias"]])
