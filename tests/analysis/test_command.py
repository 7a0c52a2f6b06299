"""`analyse` on the command line: what it prints, and the files that it writes."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import resource
from pathlib import Path

import numpy as np
import pytest

from flow import build, runs
from flow.commands import _analysis, _analysis_text
from flow.config import ROOT
from models import networks, weights

CALL = ("analyse", "--model", "kws")


def test_tables_and_files_of_kws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert build.main([*CALL, "--samples", "6", "--json", "new/a.json", "--csv", "a.csv"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    content = json.loads(Path("new/a.json").read_text())
    names = [layer["name"] for layer in content["layers"]]
    assert (content["schema"], content["model"], content["samples"]) == (1, "kws", 6)
    assert content["provenance"]["weights_sha256"] == weights.record("kws")["sha256"]
    assert {"created_utc", "git_commit", "tools", "seed", "dataset"} < content.keys()
    assert names[:2] == ["input", "conv2d"]
    assert content["agreement"]["qkeras_integer"] == 1
    with Path("a.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == names
    _check_shown(captured.out.splitlines(), content, names)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.csv", "a.json", "new"]


def _check_shown(lines: list[str], content: dict[str, object], names: list[str]) -> None:
    assert "kws (mpq), 6 samples of kws" in lines
    assert any(line.startswith("note: the samples are synthesised speech") for line in lines)
    starts = [line.split("  ")[0] for line in lines]
    for header, rows in (("weights", 10), ("activations", len(names)), ("errors (SQNR)", 13)):
        at = starts.index(header)
        assert starts[at + 1 : at + 1 + min(rows, len(names))] == [
            name for name in names if header != "weights" or re.match("conv|depth|dense", name)
        ]
    assert lines[-1].startswith(f"layer {content['costliest']} costs most: quantized alone")
    assert not any("\x1b" in line for line in lines)


def test_windows_of_clips_are_samples_without_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The autoencoder, with random weights: its outputs are no scores."""
    monkeypatch.setattr(runs, "_quants", lambda model: ["mpq"])
    monkeypatch.setattr(weights, "record", lambda *_: {"sha256": "0"})
    monkeypatch.setattr(weights, "load", networks.untrained)
    clips = np.random.default_rng(0).normal(-20, 10, (2, 200, 128)).astype(np.float32)
    np.savez(tmp_path / "clips.npz", x=clips, y=np.arange(2))
    monkeypatch.chdir(tmp_path)
    call = ["analyse", "--model", "ad", "--data", "clips.npz", "--samples", "8", "--json", "a.json"]
    assert build.main(call) == 0
    content = json.loads(Path("a.json").read_text())
    assert (content["samples"], content["accuracy"]) == (8, None)
    assert content["layers"][0]["y"]["values"] == 8 * 640
    out = capsys.readouterr().out
    assert "same class" not in out
    assert "accuracy" not in out
    assert "ad (mpq), 8 samples of clips" in out


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_analysis, "_analysis", lambda *_: (None, None))
    monkeypatch.setattr(_analysis, "_about", lambda *_: {})
    monkeypatch.setattr("flow.analysis.csv_text", lambda *_: "new")
    monkeypatch.setattr(os, "replace", full)
    (tmp_path / "a.csv").write_text("old")
    assert build.main([*CALL, "--csv", str(tmp_path / "a.csv")]) == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0"), (1e-6, "< 0.01 %"), (1e-4, "0.01 %"), (0.25, "25.00 %")]
)
def test_no_zero_is_shown_for_what_is_there(share: float, text: str) -> None:
    assert _analysis_text._share(share) == text


@pytest.mark.slow
def test_float_twin_of_kws_is_near_the_recorded_float_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights were fine-tuned, so it is not that model; memory stays bounded meanwhile."""
    record = weights.record("kws")["accuracy"]
    path = ROOT / "../shared/data" / record["dataset"]
    if not path.is_file():
        pytest.skip("the test set of the record is not here")
    monkeypatch.chdir(tmp_path)
    call = [*CALL, "--data", str(path), "--samples", "500", "--json", "a.json"]
    assert build.main(call) == 0
    found = json.loads(Path("a.json").read_text())
    assert found["accuracy"]["float"] == pytest.approx(record["float"], abs=0.03)
    assert found["accuracy"]["integer"] == pytest.approx(record["qkeras"], abs=0.01)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3_000_000  # kB
