"""Two commands at once: on one run the second is refused, on two runs both end right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow import build, runs, stages
from flow.config import ROOT
from tests import fake_run
from tests.robustness import real_run
from tests.robustness.whole import check_whole, results

WAIT_S = 20
AT_ONCE_S = 10  # most of it goes into imports
CLIP = ROOT / "models" / "samples" / "wav" / "yes.wav"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line works here with stand-ins for the stages."""
    for module, name in ((runs, "BUILD"), (runs, "REPORTS"), (stages, "stages_of")):
        monkeypatch.setattr(module, name, getattr(module, name))
    fake_run.install(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Another process that builds in the folder."""
    command = [sys.executable, "-m", "tests.fake_run", str(folder), "--model", "kws", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def busy(folder: Path) -> Iterator[int]:
    """Another process is in the stage `plan`; gives its number."""
    (folder / "hold-plan").touch()
    with start(folder) as process:
        deadline = time.monotonic() + WAIT_S
        while not (folder / "child").exists():
            assert time.monotonic() < deadline, "the other build did not begin"
            time.sleep(0.02)
        (folder / "hold-plan").unlink()
        try:
            yield process.pid
            assert process.poll() is None, "the other build was disturbed"
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_S)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--model", "kws"], id="build"),
        pytest.param(["--model", "kws", "--force"], id="forced build"),
        pytest.param(["--model", "kws", "--wav", str(CLIP)], id="recording"),
        pytest.param(["--model", "kws", "--waves", "conv"], id="waveform"),
        pytest.param(["clean", "kws"], id="clean"),
        pytest.param(["clean"], id="clean all"),
    ],
)
def test_a_run_that_is_worked_on_is_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with busy(folder) as pid:
        before = sorted(folder.rglob("*"))
        started = time.monotonic()
        assert build.main(arguments) == 1
        assert time.monotonic() - started < AT_ONCE_S
        assert sorted(folder.rglob("*")) == before
    assert capsys.readouterr().err == (
        f"error: another run (process {pid}) is working in {folder}/build/kws.\n"
        f"  Wait until it ends, or stop it with: kill {pid}\n"
    )
    assert build.main(["--model", "kws"]) == 0
    check_whole(folder)


def test_other_runs_go_on_meanwhile(folder: Path) -> None:
    with busy(folder):
        assert build.main(["--model", "kws", "--target", "lfe5u-85f"]) == 0
    assert (folder / "reports" / "kws-lfe5u-85f" / "report.json").is_file()


def test_many_builds_begun_at_once_leave_one_whole_result(folder: Path) -> None:
    processes = [start(folder) for _ in range(3)]
    errors = [process.communicate(timeout=WAIT_S)[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes and set(codes) <= {0, 1}
    assert all("is working in" in error for code, error in zip(codes, errors, strict=True) if code)
    alone = folder / "alone"
    alone.mkdir()
    fake_run.install(alone)
    assert build.main(["--model", "kws"]) == 0
    assert results(folder) == results(alone)


@pytest.mark.slow
def test_real_runs_share_their_caches(tmp_path: Path) -> None:
    """Both compile the same kernels at the same time."""
    targets = ("xc7z020", "lfe5u-85f")
    together, alone = tmp_path / "together", tmp_path / "alone"
    processes = [real_run.start(together, "--target", t, "--to", "emit") for t in targets]
    assert [process.wait(300) for process in processes] == [0, 0]
    assert real_run.start(alone, "--to", "emit").wait(300) == 0
    assert real_run.start(alone, "--target", targets[1], "--to", "emit").wait(300) == 0
    for name in ("kws/emit", "kws-lfe5u-85f/emit", "cache/xls"):
        assert _files(together / "build" / name) == _files(alone / "build" / name)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "stage.json"
    }
