"""What a stage is doing right now: log records that a terminal shows in place of the last one."""

from __future__ import annotations

import logging
from collections.abc import Callable

LOGGER = logging.getLogger("flow.progress")


def tell(text: str) -> None:
    """Say what is being worked on, in a few words."""
    LOGGER.info(text)


class Listener(logging.Handler):
    """Hands the latest text to a callable."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record; called from any thread."""
        self._show(record.getMessage())
