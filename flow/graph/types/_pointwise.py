"""Nodes that treat every element by itself, repeat it, or put it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from flow.graph.types._node import NoProducts, SingleInput, require
from flow.graph.types._tensor import Kind, Rounding, Shape, TensorType


@dataclass(frozen=True, slots=True)
class Rescale(SingleInput, NoProducts):
    """The same real values in another type: a quantizer, or a ReLU, behind a quantizer."""

    name: str
    source: str
    in_shape: Shape
    x: TensorType
    y: TensorType
    rounding: Rounding = Rounding.HALF_UP
    kind: Kind = Kind.RESCALE

    @property
    def out_shape(self) -> Shape:
        """The input's shape."""
        return self.in_shape


@dataclass(frozen=True, slots=True)
class Table(SingleInput, NoProducts):
    """Any function of one code: y = table[x - x.lo]."""

    name: str
    source: str
    in_shape: Shape
    x: TensorType
    y: TensorType
    table: tuple[int, ...]
    function: str  # what the table holds, for a reader
    kind: Kind = Kind.TABLE
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        size = self.x.hi - self.x.lo + 1
        require(
            len(self.table) == size, self.name, f"its table has {len(self.table)} entries, not "
            f"{size}.",
        )  # fmt: skip
        low, high = min(self.table), max(self.table)
        require(
            self.y.lo <= low and high <= self.y.hi,
            self.name, f"its table spans {low}..{high}, outside {self.y.lo}..{self.y.hi}.",
        )  # fmt: skip

    @property
    def out_shape(self) -> Shape:
        """The input's shape."""
        return self.in_shape


@dataclass(frozen=True, slots=True)
class Upsample(SingleInput, NoProducts):
    """Every pixel repeated `rows` x `cols` times (nearest neighbour). The type does not change."""

    name: str
    source: str
    in_shape: Shape
    rows: int
    cols: int
    x: TensorType
    kind: Kind = Kind.UPSAMPLE
    rounding: Rounding = Rounding.HALF_UP

    @property
    def y(self) -> TensorType:
        """The input's type."""
        return self.x

    @property
    def out_shape(self) -> Shape:
        """The input's shape, `rows` x `cols` times as large."""
        height, width, channels = self.in_shape
        return height * self.rows, width * self.cols, channels


@dataclass(frozen=True, slots=True)
class ChannelShuffle(SingleInput, NoProducts):
    """Channels in another order: as a matrix [groups, channels / groups], transposed.

    Output channel j * groups + i is input channel i * (channels / groups) + j. A shuffle of
    channels / groups groups undoes it. The type does not change.

    Source: Zhang et al. 2018, "ShuffleNet", section 3.1.
    """

    name: str
    source: str
    in_shape: Shape
    groups: int
    x: TensorType
    kind: Kind = Kind.CHANNEL_SHUFFLE
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        channels = self.in_shape[2]
        require(
            self.groups >= 1 and channels % self.groups == 0,
            self.name, f"{self.groups} groups do not divide {channels} channels.",
        )  # fmt: skip

    @property
    def y(self) -> TensorType:
        """The input's type."""
        return self.x

    @property
    def out_shape(self) -> Shape:
        """The input's shape."""
        return self.in_shape

    @property
    def order(self) -> tuple[int, ...]:
        """The input channel of each output channel."""
        group_channels = self.in_shape[2] // self.groups
        return tuple(
            group * group_channels + channel
            for channel in range(group_channels)
            for group in range(self.groups)
        )
