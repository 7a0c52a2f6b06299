"""Nodes with several inputs."""

from __future__ import annotations

from dataclasses import dataclass

from flow.graph.types._node import NoProducts, require
from flow.graph.types._tensor import Kind, Rounding, Shape, TensorType


@dataclass(frozen=True, slots=True)
class Add(NoProducts):
    """Sum of two or more tensors of one shape, with one rounding."""

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    x_types: tuple[TensorType, ...]
    y: TensorType
    rounding: Rounding = Rounding.HALF_UP
    kind: Kind = Kind.ADD

    def __post_init__(self) -> None:
        _check_inputs(self)
        require(
            len(set(self.in_shapes)) == 1,
            self.name, f"inputs of shapes {_list(self.in_shapes)} cannot be added.",
        )  # fmt: skip

    @property
    def out_shape(self) -> Shape:
        """The shape of every input."""
        return self.in_shapes[0]


@dataclass(frozen=True, slots=True)
class Multiply(NoProducts):
    """Product of two tensors, with one rounding; the second may be a vector [1, 1, c]."""

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    x_types: tuple[TensorType, ...]
    y: TensorType
    rounding: Rounding = Rounding.HALF_UP
    kind: Kind = Kind.MULTIPLY

    def __post_init__(self) -> None:
        _check_inputs(self)
        first, second = self.in_shapes[0], self.in_shapes[-1]
        require(
            len(self.sources) == 2 and second in (first, (1, 1, first[2])),
            self.name, f"inputs of shapes {_list(self.in_shapes)} cannot be multiplied.",
        )  # fmt: skip

    @property
    def out_shape(self) -> Shape:
        """The shape of the first input."""
        return self.in_shapes[0]


@dataclass(frozen=True, slots=True)
class Concat(NoProducts):
    """Channels of several tensors behind each other, each requantised to `y`."""

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    x_types: tuple[TensorType, ...]
    y: TensorType
    rounding: Rounding = Rounding.HALF_UP
    kind: Kind = Kind.CONCAT

    def __post_init__(self) -> None:
        _check_inputs(self)
        require(
            len({shape[:2] for shape in self.in_shapes}) == 1,
            self.name, f"inputs of shapes {_list(self.in_shapes)} cannot be joined.",
        )  # fmt: skip

    @property
    def out_shape(self) -> Shape:
        """The inputs' pixels with the channels of all."""
        height, width, _ = self.in_shapes[0]
        return height, width, sum(shape[2] for shape in self.in_shapes)


def _check_inputs(node: Add | Multiply | Concat) -> None:
    counts = {len(node.sources), len(node.in_shapes), len(node.x_types)}
    require(
        len(counts) == 1 and len(node.sources) >= 2,
        node.name, f"it names {len(node.sources)} sources, {len(node.in_shapes)} shapes and "
        f"{len(node.x_types)} types; there must be two or more, as many of each.",
    )  # fmt: skip


def _list(shapes: tuple[Shape, ...]) -> str:
    return ", ".join(map(str, shapes))
