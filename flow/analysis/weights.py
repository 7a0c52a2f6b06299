"""Weights: how many codes are zero, how many bits they need, how far they are from the floats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.analysis.sqnr import Sqnr, sqnr, worst_channel
from flow.frontend._keras_values import effective
from flow.frontend._layers import KERNELS
from flow.frontend._steps import Step
from flow.frontend._weights import float_weights, kernel_quantizer
from flow.graph.profile import value_range
from flow.graph.types import IntArray, MatVec
from models.quantizers.norms import gain_and_shift


@dataclass(frozen=True, slots=True)
class TensorCodes:
    """The codes of one tensor beside the float master weights that they stand for.

    `zeros` is a share (0 to 1). `effective_bits` is the least signed width that holds every code,
    `bits` the width that was given to them.
    """

    values: int
    zeros: float
    bits: int
    effective_bits: int
    sqnr: Sqnr


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One layer with weights; `bias` is None where it has none."""

    name: str
    kernel: TensorCodes
    worst_channel: int  # output channel with the lowest ratio
    worst_channel_sqnr: Sqnr
    bias: TensorCodes | None


def layer_weights(step: Step, node: MatVec) -> LayerWeights:
    """Compare a layer's codes with its float weights, batch normalization folded in."""
    bias = _bias(step)
    wanted, got = (_channels_last(step.layer, array) for array in _kernel(step, node))
    channel, worst = worst_channel(wanted, got)
    return LayerWeights(
        step.name,
        _codes(node.weights, node.weight_bits, sqnr(wanted, got)),
        channel,
        worst,
        None if bias is None else _codes(node.bias, node.bias_bits, sqnr(*bias)),
    )


def _codes(codes: IntArray, bits: int, error: Sqnr) -> TensorCodes:
    seen = value_range(int(codes.min()), int(codes.max()), bits, signed=True)
    return TensorCodes(codes.size, float((codes == 0).mean()), bits, bits - seen.unused_bits, error)


def _kernel(step: Step, node: MatVec) -> tuple[NDArray[Any], NDArray[Any]]:
    """Float weights and those in use."""
    if step.role == "norm":  # its gains were frozen: there are no others
        gain, _ = gain_and_shift(step.layer)
        return gain, gain
    if step.role == "average":  # one weight, 1/N, for all
        kernel = np.full((1, 1), 1 / node.window.taps, np.float32)
        quantizer = step.layer.average_quantizer_internal
    else:
        kernel, _ = float_weights(step.layer)
        quantizer = kernel_quantizer(step.layer)
    return kernel, effective(quantizer, kernel)


def _bias(step: Step) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """The float bias and the one in use, which without a quantizer is the same."""
    norm = step.layer if step.role == "norm" else step.norm
    if norm is not None:
        _, shift = gain_and_shift(norm)
        return shift, shift
    bias = float_weights(step.layer)[1] if step.role == "matrix" else None
    if bias is None:
        return None
    quantizer = step.layer.bias_quantizer_internal
    return bias, bias if quantizer is None else effective(quantizer, bias)


def _channels_last(layer: Any, array: NDArray[Any]) -> NDArray[Any]:
    """A depthwise kernel [kh, kw, c, m] as [kh * kw, c * m]; others have their channels last."""
    if KERNELS.get(type(layer).__name__) != "depthwise":
        return array
    return array.reshape(array.shape[0] * array.shape[1], -1)


def all_weights(steps: list[Step], nodes: tuple[Any, ...]) -> Iterator[LayerWeights]:
    """Every layer with weights, in the graph's order."""
    for step, node in zip(steps[1:], nodes, strict=True):
        if isinstance(node, MatVec):
            yield layer_weights(step, node)
