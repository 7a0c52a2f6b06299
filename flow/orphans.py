"""Ends what a killed process left running in a folder.

`kill -9` ends a run, not its compilers: those would go on writing, by absolute paths, into folders
that the next run makes anew. Every process started inside `marked(folder)` carries the folder in
its environment, which its own children inherit, and is found by that.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "SHIFTFLOW_WORKS_IN"
PATIENCE_S = 10.0  # a killed process may be held up by its disk


@contextmanager
def marked(folder: Path) -> Iterator[None]:
    """Everything that is started inside belongs to `folder`."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = os.fspath(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def end_orphans(folder: Path) -> int:
    """Kill what belongs to `folder`, wait until it is gone; how many there were.

    Only the holder of the folder's lock may call this: then nothing that is found has an owner.
    """
    mark = os.fsencode(f"{VARIABLE}={folder.resolve()}")
    family = _ancestry()
    total = 0
    while ended := sum(_end(pid, mark) for pid in _processes() - family):
        total += ended  # and once more: one of them may just have started another
    return total


def _processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[1-9]*")}


def _ancestry() -> set[int]:
    """This process and those that started it: a run may be started by a run's own tool."""
    found: set[int] = set()
    pid = os.getpid()
    while pid and pid not in found:
        found.add(pid)
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            pid = int(stat.rpartition(")")[2].split()[1])
    return found


def _end(pid: int, mark: bytes) -> bool:
    """Through a pidfd: the number may be another process's by the time of the signal."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # gone meanwhile
        return False
    try:
        if mark not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], PATIENCE_S)
        return True
    except OSError:  # another user's, or gone meanwhile
        return False
    finally:
        os.close(handle)
