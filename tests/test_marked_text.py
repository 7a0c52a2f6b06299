"""Tables between two lines of a text file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.errors import DataError
from flow.marked_text import replace_between, text_between

BEGIN, END = "<!-- begin -->", "<!-- end -->"


def test_only_the_text_between_the_markers_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    replace_between(page, BEGIN, END, ["new", "lines"])
    once = page.read_text()
    assert once == f"before\n\n{BEGIN}\n\nnew\nlines\n\n{END}\n\nafter\n"
    replace_between(page, BEGIN, END, ["new", "lines"])
    assert page.read_text() == once
    assert text_between(page, BEGIN, END) == ["new", "lines"]
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


@pytest.mark.parametrize("text", ["nothing", f"{END}\n{BEGIN}\n", f"{BEGIN}\n"])
def test_missing_markers_are_named(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(DataError, match="lacks the lines between which the table belongs"):
        replace_between(page, BEGIN, END, [])
    assert page.read_text() == text
