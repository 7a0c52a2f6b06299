"""Networks of one input around a random node of any kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.graph import (
    AveragePool,
    InputMap,
    IntGraph,
    Kind,
    MatVec,
    Node,
    Rescale,
    TensorType,
    Window,
)
from flow.graph.types import Shape
from tests.graph.random_nodes import Generator, random_node, random_tensor


def random_graph(kind: str, seed: int) -> IntGraph:
    """The node of `random_node`, whose inputs are all made of the network's; and one behind it."""
    node, rng = random_node(kind, seed), np.random.default_rng([seed, 3])
    shape, x = node.in_shapes[0], node.x_types[0]
    others = [
        _adapter(rng, name, shape, x, wanted, y)
        for name, wanted, y in zip(
            node.sources[1:], node.in_shapes[1:], node.x_types[1:], strict=True
        )
    ]
    last = Rescale("last", node.name, node.out_shape, node.y, random_tensor(rng, node.y.scale_exp))
    mapping = InputMap("float32", 0, None)
    return IntGraph(f"{kind}{seed}", "x0", shape, x, mapping, (*others, node, last))


def _adapter(
    rng: Generator, name: str, shape: Shape, x: TensorType, wanted: Shape, y: TensorType
) -> Node:
    """The network's input in another shape and type."""
    if wanted == shape:
        return Rescale(name, "x0", shape, x, y)
    if wanted == (1, 1, shape[2]):
        return AveragePool(name, "x0", shape, wanted, Window(*shape[:2], 1, 1, 0, 0), x, y)
    weights = rng.integers(-8, 9, (1, 1, shape[2], wanted[2]))
    plain = np.zeros(wanted[2], np.int64)
    return MatVec(
        name, "x0", Kind.CONV, shape, wanted, Window(1, 1, 1, 1, 0, 0), weights, 5,
        plain + (y.scale_exp - x.scale_exp - 3), plain, 1, plain, x, y,
    )  # fmt: skip


def offset_input(graph: IntGraph) -> IntGraph:
    """The same graph whose input and its readers take unsigned 16-bit codes."""
    wide = TensorType(16, False, graph.input_type.scale_exp, 3, 0, (1 << 16) - 1)
    first, *others = graph.nodes
    assert isinstance(first, MatVec)
    return replace(graph, input_type=wide, nodes=(replace(first, x=wide), *others))
