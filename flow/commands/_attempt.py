"""A run as it goes: which stages ended, which one is under way, and what ended it early."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flow import stages
from flow.cache import Notify, Outcome
from flow.runs import Run
from flow.stages import Finished


@dataclass(slots=True)
class Attempt:
    """Fills up while a run is executed."""

    name: str  # of the run
    run: Run | None = None  # None: it was refused before it became one
    last: str | None = None  # stage wanted
    outcomes: list[Outcome] = field(default_factory=list)
    stage: str | None = None  # under way
    finished: Finished | None = None
    error: BaseException | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the stages that were asked for, in order."""
        if self.run is None:
            return ()
        names = [stage.name for stage in stages.stages_of(self.run)]
        return tuple(names[: names.index(self.last) + 1] if self.last in names else names)

    @property
    def reached(self) -> Finished:
        """What there is, whether or not the run came to its end."""
        return self.finished or Finished(tuple(self.outcomes), None)

    @property
    def problem(self) -> str | None:
        """The error in words."""
        if self.error is None:
            return None
        if isinstance(self.error, KeyboardInterrupt):
            return "interrupted"
        return str(self.error) or type(self.error).__name__

    def listening(self, notify: Notify) -> Notify:
        """The same callbacks, which this object hears too."""

        def start(name: str) -> None:
            self.stage = name
            notify.start(name)

        def end(outcome: Outcome) -> None:
            self.outcomes.append(outcome)
            self.stage = None
            notify.end(outcome)

        return Notify(start, end, notify.note)

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """Keep what ends the run early; it is raised all the same."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise
