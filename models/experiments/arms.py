"""The arms of `flat_po2`: one network, trained alike, with other weight quantizers in each.

Activations are quantized in the same way in every arm (except float): symmetric codes of the arm's
width with one power-of-two step per sample, as the seed of this project trained them. So whatever
differs between two arms of equal widths is due to the quantizers of kernels and biases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from qkeras import QConv2D, QConv2DBatchnorm, QDense, quantized_bits

from models import ic
from models.bits import NetworkBits, network_bits
from models.layers import Layers, Tensor
from models.quantizers import _exact, quantized_bits_po2

NETWORK = "ic"
WEIGHT_DECAY = 1e-4  # of kernels, as the float ResNet-8 of MLPerf Tiny is trained
Make = Callable[[int, int | str], Any]  # of width and scale axis (stock quantizers ignore it)


@dataclass(frozen=True, slots=True)
class Arm:
    """Widths and weight quantizers of one network."""

    name: str
    label: str  # in figures
    quant: str | None  # see `network_bits`; None: float
    bias_bits: int | None = None  # of flat widths
    kernel: Make | None = None
    bias: Make | None = None

    @property
    def bits(self) -> NetworkBits | None:
        """Widths of every layer; None: float."""
        if self.quant is None:
            return None
        if self.bias_bits is None:
            return network_bits(NETWORK, self.quant)
        width = int(self.quant.removeprefix("flat"))
        return network_bits(NETWORK).flat(width, self.bias_bits)


def _stock(alpha: str, *, integer: int | None = None) -> Make:
    """QKeras' `quantized_bits` with `integer` bits, or with as many as it has bits."""

    def make(bits: int, _axis: int | str) -> Any:
        return quantized_bits(bits, bits if integer is None else integer, 1, 1, alpha=alpha)

    return make


_AUTO, _PO2, _PO2_0 = _stock("auto"), _stock("auto_po2"), _stock("auto_po2", integer=0)
ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("float", "float", None),
        Arm("auto-16-31", "stock auto, kernels 16, biases 31", "flat16", 31, _AUTO, _AUTO),
        Arm("stock-16-31", "stock auto_po2, kernels 16, biases 31", "flat16", 31, _PO2, _PO2),
        Arm("stock-16-16", "stock auto_po2, kernels 16, biases 16", "flat16", 16, _PO2, _PO2),
        Arm("stock-8-31", "stock auto_po2, kernels 8, biases 31", "flat8", 31, _PO2, _PO2),
        Arm("stock-mpq", "stock auto_po2, mixed widths", "mpq", None, _PO2, _PO2),
        Arm(
            "stock-16-31-integer0", "stock auto_po2, 16 and 31, integer=0", "flat16", 31,
            _PO2_0, _PO2_0,
        ),
        Arm(
            "fixed-16-31", "quantized_bits_po2, 16 and 31", "flat16", 31,
            quantized_bits_po2, quantized_bits_po2,
        ),
        Arm(
            "fixed-8-31", "quantized_bits_po2, 8 and 31", "flat8", 31,
            quantized_bits_po2, quantized_bits_po2,
        ),
        Arm(
            "fixed-mpq", "quantized_bits_po2, mixed widths", "mpq", None,
            quantized_bits_po2, quantized_bits_po2,
        ),
    )
}  # fmt: skip


def build(arm: Arm, *, batchnorm: bool) -> tf.keras.Model:
    """Build ResNet-8 (no softmax); `batchnorm`: folded at every step, else there is none."""
    inputs, outputs = ic.network(_ArmLayers(arm, batchnorm=batchnorm))
    return tf.keras.Model(inputs, outputs, name=NETWORK)


class PerSampleStep(tf.keras.layers.Layer):
    """Symmetric codes with a step of 2**round(log2(2 * max|x| / levels)) for each sample.

    levels is 2 * (2**(bits-1) - 1); codes are rounded half away from zero and clipped. The gradient
    is straight-through, also where codes were clipped.
    """

    def __init__(self, bits: int, name: str) -> None:
        super().__init__(name=name)
        self.top = float(2 ** (bits - 1) - 1)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Quantize x [n, ...] to values of the same shape."""
        greatest = tf.reduce_max(tf.abs(x), axis=range(1, len(x.shape)), keepdims=True)
        wanted = tf.where(greatest > 0, greatest / self.top, tf.ones_like(greatest))
        exponent = tf.round(tf.math.log(wanted) / tf.math.log(2.0))
        step = _exact.exp2i(tf.cast(exponent, tf.int64), x.dtype)
        codes = tf.minimum(tf.floor(tf.abs(x) / step + 0.5), self.top) * tf.sign(x)
        return x + tf.stop_gradient(codes * step - x)


class _ArmLayers(Layers):
    """Layers with an arm's quantizers; their names are those of every other form of the network."""

    def __init__(self, arm: Arm, *, batchnorm: bool) -> None:
        super().__init__(arm.bits)
        self.arm = arm
        self.has_batchnorm = batchnorm

    def quantizer(self, x: Tensor) -> Tensor:
        name = self._name("activation")
        if self.bits is None:
            return x
        return PerSampleStep(self.bits.activations[name].bits, name)(x)

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
        name = name or self._name("conv2d")
        kind = QConv2DBatchnorm if batchnorm and self.has_batchnorm else QConv2D
        return kind(filters, kernel, strides, padding="same", name=name, **self._options(name))(x)

    def dense(
        self, x: Tensor, units: int, *, batchnorm: bool = False, name: str | None = None
    ) -> Tensor:
        name = name or self._name("dense")
        return QDense(units, name=name, **self._options(name))(x)

    def _options(self, name: str) -> dict[str, Any]:
        decay: dict[str, Any] = {"kernel_regularizer": tf.keras.regularizers.L2(WEIGHT_DECAY)}
        if self.bits is None:
            return decay
        spec = self.bits.matrices[name]
        assert self.arm.kernel is not None and self.arm.bias is not None
        return {
            "kernel_quantizer": self.arm.kernel(spec.weight_bits, -1),
            "bias_quantizer": self.arm.bias(spec.bias_bits, "element"),
            **decay,
        }
