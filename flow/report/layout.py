"""Layered layout of a network: ranks from top to bottom, few crossings, straight main paths.

After Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures
(1981): longest-path ranks, dummy vertices on long edges, barycentric order. Coordinates are the
weighted least-squares fit to the neighbours' that keeps the order and the distances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 6
PASS_WIDTH = 0.24  # of a line that passes a rank; a node is 1 wide
PASS_WEIGHT = 1e-6  # so that nodes stay straight and lines make room


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node in its own rank, or a line on its way from `name` past `rank`."""

    name: str
    rank: int
    is_node: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Vertices of each rank from left to right, centres (a node is 1 wide), edges downwards.

    Edges join neighbouring ranks; all long edges of one source share their lines.
    """

    ranks: tuple[tuple[Vertex, ...], ...]
    x: Mapping[Vertex, float]
    edges: tuple[tuple[Vertex, Vertex], ...]


def layered_layout(inputs: Mapping[str, Sequence[str]]) -> Layout:
    """Lay out nodes, each given with the names that it reads; a node comes after its inputs."""
    rank: dict[str, int] = {}
    for name, sources in inputs.items():
        rank[name] = 1 + max((rank[source] for source in sources), default=-1)
    edges = _edges(inputs, rank)
    ranks = _first_order(inputs, rank, edges)
    above, below = _neighbours(edges)
    for _ in range(SWEEPS):
        _order(ranks, above)
        _order(ranks[::-1], below)
    x = {vertex: float(place) for row in ranks for place, vertex in enumerate(row)}
    for _ in range(SWEEPS):
        _place(ranks, above, x)
        _place(ranks[::-1], below, x)
    _place(ranks, above, x)
    left = min(x.values())
    centres = {vertex: round(value - left, 3) for vertex, value in x.items()}
    return Layout(tuple(map(tuple, ranks)), centres, tuple(edges))


def _edges(
    inputs: Mapping[str, Sequence[str]], rank: Mapping[str, int]
) -> list[tuple[Vertex, Vertex]]:
    edges: dict[tuple[Vertex, Vertex], None] = {}  # a set that keeps the order
    for name, sources in inputs.items():
        for source in sources:
            start, end = rank[source], rank[name]
            lines = [Vertex(source, between, False) for between in range(start + 1, end)]
            path = [Vertex(source, start, True), *lines, Vertex(name, end, True)]
            edges.update(dict.fromkeys(pairwise(path)))
    return list(edges)


def _first_order(
    inputs: Mapping[str, Sequence[str]],
    rank: Mapping[str, int],
    edges: Sequence[tuple[Vertex, Vertex]],
) -> list[list[Vertex]]:
    """Nodes as they come, lines to their right."""
    ranks: list[list[Vertex]] = [[] for _ in range(1 + max(rank.values()))]
    nodes = [Vertex(name, rank[name], True) for name in inputs]
    lines = dict.fromkeys(end for _, end in edges if not end.is_node)
    for vertex in (*nodes, *lines):
        ranks[vertex.rank].append(vertex)
    return ranks


Neighbours = Mapping[Vertex, Sequence[Vertex]]


def _neighbours(edges: Sequence[tuple[Vertex, Vertex]]) -> tuple[Neighbours, Neighbours]:
    above: dict[Vertex, list[Vertex]] = {}
    below: dict[Vertex, list[Vertex]] = {}
    for upper, lower in edges:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return above, below


def _order(ranks: Sequence[list[Vertex]], neighbours: Neighbours) -> None:
    """Sort each rank by the mean place of its neighbours in the rank before."""
    for before, row in pairwise(ranks):
        place = {vertex: index for index, vertex in enumerate(before)}
        own = {vertex: float(index) for index, vertex in enumerate(row)}

        def centre(
            vertex: Vertex, place: dict[Vertex, int] = place, own: dict[Vertex, float] = own
        ) -> float:
            places = [place[other] for other in neighbours.get(vertex, ())]
            return sum(places) / len(places) if places else own[vertex]

        row.sort(key=centre)


def _place(ranks: Sequence[list[Vertex]], neighbours: Neighbours, x: dict[Vertex, float]) -> None:
    """Move each rank as near to its neighbours in the rank before as widths allow."""
    for row in ranks:
        wishes = [_wish(neighbours.get(vertex, ()), x[vertex], x) for vertex in row]
        for vertex, value in zip(row, _spread(row, wishes), strict=True):
            x[vertex] = value


def _wish(neighbours: Sequence[Vertex], now: float, x: Mapping[Vertex, float]) -> float:
    weight = sum(map(_weight, neighbours))
    return sum(_weight(other) * x[other] for other in neighbours) / weight if weight else now


def _weight(vertex: Vertex) -> float:
    return 1.0 if vertex.is_node else PASS_WEIGHT


def _spread(row: Sequence[Vertex], wishes: Sequence[float]) -> list[float]:
    """Least-squares fit to the wishes with room between neighbours: pool adjacent violators."""
    offsets: list[float] = []
    offset = 0.0
    for left, right in pairwise((row[0], *row)):
        offset += (_width(left) + _width(right)) / 2 if offsets else 0.0
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for vertex, wish, shift in zip(row, wishes, offsets, strict=True):
        mean, weight, members = wish - shift, _weight(vertex), 1
        while pools and pools[-1][0] > mean:
            other, other_weight, others = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, members = weight + other_weight, members + others
        pools.append((mean, weight, members))
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + shift for mean, shift in zip(means, offsets, strict=True)]


def _width(vertex: Vertex) -> float:
    return 1.0 if vertex.is_node else PASS_WIDTH
