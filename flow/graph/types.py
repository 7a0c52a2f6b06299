"""Integer tensors and nodes of the IntGraph. Floats end at the frontend; here all is exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from flow.errors import RangeError

IntArray = NDArray[np.int64]
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED_NAMES = frozenset({"input", "output", "ingress", "egress"})  # streams at the ends

Shape = tuple[int, int, int]  # [h, w, channels]; a vector is [1, 1, channels]


class Kind(str, Enum):
    """What a node computes."""

    CONV = "conv"
    DEPTHWISE = "depthwise"
    DENSE = "dense"
    AVERAGE_POOL = "average_pool"


class Rounding(str, Enum):
    """How requantisation rounds. `half_up` is floor(v + 1/2)."""

    HALF_UP = "half_up"


@dataclass(frozen=True, slots=True)
class TensorType:
    """An activation tensor: real value = (code - zero_point) * 2**scale_exp, lo <= code <= hi."""

    bits: int
    signed: bool
    scale_exp: int
    zero_point: int
    lo: int
    hi: int

    def __post_init__(self) -> None:
        low, high = self.representable
        if not (1 <= self.bits <= 32 and low <= self.lo < self.hi <= high):
            raise RangeError(
                f"tensor type {self!r}: lo..hi must lie in {low}..{high} and bits in 1..32."
            )
        if not self.lo <= self.zero_point <= self.hi:
            raise RangeError(f"tensor type {self!r}: zero_point must lie in lo..hi, real 0 exists.")

    @property
    def representable(self) -> tuple[int, int]:
        """Smallest and largest integer of this width and sign."""
        if self.signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Geometry of a sliding window; bottom and right padding follow from the output shape."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int

    @property
    def taps(self) -> int:
        """Positions of the window."""
        return self.kernel_h * self.kernel_w


POINT = Window(1, 1, 1, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class InputMap:
    """How raw samples become the codes of the first quantizer, on the host.

    `table` maps every raw integer (index 0 is `raw_lo`) to its code; it is None when the raw data
    are floats, and then code = clip(floor(raw / 2**scale_exp + 1/2) + zero_point, lo, hi).
    """

    raw_dtype: str
    raw_lo: int
    table: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class MatVec:
    """Convolution, depthwise convolution or dense layer with its requantisation.

    Shapes: `weights` is [kh, kw, cin, cout], depthwise [kh, kw, c]; `weight_exp`, `bias`,
    `bias_exp` are [cout]. Real weight = weights * 2**weight_exp, real bias = bias * 2**bias_exp.
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

    def __post_init__(self) -> None:
        channels = self.out_shape[2]
        expected: tuple[int, ...] = (self.window.kernel_h, self.window.kernel_w, self.in_shape[2])
        if self.kind is not Kind.DEPTHWISE:
            expected = (*expected, channels)
        if self.weights.shape != expected:
            raise RangeError(
                f"layer {self.name!r}: weights have shape {self.weights.shape}, not {expected}."
            )
        for label, array in (
            ("weight_exp", self.weight_exp),
            ("bias", self.bias),
            ("bias_exp", self.bias_exp),
        ):
            if array.shape != (channels,):
                raise RangeError(
                    f"layer {self.name!r}: {label} has shape {array.shape}, not ({channels},)."
                )
        for array in (self.weights, self.weight_exp, self.bias, self.bias_exp):
            array.flags.writeable = False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame (padding taps included)."""
        return self.out_shape[0] * self.out_shape[1] * int(self.weights.size)

    @property
    def fan_in(self) -> int:
        """Products summed into one output."""
        return self.window.taps * (1 if self.kind is Kind.DEPTHWISE else self.in_shape[2])


@dataclass(frozen=True, slots=True)
class AveragePool:
    """Average over VALID windows together with the quantizer behind it."""

    name: str
    source: str
    in_shape: Shape
    out_shape: Shape
    window: Window
    x: TensorType
    y: TensorType
    kind: Kind = Kind.AVERAGE_POOL
    rounding: Rounding = Rounding.HALF_UP

    @property
    def macs(self) -> int:
        """Averages need no multiply-accumulate."""
        return 0


Node = MatVec | AveragePool


@dataclass(frozen=True, slots=True, eq=False)
class IntGraph:
    """A network of integers: a chain (later a DAG) of nodes in topological order.

    A node's `source` names the node it reads, or `input_name`. The last node is the output.
    """

    name: str
    input_name: str
    input_shape: Shape
    input_type: TensorType
    input_map: InputMap
    nodes: tuple[Node, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.nodes:
            raise RangeError(f"graph {self.name!r} has no layer.")
        for name in (self.name, self.input_name, *(node.name for node in self.nodes)):
            if not IDENTIFIER.fullmatch(name) or name in RESERVED_NAMES:
                raise RangeError(
                    f"graph {self.name!r}: {name!r} cannot name a module of hardware.\n"
                    "  Use letters, digits and underscores, and none of "
                    f"{', '.join(sorted(RESERVED_NAMES))}."
                )
        known: dict[str, tuple[Shape, TensorType]] = {
            self.input_name: (self.input_shape, self.input_type)
        }
        for node in self.nodes:
            if node.name in known:
                raise RangeError(f"graph {self.name!r}: two nodes are called {node.name!r}.")
            if node.source not in known:
                raise RangeError(
                    f"layer {node.name!r} of {self.name!r} reads {node.source!r}, "
                    f"which is not an earlier node: one of {sorted(known)}."
                )
            shape, tensor = known[node.source]
            flat = shape[0] * shape[1] * shape[2]
            if node.in_shape not in (shape, (1, 1, flat)) or node.x != tensor:
                raise RangeError(
                    f"layer {node.name!r} of {self.name!r} expects {node.in_shape} {node.x}, "
                    f"but {node.source!r} gives {shape} {tensor}."
                )
            known[node.name] = (node.out_shape, node.y)

    @property
    def output(self) -> Node:
        """The node whose codes leave the network."""
        return self.nodes[-1]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return sum(node.macs for node in self.nodes)
