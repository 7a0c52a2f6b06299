"""The rows as Markdown, the files, and that the committed ones belong together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from flow.accuracy import publish as module
from flow.accuracy.publish import BEGIN, END, JSON, README, load_report, publish
from flow.accuracy.table import table
from flow.config import ROOT
from flow.errors import DataError
from flow.marked_text import text_between
from tests.accuracy.made_rows import ad_row, kws_row


def test_an_accuracy_is_percent_and_an_auc_is_not() -> None:
    lines = table([kws_row(), ad_row()])
    assert lines[2:5] == [
        "| kws | mpq | accuracy | 91.40 % | 91.40 % | 91.40 % | 88.62 to 93.55 % | 9.20 % | 500 "
        "| 36,283,000 |",
        "| ad | mpq | AUC | 0.8704 | 0.8600 | 0.8600 | 0.7906 to 0.9294 | 0.5000 | 124 "
        "| 36,283,000 |",
        "| ad | mpq | partial AUC | 0.7100 | 0.7000 | 0.7000 | - | 0.5000 | 124 | - |",
    ]
    assert lines[9:] == [
        "- Test sets: kws_test_dev (kws); ad_test_dev (ad).",
        "- Partial AUC: false-positive rate below 0.1, standardised (McClish).",
        "- Float figures of kws-mpq: as recorded in training, not measured again.",
        "- kws: speakers occur in both sets.",
    ]


def test_networks_with_one_test_set_are_named_together() -> None:
    lines = table([kws_row(quant=quant, model=model) for model in "ab" for quant in "xy"])
    assert "- Test sets: kws_test_dev (a, b)." in lines


def test_a_table_without_clips_tells_nothing_of_them() -> None:
    lines = table([kws_row()])
    assert not any("artial" in line for line in lines)
    assert "- Float figures: as recorded in training, not measured again." in lines


@pytest.mark.parametrize(
    "change", [{"mismatches": 1}, {"samples": 0}, {"integer": None}, {"weights_sha256": "b"}]
)
def test_an_impossible_row_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        kws_row(**change)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files go: a folder with the project's README."""
    shutil.copy(README, tmp_path)
    monkeypatch.setattr(module, "README", tmp_path / README.name)
    monkeypatch.setattr(module, "JSON", tmp_path / "reports" / JSON.name)
    return tmp_path


def test_published_files_hold_the_same_rows(published: Path) -> None:
    rows = [kws_row(), ad_row()]
    publish(rows)
    report = load_report(published / "reports" / JSON.name)
    assert report.rows == rows
    assert {"tensorflow", "qkeras", "g++"} <= set(report.tools)
    assert text_between(published / README.name, BEGIN, END) == table(rows)
    assert json.loads((published / "reports" / JSON.name).read_text())["schema"] == 1
    assert sorted(path.name for path in published.rglob("*")) == [
        "README.md", "accuracy.json", "reports",
    ]  # fmt: skip


def test_a_readme_without_the_place_of_the_table_is_told_before(published: Path) -> None:
    (published / README.name).write_text("no table here\n")
    with pytest.raises(DataError, match="lacks the lines between which the table belongs"):
        module.check_places()


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(DataError, match=r"is no accuracy table: (.|\n)*\n  Make it again: make"):
        load_report(tmp_path / "a.json")


def test_the_readme_shows_the_committed_figures() -> None:
    assert text_between(README, BEGIN, END) == table(load_report().rows)


def test_the_committed_figures_are_those_of_the_committed_weights() -> None:
    """A row whose weights were trained again, or removed, claims what nobody can repeat."""
    for row in load_report().rows:
        record = ROOT / "models" / "weights" / f"{row.model}-{row.quant}.json"
        assert json.loads(record.read_text())["sha256"] == row.weights_sha256, record.name
