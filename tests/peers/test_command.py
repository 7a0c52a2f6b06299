"""The command: its exit code, what it says, when it publishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flow.data import Source
from flow.errors import FlowError
from flow.peers import __main__ as command
from flow.peers import publish, rows
from flow.peers.rows import Comparison
from tests.peers.made_rows import EXACT, comparison_rows, failed


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """The command with these rows; what was published is in `published`."""

    def start(made: Any, *arguments: str) -> int:
        def compare(wanted: Callable[[str], bool], **options: Any) -> Comparison:
            start.asked = [n for n in ("conv-auto", "conv-auto_po2", "kws-auto") if wanted(n)]
            start.options = options
            if isinstance(made, BaseException):
                raise made
            return Comparison(tuple(made), Source(tmp_path / "x.npz", is_real=True))

        start.published = []
        monkeypatch.setattr(rows, "compare", compare)
        monkeypatch.setattr(publish, "publish", start.published.append)
        return command.main(list(arguments))

    return start


def test_exact_rows_are_published_and_succeed(run: Any, capsys: Any) -> None:
    assert run(comparison_rows()) == 0
    assert len(run.published) == 1
    said = capsys.readouterr().out
    assert "| conv | 1 | default | 75.00 % |" in said
    assert "shiftflow: 0 of 240 outputs wrong in 2 rows, 0 failed" in said


def test_one_wrong_output_of_ours_fails_and_is_published_all_the_same(run: Any) -> None:
    made = comparison_rows()
    made[3] = replace(made[3], judged=replace(EXACT, wrong=1))
    assert run(made) == 1
    assert len(run.published) == 1


def test_a_failed_row_of_ours_fails(run: Any) -> None:
    assert run([*comparison_rows(), failed(flow="shiftflow", alpha="auto")]) == 1


def test_a_part_is_not_published(run: Any) -> None:
    assert run(comparison_rows(), "--only", "conv-auto_po2", "--only", "kws", "--force") == 0
    assert run.published == []
    assert run.asked == ["conv-auto_po2", "kws-auto"]
    assert run.options["force"] is True


def test_an_error_is_said_without_a_traceback(run: Any, capsys: Any) -> None:
    assert run(FlowError("it went wrong.\n  Do this.")) == 1
    assert capsys.readouterr().err == "error: it went wrong.\n  Do this.\n"


def test_an_interrupted_run_says_that_it_resumes(run: Any, capsys: Any) -> None:
    assert run(KeyboardInterrupt()) == 130
    assert "interrupted; the same command goes on" in capsys.readouterr().err
