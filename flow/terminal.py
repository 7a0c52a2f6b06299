"""What a run looks like: live progress in a terminal, plain lines in a log."""

from __future__ import annotations

import logging
from types import TracebackType

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from flow.cache import Notify, Outcome
from flow.progress import LOGGER, Listener

console = Console(highlight=False, soft_wrap=True)


class Terminal:
    """Shows stages as they start and end; a context manager."""

    def __init__(self, run_name: str) -> None:
        self._run_name = run_name
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._stage = ""
        self._listener = Listener(self._show)

    @property
    def notify(self) -> Notify:
        """The callbacks for the stage runner."""
        return Notify(self._start, self._end, self._note)

    def __enter__(self) -> Terminal:
        self._progress.start()
        LOGGER.addHandler(self._listener)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        LOGGER.removeHandler(self._listener)
        self._progress.stop()

    def _start(self, name: str) -> None:
        self._stage = f"{self._run_name}: {name}"
        self._task = self._progress.add_task(self._stage, total=None)

    def _show(self, text: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, description=escape(f"{self._stage}: {text}"))

    def _end(self, outcome: Outcome) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        state = "cached" if outcome.cached else f"{outcome.seconds:.1f} s"
        console.print(f"{escape(self._run_name)}: {outcome.name:<9} {state}")

    def _note(self, text: str) -> None:
        logging.getLogger(__name__).info(text)
        console.print(f"note: {escape(text)}")


def print_table(lines: list[tuple[str, str]]) -> None:
    """Print label and text in two columns."""
    width = max((len(label) for label, _ in lines), default=0)
    for label, text in lines:
        console.print(f"{label:<{width}}  {text}", markup=False)


def log_handler() -> logging.Handler:
    """Shows log messages between the progress lines."""
    handler = RichHandler(level=logging.INFO, console=console, show_path=False, markup=False)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    return handler
