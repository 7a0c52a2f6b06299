"""Layers of the benchmark networks: quantized with batch normalization folded in, or in float.

A network's file draws its shape once, with the methods of `Layers`. What they make depends on how
the object was made:

    Layers(bits)              quantizers around every layer, batch normalization folded into biases
    Layers()                  float, with batch normalization: what is trained first
    Layers(folded=True)       float, without it: what the quantized network approximates
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import tensorflow as tf
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D

from models.bits import NetworkBits
from models.quantizers import quantized_bits_featuremap, quantized_bits_po2

Tensor = Any  # Keras has no types


class Layers:
    """Makes the layers of one network; names are Keras' own, numbered from 0 in each network.

    Quantizers stand where a network calls `quantizer`; their widths, and those of weights, are
    found under the layer's name. Kernel steps are per output channel (depthwise: per channel), bias
    steps per element. Paddings are TensorFlow's 'same'.
    """

    def __init__(self, bits: NetworkBits | None = None, *, folded: bool = False) -> None:
        self.bits = bits
        self.has_batchnorm = bits is None and not folded
        self._made: Counter[str] = Counter()

    def input(self, shape: tuple[int, ...]) -> Tensor:
        """The network's float input."""
        return tf.keras.Input(shape, name="input_1")

    def quantizer(self, x: Tensor) -> Tensor:
        """Quantize to the power-of-two step learned in calibration; in float networks nothing."""
        name = self._name("activation")
        if self.bits is None:
            return x
        spec = self.bits.activations[name]
        quantizer = quantized_bits_featuremap(
            spec.bits, alpha="auto_po2", keep_negative=int(spec.signed), name=name
        )
        return QActivation(quantizer, name=name)(x)

    def conv(
        self,
        x: Tensor,
        filters: int,
        kernel: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        *,
        batchnorm: bool = True,
        name: str | None = None,
    ) -> Tensor:
        """Convolution; `batchnorm`: the float network has a batch normalization behind it."""
        name = name or self._name("conv2d")
        made, options = self._weighted(name, tf.keras.layers.Conv2D, QConv2D, "kernel", -1)
        x = made(filters, kernel, strides, padding="same", name=name, **options)(x)
        return self._batchnorm(x) if batchnorm else x

    def depthwise(
        self, x: Tensor, kernel: int, strides: int = 1, *, name: str | None = None
    ) -> Tensor:
        """Depthwise convolution with batch normalization."""
        name = name or self._name("depthwise_conv2d")
        made, options = self._weighted(
            name, tf.keras.layers.DepthwiseConv2D, QDepthwiseConv2D, "depthwise", 2
        )
        return self._batchnorm(made(kernel, strides, padding="same", name=name, **options)(x))

    def dense(
        self, x: Tensor, units: int, *, batchnorm: bool = False, name: str | None = None
    ) -> Tensor:
        """Dense layer."""
        name = name or self._name("dense")
        made, options = self._weighted(name, tf.keras.layers.Dense, QDense, "kernel", -1)
        x = made(units, name=name, **options)(x)
        return self._batchnorm(x) if batchnorm else x

    def relu(self, x: Tensor, ceiling: float | None = None) -> Tensor:
        """ReLU, cut off at `ceiling` (6: ReLU6)."""
        return tf.keras.layers.ReLU(ceiling, name=self._name("re_lu"))(x)

    def function(self, x: Tensor, function: str) -> Tensor:
        """A function of every element, by Keras' name of it; tables in hardware."""
        return tf.keras.layers.Activation(function, name=self._name(function))(x)

    def add(self, *inputs: Tensor) -> Tensor:
        """Sum of equal shapes."""
        return tf.keras.layers.Add(name=self._name("add"))(list(inputs))

    def multiply(self, x: Tensor, factors: Tensor) -> Tensor:
        """Product of a map with a factor for each channel, [1, 1, c]."""
        return tf.keras.layers.Multiply(name=self._name("multiply"))([x, factors])

    def average(self, x: Tensor) -> Tensor:
        """Mean of the whole map, [1, 1, c]."""
        size = tuple(x.shape[1:3])
        return tf.keras.layers.AveragePooling2D(size, name=self._name("average_pooling2d"))(x)

    def flatten(self, x: Tensor) -> Tensor:
        """[h, w, c] to [h * w * c]."""
        return tf.keras.layers.Flatten(name=self._name("flatten"))(x)

    def _name(self, kind: str) -> str:
        number = self._made[kind]
        self._made[kind] += 1
        return f"{kind}_{number}" if number else kind

    def _weighted(
        self, name: str, plain: Any, quantized: Any, kernel: str, axis: int
    ) -> tuple[Any, dict[str, Any]]:
        """The layer's class and quantizers; `kernel` is QKeras' prefix of its arguments."""
        if self.bits is None:
            return plain, {}
        spec = self.bits.matrices[name]
        return quantized, {
            f"{kernel}_quantizer": quantized_bits_po2(
                spec.weight_bits, axis, name=f"{name}.kernel"
            ),
            "bias_quantizer": quantized_bits_po2(spec.bias_bits, "element", name=f"{name}.bias"),
        }

    def _batchnorm(self, x: Tensor) -> Tensor:
        if not self.has_batchnorm:
            return x
        name = self._name("batch_normalization")
        return tf.keras.layers.BatchNormalization(name=name)(x)
