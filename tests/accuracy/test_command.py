"""`accuracy`: measures, keeps, refuses; with the shipped samples in place of the real ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow import build, runs
from flow.accuracy import publish
from flow.accuracy import rows as module
from flow.cache import hash_file
from flow.config import load_config
from flow.data import SHIPPED, Source, load_samples
from flow.frontend import extract
from flow.graph import evaluate, run_taps
from models import weights
from tests.only_kws import only_kws

DATA = "kws_test_dev.npz"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project with the network kws-mpq, a test set of 24 clips, and nowhere to publish."""
    for name, folder in (("BUILD", "build"), ("REPORTS", "reports")):
        monkeypatch.setattr(runs, name, tmp_path / folder)
    only_kws(tmp_path_factory.mktemp("weights"), monkeypatch)
    for name in ("load", "record"):
        monkeypatch.setattr(weights, name, _in(runs.WEIGHTS, getattr(weights, name)))
    (tmp_path / "data").mkdir()
    with np.load(SHIPPED / "kws.npz") as shipped:
        np.savez(tmp_path / "data" / DATA, x=shipped["x"][::5], y=shipped["y"][::5])
    sha256 = hash_file(tmp_path / "data" / DATA)
    change_record(lambda record: record["datasets"][DATA].update(sha256=sha256))
    monkeypatch.setattr(publish, "JSON", tmp_path / "out" / "accuracy.json")
    shutil.copy(publish.README, tmp_path)
    monkeypatch.setattr(publish, "README", tmp_path / "README.md")
    return tmp_path


def _in(folder: Path, read: Callable[..., Any]) -> Callable[..., Any]:
    return lambda model, quant, *_: read(model, quant, folder)


def change_record(change: Change) -> None:
    """Change the record of the weights."""
    path = runs.WEIGHTS / "kws-mpq.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def run(place: Path, *options: str) -> int:
    return build.main(["accuracy", "--data", str(place / "data"), *options])


def test_a_row_is_measured_kept_and_measured_again_when_its_weights_change(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place) == 0
    report = publish.load_report(publish.JSON)
    (row,) = report.rows
    samples = load_samples(Source(place / "data" / DATA, True), load_config().model("kws"))
    graph = extract("kws", "mpq")
    assert row.integer.value == evaluate(graph, samples.x, samples.y)
    assert row.float_.origin == "recorded"
    assert (row.samples, row.compared_frames, row.baseline) == (24, 24, 2 / 24)
    assert row.codes_compared == 24 * (490 + sum(int(np.prod(n.out_shape)) for n in graph.nodes))
    assert capsys.readouterr().out.splitlines()[-3:] == publish.table(report.rows)[-3:]
    again = row.model_copy(update={"note": "trained again"})
    monkeypatch.setattr(module, "measure", lambda task: again)
    assert run(place) == 0
    assert publish.load_report(publish.JSON).rows == [row]
    change_record(lambda record: record.update(note="another"))
    assert run(place, "--model", "kws") == 0
    assert "kws: trained again" in capsys.readouterr().out
    assert publish.load_report(publish.JSON).rows == [row]  # a part of the table is only printed


def test_a_difference_ends_the_command_and_nothing_is_published(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(*arguments: Any) -> Any:
        taps = run_taps(*arguments)
        taps["conv2d"][0, 0, 0, 0] ^= 1
        return taps

    monkeypatch.setattr("flow.layer_equality.run_taps", wrong)
    assert run(place) == 1
    assert "error: layer 'conv2d': 1 of " in capsys.readouterr().err
    assert not publish.JSON.exists()
    assert (place / "README.md").read_text() == (runs.ROOT / "README.md").read_text()


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be measured."""
    monkeypatch.setattr(module, "measure", lambda task: pytest.fail(f"{task.name} is measured"))


def test_what_is_missing_is_listed_and_told_how_to_get(
    place: Path, unmeasured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("kws-flat8", "ic-mpq"):
        for suffix in ("h5", "json"):
            shutil.copy(runs.WEIGHTS / f"kws-mpq.{suffix}", runs.WEIGHTS / f"{name}.{suffix}")
    (place / "data" / DATA).unlink()
    assert run(place, "--float-models", str(place)) == 2
    folder = place / "data"
    assert capsys.readouterr().err == (
        "error: the accuracy table cannot be measured:\n"
        f"  - {DATA}, on which 'kws' was tested, is not in {folder}\n"
        f"  - the float model {place / 'kws_ref_model.h5'} does not exist\n"
        f"  - {DATA}, on which 'ic' was tested, is not in {folder}\n"
        f"  - the float model {place / 'pretrainedResnet.h5'} does not exist\n"
        "  Name the folder of the test sets with --data FOLDER, in config.yaml (data.folder) or "
        "SHIFTFLOW_DATA;\n"
        "  models/README.md says where they come from. Or leave networks out: --model NAME.\n"
    )


def test_another_file_than_that_of_the_record_is_refused(
    place: Path, unmeasured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    change_record(lambda record: record["datasets"][DATA].update(sha256="0" * 64))
    assert run(place) == 2
    text = f"{place / 'data' / DATA} is not the file that kws-mpq.json names: its SHA-256 is"
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("key", ["accuracy", "datasets"])
def test_a_record_that_names_no_test_set_is_refused(
    place: Path, unmeasured: None, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    change_record(lambda record: record.pop(key))
    assert run(place) == 2
    assert capsys.readouterr().err == (
        "error: record kws-mpq.json does not name a test set and its SHA-256 (accuracy.dataset, "
        f"datasets): '{key}' is missing.\n"
        "  Restore it from version control, or train again with models/train.py.\n"
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--model kwz", "model 'kwz' is unknown; choose one of: kws, ad"),
        ("--quant int8", "quant 'int8' is unknown; choose one of: mpq, flat4, flat8, flat16."),
        ("--model ic", "no network that was asked for has trained weights.\n  models/train.py"),
        ("--quant flat4", "no network that was asked for has trained weights.\n"),
        ("kws", "unrecognized arguments: kws.\n  See: python flow/build.py accuracy --help"),
    ],
)
def test_wrong_use_is_told(
    place: Path, unmeasured: None, capsys: pytest.CaptureFixture[str], options: str, text: str
) -> None:
    assert run(place, *options.split()) == 2
    assert f"error: {text}" in capsys.readouterr().err
