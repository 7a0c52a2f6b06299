"""A network around one node, so that its inputs can be any codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.graph import InputMap, IntGraph, Kind, MatVec, Node, TensorType
from flow.graph.types import POINT, Add, Concat, IntArray, Multiply
from tests.graph.random_nodes import random_inputs

WIDE = TensorType(14, True, 0, 0, -(1 << 13), (1 << 13) - 1)  # holds every code of a random tensor


def around(node: Node, name: str) -> IntGraph:
    """The node alone, or behind a dense layer for each input that picks its codes."""
    if not isinstance(node, Add | Multiply | Concat):
        return _graph(name, node.in_shape, node.x, (replace(node, source="codes"),))
    sizes = [int(np.prod(shape)) for shape in node.in_shapes]
    pickers = [_picker(node, port, sizes) for port in range(len(sizes))]
    node = replace(node, sources=tuple(picker.name for picker in pickers))
    return _graph(name, (1, 1, sum(sizes)), WIDE, (*pickers, node))


def codes_of(node: Node, seed: int, frames: int = 6) -> IntArray:
    """Input codes of `around(node)`: random ones, then the ends of every range."""
    inputs = random_inputs(node, frames, seed)
    rng = np.random.default_rng([seed, 17])
    for x, codes in zip(node.x_types, inputs, strict=True):
        codes[1] = rng.choice([x.lo, x.hi], codes[1].shape)
        codes[2], codes[3] = x.lo, x.hi
    if len(inputs) == 1:
        return inputs[0]
    return np.concatenate([codes.reshape(frames, 1, 1, -1) for codes in inputs], axis=-1)


def _picker(node: Node, port: int, sizes: list[int]) -> MatVec:
    """y = x for the elements of one input."""
    size, before = sizes[port], sum(sizes[:port])
    weights = np.zeros((1, 1, sum(sizes), size), np.int64)
    weights[0, 0, range(before, before + size), range(size)] = 1
    y = node.x_types[port]
    zeros = np.zeros(size, np.int64)
    return MatVec(
        f"pick{port}", "codes", Kind.DENSE, (1, 1, sum(sizes)), (1, 1, size), POINT, weights, 2,
        zeros + y.scale_exp, zeros - y.zero_point, 16, zeros + y.scale_exp, WIDE, y,
    )  # fmt: skip


def _graph(name: str, shape: tuple[int, int, int], x: TensorType, nodes: tuple) -> IntGraph:
    return IntGraph(name, "codes", shape, x, InputMap("float32", 0, None), nodes)
