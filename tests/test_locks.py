"""Processes that wait for one another."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from flow.config import ROOT
from flow.locks import wait_for

HOLD = """
import sys, time
from pathlib import Path
from flow.locks import wait_for
with wait_for(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read() if sys.argv[2:] else None
"""


def hold(lock: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock), *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_second_process_waits_for_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "new" / "lock"
    with wait_for(lock):
        second = hold(lock)
        time.sleep(0.5)
        assert second.poll() is None
    output, _ = second.communicate(timeout=30)
    assert output == "held\n"


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with hold(tmp_path / "lock", "until killed") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
    assert hold(tmp_path / "lock").communicate(timeout=30)[0] == "held\n"
