"""What a killed process left running in a folder, and what must be spared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flow.orphans import VARIABLE, end_orphans, marked

SLEEP = ["sleep", "60"]


def runs(pid: int) -> bool:
    """Whether there is such a process, and not just its exit code that nobody has asked for."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_processes_of_the_folder_end_and_others_stay(tmp_path: Path) -> None:
    with marked(tmp_path):
        left = subprocess.Popen(SLEEP, start_new_session=True)
    with marked(tmp_path / "other"):
        other = subprocess.Popen(SLEEP)
    with left, other:
        assert end_orphans(tmp_path) == 1
        assert left.wait(1) == -9
        assert other.poll() is None
        assert end_orphans(tmp_path / "other") == 1


def test_children_of_an_orphan_end_too(tmp_path: Path) -> None:
    with marked(tmp_path):
        shell = subprocess.Popen(
            ["sh", "-c", "sleep 60 & echo $!; exec sleep 60"],  # lives on when its child is killed
            stdout=subprocess.PIPE,
            text=True,
        )
    with shell:
        assert shell.stdout is not None
        grandchild = int(shell.stdout.readline())
        assert end_orphans(tmp_path) == 2
    assert not runs(grandchild)


def test_a_run_spares_itself_and_what_started_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from flow.orphans import end_orphans\n"
        "print(end_orphans(Path(sys.argv[1])))"
    )
    with marked(tmp_path):
        nested = subprocess.run(
            ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", program, str(tmp_path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert nested.stdout == "0\n"


def test_the_environment_is_as_before(tmp_path: Path) -> None:
    before = dict(os.environ)
    with marked(tmp_path), marked(tmp_path / "inner"):
        assert os.environ[VARIABLE] == str(tmp_path / "inner")
    assert dict(os.environ) == before
