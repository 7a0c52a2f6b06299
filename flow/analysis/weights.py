"""Weights: how many codes are zero, how many bits they need, how far they are from the floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.analysis.sqnr import Sqnr, sqnr, worst_channel
from flow.frontend._layers import KERNELS
from flow.frontend._steps import Step
from flow.frontend._weights import float_weights
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


def layer_weights(master: Step, node: MatVec) -> LayerWeights:
    """Compare a layer's codes with its float weights, batch normalization folded in.

    Args:
        master: the layer's step of the float twin.
    """
    wanted = _kernel(master, node)
    got = (node.weights * node.weight_mult * 2.0**node.weight_exp).reshape(wanted.shape)
    channel, worst = worst_channel(wanted, got)
    bias = _bias(master)
    return LayerWeights(
        node.name,
        _codes(node.weights, node.weight_bits, sqnr(wanted, got)),
        channel,
        worst,
        None
        if bias is None
        else _codes(node.bias, node.bias_bits, sqnr(bias, node.bias * 2.0**node.bias_exp)),
    )


def _codes(codes: IntArray, bits: int, error: Sqnr) -> TensorCodes:
    seen = value_range(int(codes.min()), int(codes.max()), bits, signed=True)
    return TensorCodes(codes.size, float((codes == 0).mean()), bits, bits - seen.unused_bits, error)


def _kernel(master: Step, node: MatVec) -> NDArray[Any]:
    """Float weights [..., output channels]; of a depthwise layer [kh * kw, c * multiplier]."""
    gain, _ = _normalization(master)
    if master.role == "norm":
        return gain
    if master.role == "average":
        return np.full(node.weights.shape, 1 / node.window.taps, np.float32)
    kernel, _ = float_weights(master.layer)
    if KERNELS[type(master.layer).__name__] == "depthwise":
        kernel = kernel.reshape(kernel.shape[0] * kernel.shape[1], -1)
    return np.asarray(kernel * gain)


def _bias(master: Step) -> NDArray[Any] | None:
    """The float bias; None: there is none."""
    gain, shift = _normalization(master)
    bias = float_weights(master.layer)[1] if master.role == "matrix" else None
    if bias is None:
        return shift if master.role == "norm" or master.norm is not None else None
    return np.asarray(bias * gain + shift)


def _normalization(master: Step) -> tuple[NDArray[Any], NDArray[Any]]:
    """Gain and shift of each channel behind the weights; a step of role norm has nothing else."""
    norm = master.layer if master.role == "norm" else master.norm
    return (np.ones(1), np.zeros(1)) if norm is None else gain_and_shift(norm)


def all_weights(masters: Sequence[Step], nodes: tuple[Any, ...]) -> Iterator[LayerWeights]:
    """Every layer with weights, in the graph's order."""
    for master, node in zip(masters[1:], nodes, strict=True):
        if isinstance(node, MatVec):
            yield layer_weights(master, node)
