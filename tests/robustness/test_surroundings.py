"""Output that takes no text, and folders of other users: through real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow import build, runs
from flow.config import ROOT

NOBODY = 65534
PROGRAM = [sys.executable, str(ROOT / "flow" / "build.py")]


def call(
    *command: str, stdout: int | None = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """A command to its end, in an environment with these variables."""
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
        env={**os.environ, **environment}, check=False, timeout=60,
    )  # fmt: skip


ASCII = {
    "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii",
}  # fmt: skip


def test_wrong_call_as_a_program() -> None:
    done = call(*PROGRAM, "--model", "kwz")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == (
        b"error: model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet.\n"
    )


def test_message_in_a_locale_without_umlauts() -> None:
    done = call(*PROGRAM, "--model", "kws", "--data", "größe.npz", **ASCII)
    assert done.returncode == 2
    # the system's bytes for which the locale has no letters
    assert done.stderr == (
        b"error: data file gr\\udcc3\\udcb6\\udcc3\\udc9fe.npz does not exist.\n"
        b"  Give an existing .npz file with --data.\n"
    )


def test_output_that_is_full(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        program = (sys.executable, "-m", "tests.fake_run", str(tmp_path), "--model", "kws")
        done = call(*program, stdout=full)
    finally:
        os.close(full)
    assert done.returncode == 1
    assert (
        done.stderr
        == (
            f"error: no space is left on the disk of {tmp_path}/build/kws.\n"
            "  Free some space and run the same command again: finished stages are kept.\n"
        ).encode()
    )


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder that everybody may read and only its owner may change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "build" / "kws").mkdir(parents=True)
        for place in (folder / "build" / "kws", folder / "build", folder):
            place.chmod(0o555)
        yield folder
        for place in (folder, folder / "build", folder / "build" / "kws"):
            place.chmod(0o755)


def test_folder_of_another_user(
    foreign: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runs, "BUILD", foreign / "build")
    monkeypatch.setattr(runs, "REPORTS", foreign / "reports")
    error = tmp_path / "error.txt"
    assert _code_as_another_user(["--model", "kws"], error) == 2
    assert error.read_text() == (
        f"error: {foreign}/build/kws, where results are kept, cannot be written to: "
        f"{foreign}/build/kws is read-only for this user.\n"
        "  Correct that, or use a copy of the project elsewhere.\n"
    )


def _code_as_another_user(arguments: list[str], error: Path) -> int:
    """Permissions do not bind the superuser: a child process gives its rights away."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.dup2(os.open(error, os.O_WRONLY | os.O_CREAT), 2)
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - ends with the process
        code = build.main(arguments)
        sys.stderr.flush()
        os._exit(code)
    finally:  # a child that went on would run pytest a second time
        os._exit(99)
