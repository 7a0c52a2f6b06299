"""A network of this repository, rebuilt from stock QKeras quantizers.

Architecture, bit-widths and weights are those of the network; every quantizer is the stock one of
the same width and range. What stock quantizers cannot keep (a step per channel in depthwise layers
and with alpha=1, rounding half up) costs accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation
from qkeras.quantizers import quantized_bits

from models.bits import NetworkBits, network_bits
from models.layers import Layers, Tensor
from models.networks import NETWORKS
from models.quantizers import stock

Floats = Mapping[str, list[NDArray[np.float32]]]


def twin(
    network: str,
    trained: tf.keras.Model,
    alpha: Any,
    *,
    name: str = "",
    values: Floats | None = None,
    integers: Mapping[str, int] | None = None,
) -> tf.keras.Model:
    """The network with stock quantizers, kernels with `alpha`, biases and activations with 1.

    Args:
        trained: its calibrated model, from which weights and ranges are taken.
        name: of the new model; default: the network's.
        values: kernels and biases that replace the trained ones, by layer.
        integers: `integer` of activation quantizers that are to have other ranges, by layer.

    Raises:
        ConfigError: there is no network of that name.
    """
    bits = network_bits(network)
    all_values = {layer: trained.get_layer(layer).get_weights() for layer in bits.matrices}
    all_values |= values or {}
    make = _StockLayers(bits, alpha, all_values, {**_integers(trained, bits), **(integers or {})})
    inputs, outputs = NETWORKS[network].network(make)
    model = tf.keras.Model(inputs, outputs, name=name or network)
    for layer, arrays in all_values.items():
        model.get_layer(layer).set_weights(arrays)
    return model


class _StockLayers(Layers):
    """Makes the layers of the network with stock quantizers; a ReLU is part of `quantized_relu`."""

    def __init__(
        self, bits: NetworkBits, alpha: Any, values: Floats, integers: Mapping[str, int]
    ) -> None:
        super().__init__(bits)
        self._alpha = alpha
        self._values = values
        self._integers = integers

    def quantizer(self, x: Tensor) -> Tensor:
        assert self.bits is not None
        name = self._name("activation")
        spec, integer = self.bits.activations[name], self._integers[name]
        quantizer = (
            quantized_bits(spec.bits, integer, alpha=1)
            if spec.signed
            else f"quantized_relu({spec.bits},{integer})"
        )
        return QActivation(quantizer, name=name)(x)

    def relu(self, x: Tensor, ceiling: float | None = None) -> Tensor:
        return x

    def _weighted(
        self, name: str, plain: Any, quantized: Any, kernel: str, axis: int
    ) -> tuple[Any, dict[str, Any]]:
        assert self.bits is not None
        spec = self.bits.matrices[name]
        kernel_values, bias_values = self._values[name]
        return quantized, {
            f"{kernel}_quantizer": _weight_quantizer(spec.weight_bits, kernel_values, self._alpha),
            "bias_quantizer": _weight_quantizer(spec.bias_bits, bias_values, 1),
        }


def _weight_quantizer(bits: int, values: NDArray[np.float32], alpha: Any) -> quantized_bits:
    """A weight quantizer; alpha=1 has one range for all channels: that with the least error."""
    if isinstance(alpha, str):
        return quantized_bits(bits, 0, alpha=alpha)
    top = max(int(np.ceil(np.log2(np.abs(values).max()))), 0)  # QKeras has none below 0
    candidates = [quantized_bits(bits, integer, alpha=1) for integer in range(top + 1)]
    errors = [np.square(stock.weight_values(one, values) - values).sum() for one in candidates]
    return candidates[int(np.argmin(errors))]


def _integers(trained: tf.keras.Model, bits: NetworkBits) -> dict[str, int]:
    """`integer` of the stock quantizers with the ranges that the trained ones have."""
    return {
        name: trained.get_layer(name).quantizer.export().scale_exp + spec.bits - spec.signed
        for name, spec in bits.activations.items()
    }
