"""Locks between processes that wait; `flow.cache.locked` is the one that refuses at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def wait_for(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` (made if absent), waiting for other holders.

    The system frees the lock when its holder ends, however it ends. The file stays: removing it
    would let a waiting process and a new one lock two different files of the same name. A thread
    or process that asks again for a lock it holds waits for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
