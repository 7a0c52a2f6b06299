"""The network graph in strips, each a small SVG; side by side on a screen, a column on a phone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flow.report.formats import number, shape, shortened
from flow.report.layout import Layout, Vertex, layered_layout
from flow.report.tensors import INPUT

RANKS, SLACK = 6, 2  # of one strip: about so many, give or take
LANE, NODE_WIDTH, NODE_HEIGHT, GAP = 196.0, 178.0, 60.0, 26.0  # pixels
MARGIN = 4.0
PITCH = NODE_HEIGHT + GAP
NAME_LENGTH, LABEL_LENGTH = 20, 20  # characters
LABEL_X, CHARACTER = 7.0, 6.3  # pixels: beside its line, and a wide guess


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node: where its upper left corner lies, where it leads, what it says."""

    x: float
    y: float
    href: str
    name: str
    lines: tuple[str, ...]
    full_name: str
    bottleneck: bool
    mismatches: int


@dataclass(frozen=True, slots=True)
class Strip:
    """Some ranks of the network; `lines` and `heads` are SVG paths.

    `labels` (x, y, text) stand beside lines that lead to another strip.
    """

    width: float
    height: float
    nodes: tuple[NodeBox, ...]
    lines: tuple[str, ...]
    heads: tuple[str, ...]
    labels: tuple[tuple[float, float, str], ...]


def network_strips(report: Mapping[str, Any]) -> tuple[Strip, ...]:
    """Draw the input and all layers, top to bottom."""
    inputs: dict[str, Sequence[str]] = {INPUT: ()}
    inputs.update({layer["name"]: layer["inputs"] for layer in report["layers"]})
    layout = layered_layout(inputs)
    facts = {INPUT: _input_facts(report["input"])}
    facts.update({layer["name"]: _layer_facts(layer) for layer in report["layers"]})
    return tuple(_strip(layout, facts, start, end) for start, end in pairwise(_cuts(layout)))


def _cuts(layout: Layout) -> list[int]:
    """First ranks of the strips, and the end: few lines are cut, lengths are much the same."""
    total = len(layout.ranks)
    wanted = math.ceil(total / math.ceil(total / RANKS))
    crossing = Counter(lower.rank for _, lower in layout.edges)
    cuts = [0]
    while total - cuts[-1] > wanted:
        choices = [cuts[-1] + wanted + more for more in sorted(range(-SLACK, SLACK + 1), key=abs)]
        inside = [rank for rank in choices if cuts[-1] < rank < total]
        cuts.append(min(inside, key=lambda rank: crossing[rank]))
    return [*cuts, total]


def _input_facts(network_input: Mapping[str, Any]) -> dict[str, Any]:
    lines = (f"{network_input['profile']['bits']} bit", shape(network_input["shape"]))
    return {"href": "#bits-input", "lines": lines, "bottleneck": False, "mismatches": 0}


def _layer_facts(layer: Mapping[str, Any]) -> dict[str, Any]:
    weights = f"weights {layer['w_bits']} · " if layer["w_bits"] else ""
    simulated = layer["sim_cycles"]
    cycles = f"{number(layer['est_cycles'] if simulated is None else simulated)} cycles"
    lines = (
        f"{weights}output {layer['y_bits']} bit",
        f"est. {cycles}" if simulated is None else cycles,
    )
    return {
        "href": f"#layer-{layer['name']}",
        "lines": lines,
        "bottleneck": bool(layer["bottleneck"]),
        "mismatches": layer["mismatches"],
    }


def _strip(layout: Layout, facts: Mapping[str, Any], start: int, end: int) -> Strip:
    """Ranks start to end - 1; a line over an end stops there, in the lane where it goes on."""
    edges = [edge for edge in layout.edges if start <= edge[1].rank and edge[0].rank < end]
    inside = [vertex for row in layout.ranks[start:end] for vertex in row]
    vertices = [*inside, *(lower for _, lower in edges)]
    left = min(layout.x[vertex] * LANE - _half(vertex) for vertex in vertices) - MARGIN
    right = max(layout.x[vertex] * LANE + _half(vertex) for vertex in vertices) + MARGIN
    place = _Place(layout, left, start, end)
    reached = dict.fromkeys(lower for _, lower in edges if lower.is_node and lower.rank < end)
    labels = place.labels(edges)
    label_end = max((x + CHARACTER * len(text) for x, _, text in labels), default=0.0)
    return Strip(
        width=round(max(right - left, label_end), 1),
        height=place.height,
        nodes=tuple(_box(vertex, place, facts[vertex.name]) for vertex in inside if vertex.is_node),
        lines=tuple(dict.fromkeys(place.line(upper, lower) for upper, lower in edges)),
        heads=tuple(place.head(vertex) for vertex in reached),
        labels=labels,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Pixels of the vertices in one strip."""

    layout: Layout
    left: float
    start: int
    end: int

    @property
    def height(self) -> float:
        """A strip that is continued ends with half of the lines to the next one."""
        last = self.end == len(self.layout.ranks)
        return self.y(self.end) - (GAP - MARGIN if last else 0)

    def centre(self, vertex: Vertex) -> float:
        return round(self.layout.x[vertex] * LANE - self.left, 1)

    def y(self, rank: int) -> float:
        return (GAP if self.start else MARGIN) + (rank - self.start) * PITCH

    def line(self, upper: Vertex, lower: Vertex) -> str:
        """From one vertex to the next and past it, or from or to the strip's end."""
        x0, x1, y1 = self.centre(upper), self.centre(lower), self.y(lower.rank)
        past = "" if lower.is_node or lower.rank == self.end else f"V{y1 + NODE_HEIGHT}"
        if upper.rank < self.start:
            return f"M{x1} 0V{y1}{past}"
        y0, bend = y1 - GAP, y1 - GAP / 2
        way = f"V{y1}" if x0 == x1 else f"C{x0} {bend} {x1} {bend} {x1} {y1}"
        return f"M{x0} {y0}{way}{past}"

    def head(self, vertex: Vertex) -> str:
        x, y = self.centre(vertex), self.y(vertex.rank)
        return f"M{x - 4} {y - 7}H{x + 4}L{x} {y}Z"

    def labels(
        self, edges: Sequence[tuple[Vertex, Vertex]]
    ) -> tuple[tuple[float, float, str], ...]:
        """Names beside the lines whose other end is in another strip; lines that pass have none."""
        names: dict[tuple[float, float, str], list[str]] = {}
        for upper, lower in edges:
            x = self.centre(lower) + LABEL_X
            if upper.rank < self.start and upper.is_node and lower.is_node:
                names.setdefault((x, 13.0, "from"), []).append(upper.name)
            if lower.rank == self.end and lower.is_node:
                names.setdefault((x, self.height - 9, "to"), []).append(lower.name)
        return tuple(
            (x, y, f"{word} {shortened(', '.join(dict.fromkeys(found)), LABEL_LENGTH)}")
            for (x, y, word), found in names.items()
        )


def _half(vertex: Vertex) -> float:
    return NODE_WIDTH / 2 if vertex.is_node else MARGIN


def _box(vertex: Vertex, place: _Place, facts: Mapping[str, Any]) -> NodeBox:
    return NodeBox(
        x=round(place.centre(vertex) - NODE_WIDTH / 2, 1),
        y=place.y(vertex.rank),
        name=shortened(vertex.name, NAME_LENGTH),
        full_name=vertex.name,
        **facts,
    )
