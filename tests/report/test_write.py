"""Files on disk: whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from flow.errors import DataError
from flow.report import build_report, render_html, write_report
from tests.report.example import inputs, sim


def test_the_page_is_drawn_from_the_written_json(tmp_path: Path) -> None:
    paths = write_report(tmp_path / "kws", inputs())
    report = json.loads(paths.json.read_text())
    assert report == build_report(inputs())
    assert paths.html.read_text() == render_html(report)
    assert sorted(path.name for path in paths.json.parent.iterdir()) == [
        "index.html",
        "report.json",
    ]


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_report(tmp_path / name, inputs()) for name in "ab")
    assert first.json.read_bytes() == second.json.read_bytes()
    assert first.html.read_bytes() == second.html.read_bytes()


def test_a_crash_while_replacing_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_report(tmp_path, inputs())
    before = paths.json.read_bytes(), paths.html.read_bytes()

    def crash(source: str, target: Path) -> None:
        assert Path(source).stat().st_size > 0
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        write_report(tmp_path, inputs(mismatches=5))
    assert (paths.json.read_bytes(), paths.html.read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_refused_report_leaves_the_old_file(tmp_path: Path) -> None:
    paths = write_report(tmp_path, inputs())
    before = paths.json.read_bytes()
    with pytest.raises(DataError):
        write_report(tmp_path, inputs(sim=replace(sim(), wall_s=float("nan"))))
    assert paths.json.read_bytes() == before
