"""All processes at once with the planned FIFOs: no deadlock, and exact; one with smaller ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.graph import IntGraph, graph_hash
from flow.plan import HwPlan, plan
from flow.plan.demand import HOLD_BACK
from tests.emit.vitis.batch import PART, hostile_codes
from tests.emit.vitis.branched import BRANCHED
from tests.emit.vitis.dataflow import Runner, compile_dataflow

SMALL_DEPTH = 8
II_CYCLES = {"residual": 8000, "gate": 2000, "skip": 3000, "parallel": 3000, "twice": 900,
             "shuffled": 1200}  # fmt: skip
STARVED = {  # the copies of a tensor that a longer path has to wait for
    "residual": ("stem", "short"), "gate": ("stem", "product"), "skip": ("stem", "joined"),
    "parallel": ("codes", "joined"), "shuffled": ("stem", "total"),
}  # fmt: skip


def planned(name: str) -> tuple[IntGraph, HwPlan]:
    graph = BRANCHED[name]()
    return graph, plan(graph, PART, II_CYCLES[name], engine="vitis")


def starved(name: str) -> tuple[IntGraph, HwPlan]:
    """The network with one FIFO, that of a short path, too small."""
    graph, hw_plan = planned(name)
    graph = replace(graph, name=f"{name}_starved")
    copies = tuple(
        replace(branch, fifo_depth=SMALL_DEPTH)
        if (branch.source, branch.reader) == STARVED[name] else branch
        for branch in hw_plan.branches
    )  # fmt: skip
    assert copies != hw_plan.branches
    return graph, replace(hw_plan, graph_hash=graph_hash(graph), branches=copies)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    networks = [*map(planned, BRANCHED), *map(starved, STARVED)]
    return compile_dataflow(networks, tmp_path_factory.mktemp("dataflow"))


@pytest.mark.parametrize("hold", [0, HOLD_BACK])
@pytest.mark.parametrize("name", BRANCHED)
def test_the_planned_depths_suffice(runner: Runner, name: str, hold: int) -> None:
    graph, _ = planned(name)
    assert runner(graph, hostile_codes(graph, 0, frames=1), hold)


@pytest.mark.parametrize("name", STARVED)
def test_a_fifo_that_is_too_small_is_a_deadlock(runner: Runner, name: str) -> None:
    graph, _ = starved(name)
    assert not runner(graph, hostile_codes(graph, 0, frames=1), 0)
