"""What is written: JSON with provenance, tables between markers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flow.data import Source
from flow.peers import publish
from flow.peers.publish import write_json
from flow.peers.rows import Comparison
from tests.peers.made_rows import comparison_rows


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    data = tmp_path / "kws_test_dev.npz"
    data.write_bytes(b"samples")
    return Comparison(tuple(comparison_rows()), Source(data, is_real=True))


def test_the_json_has_rows_summary_and_provenance(tmp_path: Path, found: Comparison) -> None:
    write_json(found, tmp_path / "new" / "out.json")
    stored = json.loads((tmp_path / "new" / "out.json").read_text())
    assert stored["tools"]["hls4ml"] == "1.3.0"
    assert stored["data"]["name"] == "kws_test_dev.npz"
    assert len(stored["data"]["sha256"]) == 64
    assert {"git_commit", "seed", "cpu", "created_utc"} <= set(stored)
    assert stored["summary"]["our_wrong"] == 0
    assert [row["flow"] for row in stored["rows"]][:2] == ["default", "bit_exact"]
    assert stored["rows"][0]["judged"]["wrong"] == 90


def test_page_and_readme_hold_the_markers_and_get_their_tables(
    tmp_path: Path, found: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PAGE", "README"):
        copy = tmp_path / getattr(publish, name).name
        copy.write_text(getattr(publish, name).read_text())
        monkeypatch.setattr(publish, name, copy)
    monkeypatch.setattr(publish, "JSON", tmp_path / "out.json")
    publish.publish(found)
    page, readme = publish.PAGE.read_text(), publish.README.read_text()
    assert "| kws (QKeras 90.0 %) | 1 | shiftflow | 0 | 0 | 0 | 100.0 % |" in page
    assert "| kws (QKeras 90.0 %) | 1 | 25.00 % | fails | 0 | 0 | 100 | 900 | 9.0 |" in readme
    for text in (page, readme):
        assert "kws: all 12 samples of kws_test_dev; the other networks: 12 random frames" in text
    assert "    shiftflow: 0 of 240 outputs wrong in 2 rows, 0 failed" in page
