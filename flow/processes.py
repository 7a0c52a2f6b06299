"""Makes child processes end together with this one when the user interrupts it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

POLL_S = 0.1


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt after killing all descendants.

    Worker threads may start further tools while the main thread waits for them, so the killing goes
    on until this context ends. Only the main thread may enter it.
    """
    over = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=_kill_until, args=(over,), daemon=True).start()
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def descendants(pid: int) -> list[int]:
    """Process ids of all children of a process, their children included."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                found += [child, *descendants(child)]
    return found


def _kill_until(over: threading.Event) -> None:
    while True:
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if over.wait(POLL_S):
            return
