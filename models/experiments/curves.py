"""What is measured of a network after each epoch of its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Values = dict[str, NDArray[np.float32]]  # by '<layer>/kernel' or '<layer>/bias'


def effective_weights(model: tf.keras.Model) -> Values:
    """Kernels and biases as the network computes with them: folded, then quantized."""
    found = {}
    for layer in model.layers:
        for role, quantizer, value in _weights(layer):
            quantized = value if quantizer is None else quantizer(tf.convert_to_tensor(value))
            found[f"{layer.name}/{role}"] = np.asarray(quantized, np.float32)
    return found


def zero_ratios(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, float]:
    """Share of the values of each array that are 0."""
    return {name: float(np.mean(values == 0)) for name, values in weights.items()}


def trained_values(model: tf.keras.Model) -> Values:
    """A copy of what the optimizer changes, by the variables' names."""
    return {variable.name.split(":")[0]: variable.numpy() for variable in model.trainable_variables}


def mean_updates(before: Values, after: Values) -> dict[str, float]:
    """Mean absolute change of each array."""
    return {name: float(np.mean(np.abs(after[name] - before[name]))) for name in after}


def _weights(layer: Any) -> Iterator[tuple[str, Any, NDArray[np.float32]]]:
    """Role, quantizer and unquantized values of a layer's kernel and bias."""
    if not hasattr(layer, "kernel"):
        return
    folded = getattr(layer, "get_folded_weights", None)
    kernel, bias = (layer.kernel, layer.bias) if folded is None else folded()
    yield "kernel", layer.kernel_quantizer_internal, np.asarray(kernel)
    yield "bias", layer.bias_quantizer_internal, np.asarray(bias)
