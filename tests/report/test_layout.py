"""Layered layout: ranks, order, straight lines, room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.report.layout import PASS_WIDTH, Layout, layered_layout

SHORTCUT = {"in": [], "a": ["in"], "b": ["a"], "add": ["b", "in"], "out": ["add"]}
DIAMOND = {"in": [], "left": ["in"], "right": ["in"], "out": ["left", "right"]}


def centres(layout: Layout) -> dict[str, float]:
    return {vertex.name: x for vertex, x in layout.x.items() if vertex.is_node}


def crossings(layout: Layout) -> int:
    spans: dict[int, list[tuple[float, float]]] = {}
    for upper, lower in layout.edges:
        spans.setdefault(lower.rank, []).append((layout.x[upper], layout.x[lower]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for edges in spans.values()
        for a, b in combinations(edges, 2)
    )


def test_a_chain_is_one_straight_line() -> None:
    layout = layered_layout({"in": [], "a": ["in"], "b": ["a"], "c": ["b"]})
    assert [[vertex.name for vertex in row] for row in layout.ranks] == [
        ["in"],
        ["a"],
        ["b"],
        ["c"],
    ]
    assert set(layout.x.values()) == {0.0}


def test_a_shortcut_passes_beside_the_straight_main_path() -> None:
    layout = layered_layout(SHORTCUT)
    assert len(set(centres(layout).values())) == 1
    passing = [vertex for row in layout.ranks for vertex in row if not vertex.is_node]
    assert [(vertex.name, vertex.rank) for vertex in passing] == [("in", 1), ("in", 2)]
    assert [layout.x[vertex] for vertex in passing] == pytest.approx([(1 + PASS_WIDTH) / 2] * 2)


def test_branches_stand_beside_each_other_around_their_ends() -> None:
    x = centres(layered_layout(DIAMOND))
    assert x["right"] - x["left"] == pytest.approx(1.0)
    assert x["in"] == x["out"] == pytest.approx((x["left"] + x["right"]) / 2)


def test_branches_are_ordered_so_that_lines_do_not_cross() -> None:
    tangled = {
        "in": [], "a": ["in"], "b": ["in"], "c": ["in"],
        "x": ["c"], "y": ["b"], "z": ["a"], "out": ["x", "y", "z"],
    }  # fmt: skip
    assert crossings(layered_layout(tangled)) == 0


@st.composite
def networks(draw: st.DrawFn) -> Mapping[str, Sequence[str]]:
    inputs: dict[str, Sequence[str]] = {"n0": ()}
    for place in range(1, draw(st.integers(2, 25))):
        count = draw(st.integers(1, 3))
        sources = draw(st.lists(st.integers(0, place - 1), min_size=count, max_size=count))
        inputs[f"n{place}"] = [f"n{source}" for source in dict.fromkeys(sources)]
    return inputs


@settings(max_examples=60, deadline=None)
@given(networks())
def test_nothing_overlaps_and_every_connection_is_drawn(
    inputs: Mapping[str, Sequence[str]],
) -> None:
    layout = layered_layout(inputs)
    for row in layout.ranks:
        for left, right in pairwise(row):
            room = sum(1.0 if vertex.is_node else PASS_WIDTH for vertex in (left, right)) / 2
            assert layout.x[right] - layout.x[left] >= room - 2e-3  # rounded
    assert min(layout.x.values()) == 0
    assert all(upper.rank + 1 == lower.rank for upper, lower in layout.edges)
    sources: dict[str, set[str]] = {name: set() for name in inputs}
    for upper, lower in layout.edges:
        if lower.is_node:
            sources[lower.name].add(upper.name)
        else:
            assert upper.name == lower.name
    assert sources == {name: set(read) for name, read in inputs.items()}
