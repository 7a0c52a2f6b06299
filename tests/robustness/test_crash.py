"""A build that is killed at a step of its own: what is there is whole, a plain rerun ends right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flow import build, runs, stages
from tests import fake_run
from tests.robustness.crash import killed_at, steps_of
from tests.robustness.whole import check_whole, results

SEED = 20
MOMENTS = 30


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds a folder for each build; the command line is put back when the test ends."""
    for module, name in ((runs, "BUILD"), (runs, "REPORTS"), (stages, "stages_of")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


def built(folder: Path, *arguments: str) -> Path:
    """`folder` after a build in it."""
    folder.mkdir(exist_ok=True)
    fake_run.install(folder)
    assert build.main(["--model", "kws", *arguments]) == 0
    return folder


def prepared(folder: Path, before: tuple[str, ...] | None) -> Path:
    """`folder` after a build whose report was another one; None: with nothing in it."""
    folder.mkdir()
    if before is not None:
        built(folder, *before)
        for page in folder.glob("reports/kws/index.html"):
            page.write_text("of an older version")
    return folder


def moments(total: int, count: int) -> list[int]:
    """Seeded steps of 1..total; all of them where `count` is not less."""
    return sorted(random.Random(SEED).sample(range(1, total + 1), min(count, total)))


def check_moments(folders: Path, before: tuple[str, ...] | None, again: str, count: int) -> None:
    """Kill a build at `count` of its steps, and rerun it each time.

    Args:
        before: options of a build that was there before the killed one; None: there was none.
        again: option of the killed build.
    """
    options = [again] if again else []
    whole = results(built(folders / "whole"))
    total = steps_of(prepared(folders / "counted", before), *options)
    for step in moments(total, count):
        folder = prepared(folders / str(step), before)
        killed_at(step, folder, *options)
        check_whole(folder)
        assert results(built(folder)) == whole, f"killed at step {step} of {total}"


SCENES = [
    pytest.param(None, "", id="first build"),
    pytest.param((), "--force", id="everything made again"),
    pytest.param(("--to", "emit"), "", id="build resumed"),
]


@pytest.mark.parametrize(("before", "again"), SCENES)
def test_rerun_after_kill_at_seeded_steps(
    folders: Path, before: tuple[str, ...] | None, again: str
) -> None:
    check_moments(folders, before, again, MOMENTS)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "again"), SCENES)
def test_rerun_after_kill_at_every_step(
    folders: Path, before: tuple[str, ...] | None, again: str
) -> None:
    check_moments(folders, before, again, 10**6)


def test_rerun_after_many_kills_in_one_folder(folders: Path) -> None:
    whole = results(built(folders / "whole"))
    total = steps_of(prepared(folders / "counted", None))
    folder = prepared(folders / "battered", None)
    for step in moments(total // 4, MOMENTS):  # a rerun has fewer and fewer steps left
        killed_at(step, folder)
        check_whole(folder)
    assert results(built(folder)) == whole
