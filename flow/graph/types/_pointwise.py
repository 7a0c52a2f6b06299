"""Nodes that treat every element by itself, or repeat it."""

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
