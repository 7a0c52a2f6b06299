"""Kernels and biases of QKeras layers as integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import UnsupportedLayer
from flow.frontend._layers import KERNELS
from flow.graph.arithmetic import signed_bits
from flow.graph.types import IntArray

OWN = ("quantized_bits_po2", "quantized_bits_scaled")
FLOAT_BITS = 25  # a float32 bias is a signed integer of so many bits times a power of two


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """Codes of the layer's own shape; `mult` and `exponent` are [cout]."""

    codes: IntArray
    mult: IntArray
    exponent: IntArray
    bits: int


@dataclass(frozen=True, slots=True, eq=False)
class Bias:
    """[cout] each; real = codes * 2**exponent."""

    codes: IntArray
    exponent: IntArray
    bits: int


def weight_problem(quantizer: Any) -> str | None:
    """Why a kernel or bias quantizer cannot become integers; None: it can."""
    from models.quantizers import stock

    return None if type(quantizer).__name__ in OWN else stock.weight_problem(quantizer)


def kernel_quantizer(layer: Any) -> Any:
    """The quantizer object of a layer's kernel."""
    return getattr(layer, f"{KERNELS[type(layer).__name__]}_quantizer_internal")


def float_weights(layer: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Kernel and bias before quantization; batch normalization is folded in, as the layer does."""
    if hasattr(layer, "get_folded_weights"):
        kernel, bias = (np.asarray(tensor) for tensor in layer.get_folded_weights())
        return kernel, bias
    kernel, *rest = layer.get_weights()
    return kernel, rest[0] if layer.use_bias else None


def _checked(array: NDArray[np.float32], owner: str) -> NDArray[np.float32]:
    if np.isfinite(array).all():
        return array
    raise UnsupportedLayer(f"{owner} holds NaN or infinity; train the model again.")


def read_kernel(layer: Any, notes: list[str]) -> Kernel:
    """Codes and scales of a layer's kernel; the channels' axis is the last but for depthwise.

    Raises:
        UnsupportedLayer: scales differ within an output channel.
        NotFrozen: they are no powers of two, and not frozen.
    """
    array, _ = float_weights(layer)
    owner = f"layer {layer.name!r}: its kernel"
    weights = _codes(kernel_quantizer(layer), _checked(array, owner), owner, notes)
    depthwise = KERNELS[type(layer).__name__] == "depthwise"
    axes = (2, 3) if depthwise else (array.ndim - 1,)  # what numbers the output channels
    return Kernel(
        weights.codes,
        _per_channel(layer.name, weights.mults, axes),
        _per_channel(layer.name, weights.exponents, axes),
        weights.bits,
    )


def read_bias(layer: Any, channels: int, notes: list[str]) -> Bias:
    """Codes of a layer's bias; a bias without a quantizer is a float32, which is exact as well."""
    _, array = float_weights(layer)
    owner = f"layer {layer.name!r}: its bias"
    if array is None:
        return Bias(np.zeros(channels, np.int64), np.zeros(channels, np.int64), 0)
    if layer.bias_quantizer_internal is None:
        return float_bias(_checked(array, owner).astype(np.float64))
    weights = _codes(layer.bias_quantizer_internal, _checked(array, owner), owner, notes)
    widest = int(weights.mults.max()).bit_length() - 1
    return Bias(weights.codes * weights.mults, weights.exponents.copy(), weights.bits + widest)


def normalized(kernel: Kernel, bias: Bias, layer: Any, owner: str) -> tuple[Kernel, Bias]:
    """Kernel [..., cout] and bias with the frozen batch normalization `layer` behind them.

    Raises:
        UnsupportedLayer: the layer was frozen without what it reads.
    """
    from models.quantizers.codes import MAX_SCALE_MULT
    from models.quantizers.norms import gain_and_shift, rounded_gain

    gain, shift = gain_and_shift(layer)
    mults, exponents = rounded_gain(gain)
    products = kernel.mult * np.abs(mults)
    if (products >= MAX_SCALE_MULT).any() or bias.codes.any():
        raise UnsupportedLayer(
            f"{owner} and its batch normalization {layer.name!r} are no integers together; call "
            "models.quantizers.freeze_norms(model) before freeze_auto(model)."
        )
    codes = kernel.codes * np.sign(mults)
    bits = signed_bits(int(codes.min(initial=0)), int(codes.max(initial=0)))
    return (
        Kernel(codes, np.maximum(products, 1), kernel.exponent + exponents, max(kernel.bits, bits)),
        float_bias(shift),
    )


def float_bias(values: NDArray[np.float64]) -> Bias:
    """Float32 values as integers."""
    mantissa, exponent = np.frexp(values)
    codes = np.ldexp(mantissa, FLOAT_BITS - 1).astype(np.int64)
    return Bias(codes, exponent.astype(np.int64) - (FLOAT_BITS - 1), FLOAT_BITS)


def _codes(quantizer: Any, array: NDArray[np.float32], owner: str, notes: list[str]) -> Any:
    from models.quantizers import WeightCodes, stock

    kind = type(quantizer).__name__
    if kind == "quantized_bits_po2":
        codes, exponents = quantizer.export(array)
        exponents = np.broadcast_to(exponents, codes.shape).astype(np.int64)
        return WeightCodes(codes, np.ones_like(codes), exponents, int(quantizer.bits))
    if kind == "quantized_bits_scaled":
        return quantizer.export(array)
    weights = stock.weight_codes(quantizer, array, owner)
    lost = stock.lost_bits(quantizer, weights.codes, array)
    if lost:
        notes.append(f"{owner}, {lost}.")
    return weights


def _per_channel(name: str, values: IntArray, axes: tuple[int, ...]) -> IntArray:
    """Reduce scales of the kernel's shape to [cout]; they may differ between channels only."""
    last = np.moveaxis(values, axes, range(values.ndim - len(axes), values.ndim))
    channels = int(np.prod([values.shape[axis] for axis in axes]))
    flat = last.reshape(-1, channels)
    if (flat != flat[0]).any():
        raise UnsupportedLayer(
            f"layer {name!r}: its kernel's exponents differ within an output channel; "
            "choose the scale_axis of the output channels."
        )
    return np.array(flat[0], np.int64)
