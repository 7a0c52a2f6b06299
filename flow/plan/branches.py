"""FIFO depths where the network branches, such that no timing can lead to a deadlock.

Every process reads and writes its streams in an order that no timing changes, and waits where a
FIFO is empty or full. Such a network of processes either always completes or never does, however
fast each of them runs (Kahn 1974; a full FIFO is an empty one of free places). So it is enough that
one order of events completes within the depths, and we take the lazy one: the join asks for its
output beat by beat, and every process reads only what it needs for what it was asked for.

A stream that one layer reads then never holds more than a beat. Of a stream that several layers
read, a layer's copy fills only while another one asks:

    depth = max over the join's beats j of
            (asked for by the others at j) - (read by this layer at j - 1) + margin

The join is the first layer through which everything goes that follows the branch. After its last
beat all paths read the rest of the frame. Frames follow each other without overlap in this order,
so one frame is enough. Source: Kahn, The semantics of a simple language for parallel programming,
1974; Parks, Bounded scheduling of process networks, 1995, section 4.2 (full FIFOs as streams).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flow.graph.types import IntGraph, Node
from flow.plan.demand import Demand, demand, through
from flow.plan.hwplan import BranchPlan, UnitPlan
from flow.plan.unit import FIFO_DEPTH

MARGIN = 2  # places of a FIFO that its flags may not let be used


def branches(graph: IntGraph, units: Mapping[str, UnitPlan], input_elems: int) -> list[BranchPlan]:
    """The copies of every tensor that is read more than once, in the order of the graph."""
    elems = {graph.input_name: input_elems} | {name: unit.lanes for name, unit in units.items()}
    return [
        branch
        for source in elems
        if len(graph.consumers(source)) > 1
        for branch in _copies(graph, units, elems, source)
    ]


def _copies(
    graph: IntGraph, units: Mapping[str, UnitPlan], elems: Mapping[str, int], source: str
) -> list[BranchPlan]:
    join = _join(graph, source)
    count = np.arange(units[join].out_beats + 1)
    asked: dict[str, Demand] = {join: Demand(count, count)}
    reads: dict[tuple[str, int], Demand] = {}
    for node in _region(graph, source, join):
        for port, name in enumerate(node.sources):
            found = demand(node, units[node.name], port, elems[name], asked[node.name])
            if name == source:
                reads[node.name, port] = found
            asked[name] = _both(asked.get(name), found)
    total = _beats(graph, source, elems[source])
    return [
        BranchPlan(source, *reader, _depth(_asked_by_others(reads, reader, total), read, total))
        for reader, read in sorted(reads.items(), key=lambda item: _position(graph, *item[0]))
    ]


def _asked_by_others(
    reads: Mapping[tuple[str, int], Demand], reader: tuple[str, int], total: int
) -> Demand:
    """Beats that the other readers have asked for, and the processes between that copy them."""
    found: Demand | None = None
    for other, read in reads.items():
        if other != reader:
            found = _both(found, read)
    assert found is not None
    for _ in range(len(reads) - 1):
        found = through(found, total)
    return found


def _depth(asked: Demand, read: Demand, total: int) -> int:
    """Places that a copy needs; see the head of this module."""
    before = np.concatenate([[0], read.least])
    after = np.concatenate([asked.most, [total]])
    return max(FIFO_DEPTH, min(int((after - before).max()), total) + MARGIN)


def _region(graph: IntGraph, source: str, join: str) -> list[Node]:
    """The nodes from a branch to its join, each after all that read it."""
    reached = {source}
    found: list[Node] = []
    for node in graph.nodes:
        if reached & set(node.sources):
            reached.add(node.name)
            found.append(node)
        if node.name == join:
            break
    return found[::-1]


def _join(graph: IntGraph, source: str) -> str:
    """The first node through which every way from `source` to the output goes."""
    after: dict[str, set[str]] = {}
    for node in reversed(graph.nodes):
        ways = [after[name] for name in graph.consumers(node.name)]
        after[node.name] = {node.name} | (set.intersection(*ways) if ways else set())
    common = set.intersection(*(after[name] for name in graph.consumers(source)))
    return next(node.name for node in graph.nodes if node.name in common)


def _both(first: Demand | None, second: Demand) -> Demand:
    if first is None:
        return second
    return Demand(np.maximum(first.least, second.least), np.maximum(first.most, second.most))


def _beats(graph: IntGraph, name: str, elems: int) -> int:
    shapes = {graph.input_name: graph.input_shape}
    shapes |= {node.name: node.out_shape for node in graph.nodes}
    return int(np.prod(shapes[name])) // elems


def _position(graph: IntGraph, reader: str, port: int) -> tuple[int, int]:
    return [node.name for node in graph.nodes].index(reader), port
