"""clean: removes what the flow made, all of it and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from flow import build
from flow.cache import locked
from tests import fake_run

TARGET = ("--target", "lfe5u-85f")


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def built(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs with reports, a cache, and what is not a run's."""
    monkeypatch.setitem(fake_run.REPORT, "run", "kws")
    build.main(["--model", "kws"])
    monkeypatch.setitem(fake_run.REPORT, "run", "kws-lfe5u-85f")
    build.main(["--model", "kws", *TARGET])
    (folder / "build" / "cache" / "xls").mkdir(parents=True)
    (folder / "build" / "cache" / "xls" / "kernel").write_bytes(bytes(2_000_000))
    (folder / "build" / "rtl_sim").mkdir()
    (folder / "build" / "rtl_sim" / "bench.lock").touch()
    (folder / "reports" / "README.md").touch()
    (folder / "reports" / "bench-kws.json").touch()
    return folder


def test_named_run_is_removed_whole(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert build.main(["clean", "kws"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == [
        "removed build/kws", "removed reports/kws",
    ]  # fmt: skip
    assert lines[2].endswith(" MB freed")
    assert sorted(path.name for path in (built / "build").iterdir()) == [
        "cache", "kws-lfe5u-85f", "rtl_sim",
    ]  # fmt: skip
    assert sorted(path.name for path in (built / "reports").iterdir()) == [
        "README.md", "bench-kws.json", "kws-lfe5u-85f",
    ]  # fmt: skip


def test_no_name_means_all_runs_and_cache_only_when_asked(built: Path) -> None:
    assert build.main(["clean"]) == 0
    assert sorted(path.name for path in (built / "build").iterdir()) == ["cache", "rtl_sim"]
    assert tree(built / "reports") == ["README.md", "bench-kws.json"]
    assert build.main(["clean", "--cache"]) == 0
    assert tree(built / "build") == ["rtl_sim", "rtl_sim/bench.lock"]


def test_nothing_left_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["clean"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"


def test_dry_run_says_the_same_and_changes_nothing(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(built)
    capsys.readouterr()
    assert build.main(["clean", "--cache", "--dry-run"]) == 0
    assert tree(built) == before
    text = capsys.readouterr().out
    assert "would remove build/cache, 2.0 MB\n" in text
    assert text.splitlines()[-1].endswith(" MB would be freed")


def test_files_of_others_and_links_stay(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = built / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (outside / ".lock").touch()
    run = built / "build" / "kws"
    (run / "notes.txt").touch()
    (run / "link").symlink_to(outside)
    (run / "emit" / "link").symlink_to(outside)
    (built / "build" / "linked").symlink_to(outside)
    capsys.readouterr()
    assert build.main(["clean", "kws"]) == 0
    assert tree(run) == ["link", "notes.txt"]
    assert "kept build/kws/notes.txt: not made by the flow\n" in capsys.readouterr().out
    assert build.main(["clean", "linked"]) == 2
    assert build.main(["clean"]) == 0
    assert tree(outside) == [".lock", "precious"]


def test_report_of_something_else_stays(built: Path) -> None:
    for name, content in (("mine", {"run": "kws"}), ("list", [])):
        (built / "reports" / name).mkdir()
        (built / "reports" / name / "report.json").write_text(json.dumps(content))
    assert build.main(["clean"]) == 0
    assert {path.name for path in (built / "reports").iterdir()} >= {"mine", "list"}


def test_leftovers_of_killed_runs_go_too(built: Path) -> None:
    for name in ("build/kws/.synth.tmp", "build/kws/waves", "reports/.kws.tmp"):
        (built / name).mkdir()
        (built / name / "file").touch()
    assert build.main(["clean", "kws"]) == 0
    assert not (built / "build" / "kws").exists()
    assert not (built / "reports" / ".kws.tmp").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../kws", "'../kws' is no name of a run, but a path."),
        ("build/kws", "'build/kws' is no name of a run, but a path."),
        ("..", "'..' is no name of a run, but a path."),
        (".", "'.' is no name of a run, but a path."),
        ("", "'' is no name of a run, but a path."),
        ("cache", "'cache' is no run.\n  To remove build/cache, say: clean --cache"),
        ("rtl_sim", "there is no run 'rtl_sim': neither build/rtl_sim nor reports/rtl_sim holds"),
        ("README.md", "there is no run 'README.md'"),
    ],
)
def test_what_is_no_run_is_refused_before_anything_goes(
    built: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    before = tree(built)
    assert build.main(["clean", "kws", name]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert tree(built) == before


def test_run_that_is_worked_on_is_refused(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(built / "build" / "kws"):
        assert build.main(["clean", "kws"]) == 1
    assert "is working in" in capsys.readouterr().err
    assert (built / "build" / "kws" / "emit").exists()
    assert (built / "reports" / "kws").exists()


def test_what_cannot_be_removed_is_named(
    built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refused)
    assert build.main(["clean", "kws"]) == 1
    assert capsys.readouterr().err.startswith(
        f"error: cannot remove {os.fspath(built)}/build/kws/.emit.old: Permission denied.\n"
    )


def test_cleaned_run_can_be_built_again(built: Path) -> None:
    build.main(["clean", "kws"])
    (built / "calls").unlink()
    assert build.main(["--model", "kws"]) == 0
    assert (built / "calls").read_text().split() == list(fake_run.NAMES)
