"""The network graph: every layer once, lines that meet, strips that show where they go on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flow.errors import DataError
from flow.report import build_report, check_report
from flow.report.drawing import (
    LABEL_LENGTH,
    NODE_HEIGHT,
    NODE_WIDTH,
    RANKS,
    SLACK,
    Strip,
    network_strips,
)
from flow.report.formats import shortened
from tests.report.example import inputs
from tests.report.example_network import branching


def names(strips: tuple[Strip, ...]) -> list[str]:
    return [node.full_name for strip in strips for node in strip.nodes]


def chain(layers: int) -> dict[str, Any]:
    report = branching(layers)
    for before, layer in zip([None, *report["layers"]], report["layers"], strict=False):
        layer["inputs"] = [before["name"] if before else "input"]
    return report


def test_a_node_says_its_bits_and_cycles_and_leads_to_its_row() -> None:
    (strip,) = network_strips(build_report(inputs(mismatches=3)))
    assert names((strip,)) == ["input", "conv1", "depthwise1", "pointwise1", "pool", "dense"]
    first, conv1, depthwise1, pointwise1, *_ = strip.nodes
    assert (first.href, conv1.href) == ("#bits-input", "#layer-conv1")
    assert conv1.lines == ("weights 8 · output 4 bit", "8\N{NARROW NO-BREAK SPACE}000 cycles")
    assert (conv1.bottleneck, depthwise1.bottleneck) == (False, True)
    assert (conv1.mismatches, pointwise1.mismatches) == (0, 3)
    assert strip.labels == ()


@pytest.mark.parametrize("layers", [1, 6, 7, 11, 24, 60])
def test_strips_hold_every_layer_once_and_are_much_the_same(layers: int) -> None:
    for report in (chain(layers), branching(layers)):
        strips = network_strips(report)
        assert sorted(names(strips)) == sorted(
            ["input", *(one["name"] for one in report["layers"])]
        )
        assert all(len({node.y for node in strip.nodes}) <= RANKS + SLACK for strip in strips)


def test_strips_are_cut_where_few_lines_go_on() -> None:
    upper_ends = [strip.height for strip in network_strips(branching(60))[:-1]]
    for strip, end in zip(network_strips(branching(60)), upper_ends, strict=False):
        cut = [line for line in strip.lines if line.endswith((f"V{end}", f" {end}"))]
        assert 1 <= len(cut) <= 2  # inside a block there are three or four


def test_lines_end_where_boxes_begin() -> None:
    for strip in network_strips(branching(24)):
        tops = {(round(node.x + NODE_WIDTH / 2, 1), node.y) for node in strip.nodes}
        heads = [re.fullmatch(r"M.*L([\d.]+) ([\d.]+)Z", head) for head in strip.heads]
        assert {(float(head[1]), float(head[2])) for head in heads if head} <= tops
        assert len(strip.heads) == len(set(strip.heads))


def test_everything_lies_within_its_strip() -> None:
    for strip in network_strips(branching(60)):
        for node in strip.nodes:
            assert 0 <= node.x <= node.x + NODE_WIDTH <= strip.width
            assert 0 <= node.y <= node.y + NODE_HEIGHT <= strip.height
        for line in strip.lines:
            start = re.match(r"M([\d.]+) ([\d.]+)", line)
            assert start and 0 <= float(start[1]) <= strip.width


def test_a_cut_line_names_both_of_its_ends() -> None:
    upper, lower = network_strips(chain(9))
    last, first = (
        shortened(node.full_name, LABEL_LENGTH) for node in (upper.nodes[-1], lower.nodes[0])
    )
    assert [text for *_, text in upper.labels] == [f"to {first}"]
    assert [text for *_, text in lower.labels] == [f"from {last}"]


def test_a_layer_that_reads_no_earlier_one_is_refused() -> None:
    report = build_report(inputs())
    report["layers"][1]["inputs"] = ["pool"]
    with pytest.raises(DataError, match=r"layer 'depthwise1' must .* not \['pool'\]"):
        check_report(report)
