"""The keyword-spotting network of this repository, rebuilt from stock QKeras quantizers.

Architecture, bit-widths and trained weights are those of kws-mpq; every quantizer is the stock one
of the same width and range. What stock quantizers cannot keep (a step per channel in depthwise
layers and with alpha=1, rounding half up) costs accuracy, which is why each row of the comparison
states its own model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation
from qkeras.quantizers import quantized_bits

from flow.peers.small import name_of
from models import kws, weights
from models.bits import NetworkBits, network_bits
from models.layers import Layers, Tensor
from models.quantizers import stock
from models.raw import RAW_INPUTS

Floats = Mapping[str, list[NDArray[np.float32]]]

# MFCCs reach -124; divided by 4 they fit hls4ml's default input type, fixed<16,6>, whose grid is
# then the first quantizer's own. The first layer's weights are multiplied by 4 in return.
INPUT_SHIFT = 2
INPUT_BITS, INPUT_INTEGER = 16, 5


def build(alpha: Any) -> tf.keras.Model:
    """The DS-CNN with the trained weights of kws-mpq and stock quantizers, kernels with `alpha`."""
    trained, bits = weights.load("kws"), network_bits("kws")
    values = _floats(trained, bits)
    inputs, outputs = kws.network(_StockLayers(bits, alpha, values, _integers(trained, bits)))
    model = tf.keras.Model(inputs, outputs, name=f"kws_{name_of(alpha)}")
    for name, arrays in values.items():
        model.get_layer(name).set_weights(arrays)
    return model


def inputs_of(raw: NDArray[np.generic]) -> NDArray[np.float64]:
    """Float inputs [n, 49, 10, 1] of raw samples, rounded to the grid of the first quantizer."""
    real = RAW_INPUTS["kws"].to_real(raw).astype(np.float64)
    step = 2.0 ** (INPUT_INTEGER + 1 - INPUT_BITS)
    top = 2 ** (INPUT_BITS - 1)
    return np.asarray(np.clip(np.rint(np.ldexp(real, -INPUT_SHIFT) / step), -top, top - 1) * step)


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


def _floats(trained: tf.keras.Model, bits: NetworkBits) -> Floats:
    values = {name: trained.get_layer(name).get_weights() for name in bits.matrices}
    first = next(iter(values))
    kernel, bias = values[first]
    return values | {first: [np.ldexp(kernel, INPUT_SHIFT), bias]}


def _integers(trained: tf.keras.Model, bits: NetworkBits) -> dict[str, int]:
    """`integer` of the stock quantizers with the ranges that the trained ones have."""
    found = {
        name: trained.get_layer(name).quantizer.export().scale_exp + spec.bits - spec.signed
        for name, spec in bits.activations.items()
    }
    return found | {next(iter(found)): INPUT_INTEGER}
