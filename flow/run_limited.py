"""One tool process under a time limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from threading import Event

from flow.processes import descendants

POLL_S = 0.2


class Outcome(Enum):
    """How a process ended."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    STOPPED = "stopped"


def run_limited(
    command: Sequence[str],
    folder: Path,
    log: Path,
    timeout_s: float,
    stop: Event | None = None,
    *,
    env: Mapping[str, str] | None = None,
    append: bool = False,
) -> tuple[Outcome, int]:
    """Run `command` in `folder`, all its output into `log`.

    The process leads a group of its own, so that at the limit, and when `stop` is set, everything
    that it started ends with it, children with a group of their own too.

    Args:
        env: the whole environment; None: this process's.
        append: keep what `log` holds.

    Returns:
        The outcome and the exit code.
    """
    deadline = time.monotonic() + timeout_s
    with log.open("ab" if append else "wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            outcome = _wait(process, deadline, stop or Event())
        finally:
            if process.poll() is None:
                _kill_group(process)
    return outcome, process.returncode


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: Event) -> Outcome:
    while True:
        try:
            process.wait(min(POLL_S, max(deadline - time.monotonic(), 0.001)))
            return Outcome.EXITED
        except subprocess.TimeoutExpired:
            if stop.is_set():
                return Outcome.STOPPED
            if time.monotonic() >= deadline:
                return Outcome.TIMEOUT


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    detached = descendants(process.pid)
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself since
        os.killpg(process.pid, signal.SIGKILL)
    for pid in detached:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
