"""What the benchmark program writes; the measuring itself is `make bench`."""

from __future__ import annotations

import json
from pathlib import Path

from flow.bench import Figure, figure, markdown, save

FIGURES = [figure("kws", "cycles per frame", 8010), figure("kws", "multipliers", 333)]


def test_goals_belong_to_a_model() -> None:
    assert FIGURES[0] == Figure("cycles per frame", 8010, "<= 9,000", True)
    assert figure("kws", "cycles per frame", 9001).met is False
    assert figure("kws", "utilisation", 0.5).met is False
    assert FIGURES[1].met is None
    assert figure("ic", "cycles per frame", 8010) == Figure("cycles per frame", 8010, "", None)


def test_a_peer_that_is_not_here_is_said_to_be_missing() -> None:
    missing = figure("kws", "integer engine / QKeras", None)
    assert missing == Figure("integer engine / QKeras", None, "", None)
    assert markdown([missing]).endswith("| integer engine / QKeras | not here |  |  |")


def test_markdown_has_a_row_per_figure() -> None:
    assert markdown(FIGURES) == (
        "| figure | measured | goal | met |\n"
        "|---|---:|---:|---|\n"
        "| cycles per frame | 8,010 | <= 9,000 | yes |\n"
        "| multipliers | 333 |  |  |"
    )


def test_file_names_what_made_the_figures(tmp_path: Path) -> None:
    save(FIGURES, "kws", tmp_path / "bench-kws.json")
    content = json.loads((tmp_path / "bench-kws.json").read_text())
    assert [item["name"] for item in content["figures"]] == ["cycles per frame", "multipliers"]
    assert set(content) == {"model", "created_utc", "git_commit", "tools", "cpu", "figures"}
    assert content["cpu"]["count"] >= 1 and content["cpu"]["model"]
    assert "verilator" in content["tools"]
