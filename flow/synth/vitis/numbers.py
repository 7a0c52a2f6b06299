"""Numbers of AMD's reports."""

from __future__ import annotations

from pathlib import Path

from flow.errors import DataError

UNKNOWN = ("undef", "?", "-", "NA")  # latency that depends on data: UG1399, 'Latency'


def count(text: str, name: str, report: Path) -> int:
    """A number of cells.

    Raises:
        DataError: it is none.
    """
    if not text.strip().isdecimal():
        raise _wrong(text, name, report)
    return int(text)


def cycles(text: str, name: str, report: Path) -> int | None:
    """A number of cycles; None where the tool says that it is not known.

    Raises:
        DataError: it is neither.
    """
    return None if text.strip() in UNKNOWN else count(text, name, report)


def real(text: str, name: str, report: Path) -> float:
    """Nanoseconds, or blocks of which halves are counted.

    Raises:
        DataError: it is no finite number.
    """
    try:
        value = float(text)
    except ValueError:
        raise _wrong(text, name, report) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise _wrong(text, name, report)
    return value


def _wrong(text: str, name: str, report: Path) -> DataError:
    return DataError(f"report {report}: {name} is {text!r}, not a number.")
