"""What a run looks like: a live line in a terminal, plain lines everywhere else.

Plain means no control characters: pipes, log files, TERM=dumb. NO_COLOR keeps the live line but
takes the colours.
"""

from __future__ import annotations

import logging
import time
from types import TracebackType

from rich.console import Console, RenderableType
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Task as RichTask
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

from flow.cache import Notify, Outcome
from flow.progress import LOGGER, Listener, Step

PLAIN_PERIOD_S = 10.0  # plain lines about a stage under way come no more often
BAR_WIDTH = 24
MB = 1e6

console = Console(highlight=False, soft_wrap=True)


class Terminal:
    """Shows stages as they start and end; a context manager.

    With `task` there are no stages: it names what is done all the time.
    """

    def __init__(self, run_name: str, task: str | None = None) -> None:
        self._run_name = run_name
        self._live = is_live()
        self._progress = live_progress(TimeElapsedColumn())
        self._task: TaskID | None = None
        self._stage = task or ""
        self._spoke = time.monotonic()
        self._told = ""
        self._counted: tuple[float, int] | None = None  # when counting began, and from where
        self._listener = Listener(self._tell)

    @property
    def notify(self) -> Notify:
        """The callbacks for the stage runner."""
        return Notify(self._start, self._end, self._note)

    def __enter__(self) -> Terminal:
        self._progress.start()
        if self._stage:
            self._start(self._stage)
        LOGGER.setLevel(logging.INFO)
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

    def count(self, done_bytes: int, total_bytes: int) -> None:
        """Show how much of what was told last is done, how fast, and how long it will take."""
        now = time.monotonic()
        began, first = self._counted = self._counted or (now, done_bytes)
        text = f"{self._told}, {done_bytes / MB:,.1f} of {total_bytes / MB:,.1f} MB"
        if now > began and done_bytes > first:
            rate = (done_bytes - first) / (now - began)
            text += f", {rate / MB:,.1f} MB/s, {(total_bytes - done_bytes) / rate:,.0f} s left"
        self._show(Step(text, done_bytes / total_bytes if total_bytes else None))

    def _tell(self, step: Step) -> None:
        self._told, self._counted = step.text, None
        self._show(step)

    def _start(self, name: str) -> None:
        self._stage = name
        text = escape(f"{self._run_name}: {name}")
        self._task = self._progress.add_task(text, total=None, share=None)
        self._spoke = time.monotonic()

    def _show(self, step: Step) -> None:
        if self._task is None:
            return
        text = f"{self._run_name}: {self._stage:<9} {step.text}"
        if self._live:
            self._progress.update(self._task, description=escape(text), share=step.share)
        elif time.monotonic() - self._spoke >= PLAIN_PERIOD_S:
            self._print(f"{text} ...")

    def _end(self, outcome: Outcome) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        state = "cached" if outcome.cached else f"{outcome.seconds:.1f} s"
        self._print(f"{self._run_name}: {outcome.name:<9} {state}")

    def _note(self, text: str) -> None:
        logging.getLogger(__name__).info(text)
        self._print(f"note: {text}")

    def _print(self, text: str) -> None:
        console.print(text, markup=False)
        self._spoke = time.monotonic()


class ShareColumn(ProgressColumn):
    """A bar for the field `share` of a task; nothing where it is None."""

    def render(self, task: RichTask) -> RenderableType:
        """The bar of one task."""
        share: float | None = task.fields["share"]
        return Text() if share is None else ProgressBar(1.0, share, width=BAR_WIDTH)


def is_live() -> bool:
    """Whether a line can be drawn over; FORCE_COLOR alone makes no terminal of a pipe."""
    return console.file.isatty() and not console.is_dumb_terminal


def live_progress(*columns: ProgressColumn) -> Progress:
    """One line that is drawn over until it vanishes: spinner, text, bar, `columns`.

    Its tasks need the field `share`: what is done (0 to 1), or None for no bar.
    """
    unicode = console.encoding.startswith("utf")
    column = Column(no_wrap=True, overflow="ellipsis" if unicode else "crop")
    text = TextColumn("{task.description}", table_column=column)
    spinner = SpinnerColumn("dots" if unicode else "line")
    return Progress(
        spinner, text, ShareColumn(), *columns,
        console=console, transient=True, disable=not is_live(),
    )  # fmt: skip


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
