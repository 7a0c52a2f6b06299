"""Whether a run's results can be written, asked before any work is done for them."""

from __future__ import annotations

import os
from pathlib import Path

from flow.errors import ConfigError
from flow.runs import Run


def check_workplace(run: Run) -> None:
    """Refuse a run whose results have no place to go; makes nothing.

    Raises:
        ConfigError: a folder is not writable, or cannot be made.
    """
    for place in (run.folder, run.report_folder):
        present = next(path for path in (place, *place.parents) if os.path.lexists(path))
        if problem := _problem(present):
            raise ConfigError(
                f"{place}, where results are kept, cannot be written to: {present} {problem}.\n"
                "  Correct that, or use a copy of the project elsewhere."
            )


def _problem(present: Path) -> str | None:
    if not present.is_dir():
        return "is no folder"
    return None if os.access(present, os.W_OK | os.X_OK) else "is read-only for this user"
