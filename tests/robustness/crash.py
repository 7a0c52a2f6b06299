"""Kills a build with stand-ins for its stages at any of its steps in the file system.

Python announces each such step to audit hooks before it takes it: a child process counts them and
kills itself at the one that was asked for, so that every moment can be tried, and tried again.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from flow import build
from tests import fake_run

STEPS = frozenset(
    {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.chmod"}
)
ENDED = 0


def steps_of(folder: Path, *arguments: str) -> int:
    """How many steps a build takes that nobody kills."""
    status = _fork(folder, arguments, kill_at=0)
    assert status == ENDED, f"the build ended with {status}"
    return int((folder / "steps").read_text())


def killed_at(step: int, folder: Path, *arguments: str) -> None:
    """Build in `folder` and die right before the step, from 1."""
    status = _fork(folder, arguments, kill_at=step)
    assert os.WIFSIGNALED(status), f"the build ended with {status} before step {step}"


def _fork(folder: Path, arguments: tuple[str, ...], kill_at: int) -> int:
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        os._exit(_build(folder, arguments, kill_at))
    finally:  # a child that went on would run pytest a second time
        os._exit(99)


def _build(folder: Path, arguments: tuple[str, ...], kill_at: int) -> int:
    fake_run.install(folder)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    count = 0

    def hook(event: str, values: tuple[object, ...]) -> None:
        nonlocal count
        if event not in STEPS or (event == "open" and str(folder) not in str(values[0])):
            return  # what is opened elsewhere are modules
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    code = build.main(["--model", "kws", *arguments])
    (folder / "steps").write_text(str(count))
    return code
