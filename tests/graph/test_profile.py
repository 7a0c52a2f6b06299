"""Ranges, clipped values and unused bits, against counts made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.errors import DataError
from flow.graph import load_profile, profile, run_taps, save_profile
from flow.graph.profile import Range, value_range
from tests.helpers import random_codes, small_graph


@pytest.mark.parametrize(
    ("low", "high", "bits", "signed", "unused"),
    [
        (-8, 7, 4, True, 0),
        (-7, 3, 4, True, 0),
        (-4, 3, 4, True, 1),
        (0, 3, 4, True, 1),
        (0, 0, 4, True, 3),
        (0, 15, 4, False, 0),
        (0, 7, 4, False, 1),
        (0, 0, 4, False, 3),
    ],
)
def test_unused_bits_are_those_that_no_value_needs(
    low: int, high: int, bits: int, signed: bool, unused: int
) -> None:
    assert value_range(low, high, bits, signed) == Range(bits, signed, low, high, unused)


def test_profile_sees_what_the_reference_computes() -> None:
    graph = small_graph()
    codes = random_codes(graph, 70)  # more than one batch
    taps = run_taps(graph, codes)

    found = profile(graph, codes)

    assert found.samples == 70
    assert (found.input.seen.low, found.input.seen.high) == (codes.min(), codes.max())
    for node, layer in zip(graph.nodes, found.layers, strict=True):
        seen = layer.y.seen
        assert (seen.low, seen.high) == (taps[node.name].min(), taps[node.name].max())
        assert layer.y.values == taps[node.name].size
        # what was clipped lies at the end now, beside codes that were there by themselves
        assert layer.y.clipped_high is not None
        assert layer.y.clipped_high <= int((taps[node.name] == node.y.hi).sum())
    assert any(layer.y.clipped_high for layer in found.layers)


def test_a_profile_survives_its_file(tmp_path: Path) -> None:
    graph = small_graph()
    found = profile(graph, random_codes(graph, 1))
    save_profile(found, tmp_path / "profile.json")
    assert load_profile(tmp_path / "profile.json") == found

    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(DataError, match=r"profile.json cannot be read(.|\n)*--from evaluate"):
        load_profile(tmp_path / "profile.json")
