"""Layers that multiply by weights."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flow.graph.types._node import SingleInput, require
from flow.graph.types._tensor import IntArray, Kind, Rounding, Shape, TensorType, Window

MAX_MULT = 2**15


def _one() -> IntArray:
    return np.ones(1, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class MatVec(SingleInput):
    """Convolution, depthwise convolution or dense layer with its requantisation.

    Shapes: `weights` is [kh, kw, cin / groups, cout], depthwise [kh, kw, c]; `weight_exp`, `bias`,
    `bias_exp`, `weight_mult` are [cout] (`weight_mult` may be given as [1], for all channels).
    Real weight = weights * weight_mult * 2**weight_exp, real bias = bias * 2**bias_exp;
    `weight_mult` is 1 where the scale is a power of two, else below 2**15. Output channels
    g * cout / groups ... of group g read the input channels g * cin / groups ... only.
    """

    name: str
    source: str
    kind: Kind
    in_shape: Shape
    out_shape: Shape
    window: Window
    weights: IntArray
    weight_bits: int
    weight_exp: IntArray
    bias: IntArray
    bias_bits: int
    bias_exp: IntArray
    x: TensorType
    y: TensorType
    rounding: Rounding = Rounding.HALF_UP
    groups: int = 1
    weight_mult: IntArray = field(default_factory=_one)

    def __post_init__(self) -> None:
        channels = self.out_shape[2]
        if self.weight_mult.shape == (1,):
            object.__setattr__(self, "weight_mult", np.repeat(self.weight_mult, channels))
        cin, groups = self.in_shape[2], self.groups
        divides = groups >= 1 and cin % groups == 0 and channels % groups == 0
        require(divides, self.name, f"{groups} groups do not divide {cin} and {channels} channels.")
        require(
            groups == 1 or self.kind is Kind.CONV,
            self.name, f"a {self.kind.value} layer has no groups.",
        )  # fmt: skip
        expected: tuple[int, ...] = (self.window.kernel_h, self.window.kernel_w, cin // groups)
        if self.kind is not Kind.DEPTHWISE:
            expected = (*expected, channels)
        require(
            self.weights.shape == expected,
            self.name, f"weights have shape {self.weights.shape}, not {expected}.",
        )  # fmt: skip
        for label in ("weight_exp", "bias", "bias_exp", "weight_mult"):
            shape = getattr(self, label).shape
            require(
                shape == (channels,), self.name, f"{label} has shape {shape}, not ({channels},)."
            )
        mults = self.weight_mult
        require(
            bool(((mults >= 1) & (mults < MAX_MULT)).all()),
            self.name, f"weight_mult spans {mults.min()}..{mults.max()}, not 1..{MAX_MULT - 1}.",
        )  # fmt: skip
        for label in ("weights", "weight_exp", "bias", "bias_exp", "weight_mult"):
            getattr(self, label).flags.writeable = False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame (padding taps included)."""
        return self.out_shape[0] * self.out_shape[1] * int(self.weights.size)

    @property
    def fan_in(self) -> int:
        """Products summed into one output."""
        channels = 1 if self.kind is Kind.DEPTHWISE else self.in_shape[2] // self.groups
        return self.window.taps * channels
