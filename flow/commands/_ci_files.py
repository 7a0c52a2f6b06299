"""The files of `--junit` and `--summary`, written whatever becomes of the run."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flow.commands._attempt import Attempt
from flow.errors import ConfigError, FlowError

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # names a file that the steps of a GitHub job append to


@contextmanager
def ci_files(junit: Path | None, summary: Path | None) -> Iterator[list[Attempt]]:
    """Yields the list that the caller fills with its runs; at the end the files are written.

    An error before the first run is written too, so that no older file is taken for this call's.

    Raises:
        ConfigError: a file cannot be written there; before any work is done.
    """
    for option, path in (("--junit", junit), ("--summary", summary)):
        if path is not None:
            check_place(option, path)
    attempts: list[Attempt] = []
    try:
        yield attempts
    except BaseException as error:
        if not any(attempt.error for attempt in attempts):
            attempts.append(Attempt("configuration", error=error))
        with _told():
            _write(junit, summary, attempts)
        raise
    _write(junit, summary, attempts)


def check_place(option: str, path: Path) -> None:
    """Refuse a file that cannot be written; its folder is made.

    Raises:
        ConfigError: names the option.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PermissionError(0, "no permission to write")
    except OSError as error:
        raise ConfigError(
            f"{option} {path} cannot be written: {error.strerror}.\n  Name another file."
        ) from error


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; what is no regular file (a pipe, a device) is written to.

    Raises:
        FlowError: it cannot be written.
    """
    content = _encoded(text)
    try:
        place = path.resolve()  # a link stays one
        if place.exists() and not place.is_file():
            place.write_bytes(content)
            return
        handle, part = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(part, 0o644)  # mkstemp's 0600 would hide it from the next step of a job
            os.replace(part, place)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise
    except OSError as error:
        raise FlowError(f"cannot write {path}: {error.strerror}.") from error


def _write(junit: Path | None, summary: Path | None, attempts: list[Attempt]) -> None:
    if junit is not None:
        from flow.commands._junit import junit_xml

        replace_text(junit, junit_xml(attempts))
    if summary is not None:
        from flow.commands._run_summary import run_summary

        if _is_step_summary(summary):
            with summary.open("ab") as file:
                file.write(_encoded(run_summary(attempts)))
        else:
            replace_text(summary, run_summary(attempts))


def _encoded(text: str) -> bytes:
    """Paths in error messages may hold bytes that are no text."""
    return text.encode("utf-8", "backslashreplace")


def _is_step_summary(path: Path) -> bool:
    named = os.environ.get(STEP_SUMMARY)
    return bool(named) and path.is_file() and path.samefile(named or "")


@contextmanager
def _told() -> Iterator[None]:
    """The run's own error goes on; trouble with these files must not hide it."""
    try:
        yield
    except (FlowError, OSError) as error:
        print(f"note: {error}", file=sys.stderr)
