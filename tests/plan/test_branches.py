"""FIFO depths at branches. tests/emit/vitis/test_dataflow.py runs networks with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.graph import IntGraph, Kind
from flow.graph.types import Add, InputMap
from flow.plan import HwPlan, load_plan, plan, plan_hash, save_plan
from flow.plan.branches import MARGIN
from flow.plan.demand import HOLD_BACK, Demand, demand, through
from tests.emit.vitis.branched import BRANCHED
from tests.helpers import random_matvec, tensor
from tests.plan.test_planner import TARGET

X = tensor(6, True, -4)


def residual(rows: int, kernel: int = 3, layers: int = 1) -> IntGraph:
    """Convolutions of one channel on `rows` x 10 pixels, and a shortcut around them."""
    rng = np.random.default_rng(0)
    nodes = [random_matvec(rng, "stem", "codes", Kind.CONV, (rows, 10, 1), X, cout=1)]
    for index in range(layers):
        before = nodes[-1]
        nodes.append(
            random_matvec(
                rng, f"conv{index}", before.name, Kind.CONV, before.out_shape, before.y, cout=1,
                kernel=(kernel, kernel),
            )
        )  # fmt: skip
    stem, last = nodes[0], nodes[-1]
    total = Add("total", ("stem", last.name), (stem.out_shape,) * 2, (stem.y, last.y), last.y)
    return IntGraph("r", "codes", (rows, 10, 1), X, InputMap("float32", 0, None), (*nodes, total))


def depths(hw_plan: HwPlan) -> dict[str, int]:
    return {f"{b.source}->{b.reader}.{b.port}": b.fifo_depth for b in hw_plan.branches}


def test_a_chain_has_no_copies() -> None:
    graph = residual(8)
    chain = replace(graph, nodes=graph.nodes[:2])
    assert plan(chain, TARGET, 4000, engine="vitis").branches == ()


def test_a_shortcut_holds_what_the_longer_path_absorbs() -> None:
    """The ring of one 3 x 3 convolution has 4 rows of 10; each process holds HOLD_BACK more."""
    found = depths(plan(residual(60), TARGET, 10_000, engine="vitis"))
    rows_ahead, processes = 4 * 10, 6  # converters, window, mac, requant, sum
    assert found["stem->total.0"] >= rows_ahead + HOLD_BACK
    assert found["stem->total.0"] <= rows_ahead + 10 + processes * HOLD_BACK + 2 * 10


def test_a_longer_path_needs_more_and_a_frame_is_always_enough() -> None:
    one, two, three = (
        depths(plan(residual(60, layers=n), TARGET, 10_000, engine="vitis"))["stem->total.0"]
        for n in (1, 2, 3)
    )
    assert one < two < three <= 600
    short = depths(plan(residual(6, layers=3), TARGET, 10_000, engine="vitis"))
    assert short["stem->total.0"] == 60 + MARGIN


def test_a_gate_holds_a_whole_frame() -> None:
    graph = BRANCHED["gate"]()
    hw_plan = plan(graph, TARGET, 2000, engine="vitis")
    stem = hw_plan.units[0]
    found = depths(hw_plan)
    assert found["stem->product.0"] == stem.out_beats + MARGIN
    assert found["stem->total.1"] == stem.out_beats + MARGIN
    assert set(found) == {"stem->pool.0", "stem->product.0", "stem->total.1"}


def test_both_inputs_of_a_layer_get_a_copy() -> None:
    found = depths(plan(BRANCHED["twice"](), TARGET, 900, engine="vitis"))
    assert set(found) == {
        "stem->square.0", "stem->square.1", "stem->total.1", "square->total.0", "square->total.2",
    }  # fmt: skip


@pytest.mark.parametrize("name", BRANCHED)
def test_a_whole_frame_is_read_at_the_end_and_bounds_enclose(name: str) -> None:
    graph = BRANCHED[name]()
    hw_plan = plan(graph, TARGET, 8000, engine="vitis")
    elems = {graph.input_name: hw_plan.input_elems}
    elems |= {unit.name: unit.lanes for unit in hw_plan.units}
    for node, unit in zip(graph.nodes, hw_plan.units, strict=True):
        count = np.arange(unit.out_beats + 1)
        for port, source in enumerate(node.sources):
            found = demand(node, unit, port, elems[source], Demand(count, count))
            total = int(np.prod(node.in_shapes[port])) // elems[source]
            assert (found.least <= found.most).all()
            assert (np.diff(found.least) >= 0).all()
            assert (np.diff(found.most) >= 0).all()
            assert found.least[0] == found.most[0] == 0
            assert found.most[-1] == total == found.least[-1]


def test_a_process_that_holds_back_reads_no_more_than_there_is() -> None:
    count = np.arange(101)
    found = through(Demand(count, count), 100)
    np.testing.assert_array_equal(found.least, count)
    assert found.most[:2].tolist() == [0, 1 + HOLD_BACK]
    assert found.most[-1] == 100


def test_copies_cost_their_readers_memory() -> None:
    graph = residual(60)
    free = plan(replace(graph, nodes=graph.nodes[:2]), TARGET, 10_000, engine="vitis")
    hw_plan = plan(graph, TARGET, 10_000, engine="vitis")
    assert hw_plan.units[1].resources.lut > free.units[1].resources.lut


def test_a_plan_with_branches_survives_the_file(tmp_path) -> None:
    hw_plan = plan(BRANCHED["gate"](), TARGET, 2000, engine="vitis")
    save_plan(hw_plan, tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == hw_plan
    assert plan_hash(load_plan(tmp_path / "plan.json")) == plan_hash(hw_plan)
    chain = plan(replace(residual(8), nodes=residual(8).nodes[:2]), TARGET, 4000, engine="vitis")
    save_plan(chain, tmp_path / "chain.json")
    text = (tmp_path / "chain.json").read_text()
    assert not {"branches", "mult_bits", "half_even", "groups"} & set(text.split('"'))
