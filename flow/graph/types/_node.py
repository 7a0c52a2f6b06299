"""The union of all nodes, and what those with one input share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from flow.errors import RangeError
from flow.graph.types._tensor import Shape, TensorType

if TYPE_CHECKING:
    from flow.graph.types._matrix import MatVec
    from flow.graph.types._merge import Add, Concat, Multiply
    from flow.graph.types._pointwise import ChannelShuffle, Rescale, Table, Upsample
    from flow.graph.types._pool import AveragePool, MaxPool

# Every node has: name, kind, sources, in_shapes, x_types (one of each per input), out_shape, y,
# rounding, macs.
Node: TypeAlias = Union[
    "MatVec", "AveragePool", "MaxPool", "Add", "Multiply", "Concat", "Rescale", "Table", "Upsample",
    "ChannelShuffle",
]  # fmt: skip


class SingleInput:
    """The common form of the inputs of a node that has one: `source`, `in_shape`, `x`."""

    __slots__ = ()
    source: str
    in_shape: Shape
    x: TensorType

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the tensors that the node reads."""
        return (self.source,)

    @property
    def in_shapes(self) -> tuple[Shape, ...]:
        """Their shapes as the node sees them."""
        return (self.in_shape,)

    @property
    def x_types(self) -> tuple[TensorType, ...]:
        """Their types."""
        return (self.x,)


class NoProducts:
    """A node without multiply-accumulates."""

    __slots__ = ()

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame: none."""
        return 0


def require(condition: bool, name: str, problem: str) -> None:
    """Raise RangeError for node `name` unless `condition` holds."""
    if not condition:
        raise RangeError(f"layer {name!r}: {problem}")
