"""Where the tensors of a batch lie: memory is used again once nobody reads a tensor any more."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from flow.graph.engine._step import SLACK, dtype_of
from flow.graph.types import IntGraph

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True, slots=True)
class Layout:
    """First byte of each tensor in one block of memory, and the block's size."""

    first_byte: dict[str, int]
    size_bytes: int


def layout(graph: IntGraph, frames: int) -> Layout:
    """Memory of batches of so many frames; the tensors of a node and of its inputs are apart."""
    sizes = {
        graph.input_name: _size(graph.input_shape, dtype_of(graph.input_type).itemsize, frames)
    }
    for node in graph.nodes:
        sizes[node.name] = _size(node.out_shape, dtype_of(node.y).itemsize, frames)
    last_read = {source: i for i, node in enumerate(graph.nodes) for source in node.sources}
    last_read[graph.output.name] = len(graph.nodes)
    first_byte, live = {graph.input_name: 0}, [graph.input_name]
    for index, node in enumerate(graph.nodes):
        first_byte[node.name] = _gap(live, first_byte, sizes, sizes[node.name])
        live = [name for name in (*live, node.name) if last_read[name] > index]
    return Layout(first_byte, max(first_byte[name] + sizes[name] for name in sizes))


def frame_bytes(graph: IntGraph) -> int:
    """What one more frame of a batch takes, at least 1."""
    more = ALIGNMENT  # frames, so that no tensor's growth is lost in its alignment
    return (layout(graph, 1 + more).size_bytes - layout(graph, 1).size_bytes) // more


def _size(shape: tuple[int, int, int], item_bytes: int, frames: int) -> int:
    wanted = (prod(shape) * frames + SLACK) * item_bytes
    return -(-wanted // ALIGNMENT) * ALIGNMENT


def _gap(live: list[str], first_byte: dict[str, int], sizes: dict[str, int], wanted: int) -> int:
    """The first place between the live tensors, or behind them, that is large enough."""
    at = 0
    for name in sorted(live, key=lambda name: first_byte[name]):
        if first_byte[name] - at >= wanted:
            return at
        at = first_byte[name] + sizes[name]
    return at
