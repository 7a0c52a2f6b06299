"""The whole network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from flow.errors import RangeError
from flow.graph.types._node import Node
from flow.graph.types._tensor import InputMap, Shape, TensorType

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED_NAMES = frozenset({"input", "output", "ingress", "egress"})  # streams at the ends


@dataclass(frozen=True, slots=True, eq=False)
class IntGraph:
    """A network of integers: a directed acyclic graph of nodes in topological order.

    A node's `sources` name the nodes it reads, or `input_name`; each tensor may be read by several
    nodes and is read by one at least, but for the last node's, which is the output. A node may see
    its source in another shape of as many elements ([h, w, c] in raster order is their order).
    """

    name: str
    input_name: str
    input_shape: Shape
    input_type: TensorType
    input_map: InputMap
    nodes: tuple[Node, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what a user should know; decides no result

    def __post_init__(self) -> None:
        if not self.nodes:
            raise RangeError(f"graph {self.name!r} has no layer.")
        problems = list(self._problems())
        if problems:
            raise RangeError("\n".join(problems))

    def _problems(self) -> Iterator[str]:
        for name in (self.name, self.input_name, *(node.name for node in self.nodes)):
            if not IDENTIFIER.fullmatch(name) or name in RESERVED_NAMES:
                yield (
                    f"graph {self.name!r}: {name!r} cannot name a module of hardware.\n"
                    "  Use letters, digits and underscores, and none of "
                    f"{', '.join(sorted(RESERVED_NAMES))}."
                )
        known: dict[str, tuple[Shape, TensorType]] = {
            self.input_name: (self.input_shape, self.input_type)
        }
        for node in self.nodes:
            if node.name in known:
                yield f"graph {self.name!r}: two nodes are called {node.name!r}."
            yield from self._join_problems(node, known)
            known[node.name] = (node.out_shape, node.y)
        read = {source for node in self.nodes for source in node.sources}
        for name in (self.input_name, *(node.name for node in self.nodes[:-1])):
            if name not in read:
                yield f"graph {self.name!r}: no layer reads {name!r}."

    def _join_problems(
        self, node: Node, known: Mapping[str, tuple[Shape, TensorType]]
    ) -> Iterator[str]:
        for source, expected, x in zip(node.sources, node.in_shapes, node.x_types, strict=True):
            if source not in known:
                yield (
                    f"layer {node.name!r} of {self.name!r} reads {source!r}, "
                    f"which is not an earlier node: one of {sorted(known)}."
                )
                continue
            shape, tensor = known[source]
            if prod(expected) != prod(shape) or x != tensor:
                yield (
                    f"layer {node.name!r} of {self.name!r} expects {expected} {x}, "
                    f"but {source!r} gives {shape} {tensor}."
                )

    @property
    def output(self) -> Node:
        """The node whose codes leave the network."""
        return self.nodes[-1]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return sum(node.macs for node in self.nodes)

    def consumers(self, name: str) -> tuple[str, ...]:
        """Names of the nodes that read a tensor, in order; twice where both inputs are it."""
        return tuple(node.name for node in self.nodes for source in node.sources if source == name)
