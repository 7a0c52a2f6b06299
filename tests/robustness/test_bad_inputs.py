"""Wrong calls of the command line: one message each, and nothing half-made stays."""

from __future__ import annotations

import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import pytest

from flow import build, cache, runs
from flow.cache import RECORD
from flow.config import ROOT
from tests.only_kws import only_kws
from tests.robustness import (
    analyse_cases,
    audio_cases,
    command_cases,
    config_cases,
    data_cases,
    option_cases,
    system_cases,
    weights_cases,
)
from tests.robustness.case import Case, Place

MODULES = (
    option_cases, data_cases, config_cases, weights_cases, audio_cases, command_cases,
    analyse_cases, system_cases,
)  # fmt: skip
CASES = tuple(case for module in MODULES for case in module.CASES)


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder whose stage `extract`, which takes seconds, is done."""
    folder = tmp_path_factory.mktemp("extracted")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(runs, "BUILD", folder)
        assert build.main(["--model", "kws", "--to", "extract"]) == 0
    return folder / "kws"


@pytest.fixture
def place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """An empty working directory with a data folder; build/ and reports/ would be made in it."""
    only_kws(tmp_path_factory.mktemp("weights"), monkeypatch)
    monkeypatch.setattr(runs, "BUILD", tmp_path / "build")
    monkeypatch.setattr(runs, "REPORTS", tmp_path / "reports")
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else [])
        for case in CASES
    ],
)
def test_wrong_call_says_what_to_do(
    case: Case, place: Place, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if case.stage not in (None, "extract"):
        shutil.copytree(request.getfixturevalue("extracted"), place.folder / "build" / "kws")
    elif case.stage is None:
        place.monkeypatch.setattr(cache, "_make", _no_stage_shall_start)
    case.prepare(place)
    capsys.readouterr()
    before = _files(place.folder)
    code = build.main(shlex.split(case.arguments))
    captured = capsys.readouterr()
    message = re.sub(r"\{line (.+?)\}", partial(_line, place.folder), case.message)
    assert _shown(captured.err, place) == f"error: {message}\n"
    assert code == case.code
    made = _files(place.folder) - before
    if case.stage is None:
        assert made == {Path(name) for name in case.writes}
    assert Path("pwned") not in made, "code of a file was run"
    _check_whole(place.folder, made)


def _no_stage_shall_start(stage: cache.Stage, *_: object) -> None:
    pytest.fail(f"stage {stage.name} was started")


def _shown(text: str, place: Place) -> str:
    """A message without what differs from one machine or file to another."""
    text = text.replace(str(place.folder), "{tmp}").replace(str(ROOT), "{root}")
    return re.sub(r"\b[0-9a-f]{64}\b", "{sha256}", text)


def _line(folder: Path, wanted: re.Match[str]) -> str:
    lines = (folder / "config.yaml").read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if line.strip().startswith(wanted[1]))
    return f"line {number}"


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def _check_whole(folder: Path, made: set[Path]) -> None:
    """Every result has its record: nobody can take a part for the whole."""
    assert not any(path.is_relative_to("reports") for path in made)
    results = [path for path in made if path.match("build/kws/[!.]*") and (folder / path).is_dir()]
    assert all(path / RECORD in made for path in results)
