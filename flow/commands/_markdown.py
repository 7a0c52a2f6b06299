"""Tables as text: Markdown, and plain columns for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Lines of a Markdown table; `align` holds `<` or `>` for each column."""
    rule = ["---:" if sign == ">" else "---" for sign in align]
    cells = [[escape(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (list(header), rule, *cells)]


def escape(text: str) -> str:
    """The text as it is, in a Markdown cell."""
    return re.sub(r"([\\|*_`<\[\]])", r"\\\1", text).replace("\n", " ")


def fenced(text: str) -> list[str]:
    """Lines of a block that shows `text` unchanged, whatever it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *text.splitlines(), fence]


def columns(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Lines of plain columns, two blanks apart."""
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{sign}{width}}" for cell, sign, width in zip(row, align, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
