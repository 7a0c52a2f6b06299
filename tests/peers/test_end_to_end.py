"""Real models through hls4ml and through this project, in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.peers.problem import make_problem
from flow.peers.row import measure
from flow.peers.rows import compare
from flow.peers.table import summarise


def test_ours_gives_every_output_and_a_wrong_expectation_is_found(tmp_path: Path) -> None:
    problem = make_problem("dense", "auto", frames=20)
    problem.codes[3, 4] += 1
    made = measure(problem, "shiftflow", tmp_path / "project", tmp_path / "log", tmp_path / "turn")
    assert made.failed is None
    assert made.judged is not None
    assert (made.judged.outputs, made.judged.wrong, made.judged.max_error_lsb) == (200, 1, 1.0)


@pytest.mark.slow  # three compilations of hls4ml's C++
def test_all_flows_of_a_model(tmp_path: Path) -> None:
    found = compare(lambda name: name == "dense-auto_po2", folder=tmp_path)
    default, bit_exact, hand_set, ours = found.rows
    assert default.judged is not None
    assert default.judged.wrong > default.judged.wrong_rounded > 0
    assert bit_exact.failed is not None
    assert "has no member named" in bit_exact.failed
    assert hand_set.judged is not None
    assert hand_set.judged.wrong == 0
    assert ours.judged is not None
    assert ours.judged.wrong == 0
    assert summarise(found.rows).is_exact
    assert compare(lambda name: name == "dense-auto_po2", folder=tmp_path) == found
    projects = [path.parent.name for path in tmp_path.glob("dense-auto_po2/*/project")]
    assert projects == ["dense-auto_po2-bit_exact"]  # only failures keep theirs
