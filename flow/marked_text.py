"""Text files that are partly made by a command: what stands between two lines is replaced."""

from __future__ import annotations

from pathlib import Path

from flow.errors import DataError


def replace_between(path: Path, begin: str, end: str, lines: list[str]) -> None:
    """Replace what stands between the lines `begin` and `end` of a text file.

    Raises:
        DataError: they are missing, or not in order.
    """
    before, after = _around(path, begin, end)
    body = "\n".join(lines)
    write_text(path, f"{before}{begin}\n\n{body}\n\n{end}{after}")


def text_between(path: Path, begin: str, end: str) -> list[str]:
    """The lines that `replace_between` put there.

    Raises:
        DataError: `begin` or `end` is missing, or they are not in order.
    """
    before, after = _around(path, begin, end)
    text = path.read_text(encoding="utf-8")
    inner = text[len(before) + len(begin) : len(text) - len(end) - len(after)]
    return inner.strip("\n").split("\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _around(path: Path, begin: str, end: str) -> tuple[str, str]:
    """What comes before `begin` and after `end`."""
    before, found, rest = path.read_text(encoding="utf-8").partition(f"{begin}\n")
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise DataError(
            f"{path} lacks the lines between which the table belongs:\n  {begin}\n  {end}\n"
            "  Put them back."
        )
    return before, after
