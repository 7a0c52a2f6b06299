"""Finds, reads and checks the report of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flow import runs
from flow.commands._paths import short
from flow.errors import ConfigError, DataError

FILE = "report.json"
TOLD = {"missing": "is missing", "extra_forbidden": "is unknown"}  # by pydantic's error type


@dataclass(frozen=True, slots=True)
class Loaded:
    """A report.json whose every key has been checked."""

    path: Path
    content: dict[str, Any]


def load_report(name: Path) -> Loaded:
    """The report of a run below reports/, in a folder, or in a file.

    Raises:
        ConfigError: there is none of that name.
        DataError: it cannot be read, or is not a report of this version; names the keys.
    """
    path = _find(name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise DataError(f"cannot read the report {short(path)}: {reason}.{_again()}") from error
    _check(path, content)
    return Loaded(path, content)


def _find(name: Path) -> Path:
    named = runs.REPORTS / name / FILE
    for place in (name, name / FILE, named):
        if place.is_file():
            return place
    known = sorted(path.parent.name for path in runs.REPORTS.glob(f"*/{FILE}"))
    raise ConfigError(
        f"there is no report {str(name)!r}: neither {name} nor {short(named)} exists.\n"
        f"  Runs with a report: {', '.join(known) or 'none yet'}."
    )


def _check(path: Path, content: Any) -> None:
    from flow.report import SCHEMA, check_report

    if not (isinstance(content, dict) and "schema" in content):
        raise DataError(f"{short(path)} is no report: it has no key 'schema'.{_again()}")
    if content["schema"] != SCHEMA:
        raise DataError(
            f"{short(path)} has schema {content['schema']!r}; this version reads {SCHEMA}."
            f"{_again()}"
        )
    try:
        check_report(content)
    except DataError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        raise DataError(_wrong_keys(path, error.__cause__)) from error


def _wrong_keys(path: Path, error: ValidationError) -> str:
    """Each key once: an older report lacks the same key in every layer."""
    wrong: dict[str, set[str]] = {}
    for problem in error.errors():
        key = ".".join("*" if isinstance(part, int) else part for part in problem["loc"])
        told = problem["type"] in TOLD
        what = TOLD[problem["type"]] if told else f"{problem['input']!r:.60}: {problem['msg']}"
        wrong.setdefault(key, set()).add(what)
    listed = "".join(f"\n  {key}: {'; '.join(sorted(whats))}" for key, whats in wrong.items())
    count = f"{len(wrong)} key{'s' if len(wrong) > 1 else ''}"
    return f"{short(path)}: {count} not as this version writes them:{listed}{_again()}"


def _again() -> str:
    return "\n  Make the report again with this version: python flow/build.py --model NAME"
