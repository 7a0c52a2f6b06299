"""The comparison resumes, and no crash of simulated C++ ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.errors import FlowError, ToolFailed
from flow.peers import problem as problems
from flow.peers import row as rows
from flow.peers import rows as stages
from flow.peers.flows import FLOWS
from flow.run_limited import Outcome as End
from tests.peers.made_rows import row


class Workers:
    """Stands for the worker processes: writes what they would, and counts them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.content = 1
        self.ends: dict[str, tuple[End, int]] = {}
        self.stop_at = ""

    def __call__(self, arguments: Sequence[str], log: Path) -> tuple[End, int, list[str]]:
        what, network, alpha, folder, *rest = arguments
        name = "-".join([network, alpha, *([rest[1]] if what == "row" else [])])
        if name == self.stop_at:
            raise KeyboardInterrupt
        self.made.append(name)
        log.write_text("it said this\n")
        if what == "problem":
            np.savez(Path(folder) / problems.FILE, x=np.array(self.content))
        else:
            rows.save_row(row(network, alpha, rest[1], failed="killed"), Path(folder))
            if name not in self.ends:
                rows.save_row(row(network, alpha, rest[1]), Path(folder))
        return *self.ends.get(name, (End.EXITED, 0)), ["python"]


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    made = Workers()
    monkeypatch.setattr(stages, "_worker", made)
    return made


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., stages.Comparison]:
    def run(**options: Any) -> stages.Comparison:
        return stages.compare(lambda name: name == "conv-auto", folder=tmp_path, **options)

    return run


ALL = ["conv-auto", *(f"conv-auto-{flow}" for flow in FLOWS)]


def test_every_flow_of_a_model_becomes_a_row(workers: Workers, compare: Any) -> None:
    found = compare()
    assert workers.made == ALL
    assert [one.flow for one in found.rows] == list(FLOWS)


def test_nothing_is_made_twice(workers: Workers, compare: Any) -> None:
    first = compare()
    workers.made.clear()
    assert compare() == first
    assert workers.made == []


def test_an_interrupted_run_goes_on_where_it_was(workers: Workers, compare: Any) -> None:
    workers.stop_at = "conv-auto-hand-set"
    with pytest.raises(KeyboardInterrupt):
        compare()
    assert workers.made == ALL[:3]
    workers.stop_at, workers.made = "", []
    assert len(compare().rows) == len(FLOWS)
    assert workers.made == ALL[3:]


def test_rows_follow_the_content_of_their_problem(
    workers: Workers, compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare()
    workers.made.clear()
    monkeypatch.setattr(stages, "PROBLEM_SOURCES", ("flow/__init__.py",))
    compare()
    assert workers.made == ["conv-auto"]  # made again by other code, but the same
    workers.made.clear()
    monkeypatch.setattr(stages, "PROBLEM_SOURCES", ("flow/errors.py",))
    workers.content = 2
    compare()
    assert workers.made == ALL


def test_only_our_row_follows_our_sources(
    workers: Workers, compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare()
    workers.made.clear()
    monkeypatch.setattr(stages, "OUR_SOURCES", ("flow/__init__.py",))
    compare()
    assert workers.made == ["conv-auto-shiftflow"]


def test_force_measures_rows_again(workers: Workers, compare: Any) -> None:
    compare()
    workers.made.clear()
    compare(force=True)
    assert workers.made == ALL[1:]


def test_a_crash_is_a_row(workers: Workers, compare: Any) -> None:
    workers.ends["conv-auto-default"] = (End.EXITED, -11)
    found = compare()
    assert [one.failed for one in found.rows] == ["crash: SIGSEGV", None, None, None]


def test_a_worker_that_cannot_work_ends_the_run(workers: Workers, compare: Any) -> None:
    workers.ends["conv-auto-default"] = (End.EXITED, 1)
    with pytest.raises(ToolFailed, match=r"the row 'conv-auto-default' failed with exit code 1"):
        compare()
    workers.ends = {"conv-auto-bit_exact": (End.TIMEOUT, -9)}
    with pytest.raises(FlowError, match="flow 'bit_exact' did not end within 3600 s"):
        compare()


def test_a_problem_that_cannot_be_made_ends_the_run(workers: Workers, compare: Any) -> None:
    workers.ends["conv-auto"] = (End.EXITED, 1)
    with pytest.raises(ToolFailed, match="the model 'conv', alpha 'auto' failed") as caught:
        compare()
    assert "it said this" in str(caught.value)
