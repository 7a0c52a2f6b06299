"""What a stage is doing right now: log records that a terminal shows in place of the last one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

LOGGER = logging.getLogger("flow.progress")


@dataclass(frozen=True, slots=True)
class Step:
    """What is being worked on; `share` of it (0 to 1) is done, None: nobody knows."""

    text: str
    share: float | None = None

    def __str__(self) -> str:
        return self.text


def tell(text: str, share: float | None = None) -> None:
    """Say what is being worked on, in a few words, and the share of it (0 to 1) that is done."""
    LOGGER.info(Step(text, share))


def counter(text: str) -> Callable[[int, int], None]:
    """A callback that tells `text` with counts; called with what is done and the total."""

    def count(done: int, total: int) -> None:
        tell(f"{text}, {done:,} of {total:,}", done / total if total else None)

    return count


class Listener(logging.Handler):
    """Hands the latest step to a callable."""

    def __init__(self, show: Callable[[Step], None]) -> None:
        super().__init__(logging.INFO)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record; called from any thread."""
        self._show(record.msg if isinstance(record.msg, Step) else Step(record.getMessage()))
