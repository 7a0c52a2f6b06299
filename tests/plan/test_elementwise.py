"""Units without weights: lanes, what their streams allow, cycles counted one by one."""

from __future__ import annotations

import pytest

from flow.errors import ConfigError, PlanError, UnsupportedLayer
from flow.graph import ChannelShuffle, Concat, InputMap, IntGraph, Multiply, Rescale, Upsample
from flow.graph.types import Add
from flow.plan import Override, plan
from flow.plan.cost import LUTRAM_BITS_PER_LUT, STREAM_CONTROL_LUT
from flow.plan.elementwise import input_words, parts_of, plan_elementwise, widths
from flow.plan.unit import FIFO_DEPTH
from tests.helpers import small_graph, tensor
from tests.plan.test_planner import TARGET

X = tensor(4, False, 0)
SHAPE = (3, 5, 6)
ADD = Add("node", ("a", "b"), (SHAPE, SHAPE), (X, X), tensor(8, False, 0))
GATE = Multiply("node", ("a", "b"), (SHAPE, (1, 1, 6)), (X, X), tensor(8, False, 0))
JOIN = Concat("node", ("a", "b"), (SHAPE, (3, 5, 9)), (X, X), tensor(4, True, 0))


def lanes(node, in_elems: tuple[int, ...], ii_cycles: int, pe: int | None = None) -> int:
    return plan_elementwise(node, in_elems, ii_cycles, Override(pe=pe)).lanes


@pytest.mark.parametrize(("ii_cycles", "expected"), [(90, 1), (89, 2), (45, 2), (30, 3), (15, 6)])
def test_the_fewest_lanes_that_keep_the_interval_are_chosen(ii_cycles: int, expected: int) -> None:
    unit = plan_elementwise(ADD, (6, 6), ii_cycles, Override())
    assert (unit.lanes, unit.pe, unit.simd) == (expected, expected, 1)
    assert unit.cycles.bound == unit.out_beats == 90 // expected
    assert unit.in_beats == 15


def test_every_input_must_be_convertible() -> None:
    assert [width.lanes for width in widths(ADD, (2, 6))] == [1, 2, 6]
    assert [width.lanes for width in widths(ADD, (2, 3))] == [1, 6]
    assert lanes(ADD, (2, 3), 45) == 6


def test_a_slow_input_bounds_the_unit() -> None:
    with pytest.raises(PlanError) as caught:
        lanes(ADD, (1, 6), 89)
    assert str(caught.value) == (
        "layer 'node' cannot reach an initiation interval of 89 cycles; its fastest width (PE=1) "
        "needs 90.\n  Raise the cycles per frame: target_ii_cycles in config.yaml, "
        "--cycles, or ii_cycles in an hls4ml script."
    )


def test_a_gate_reads_its_vector_before_the_map() -> None:
    unit = plan_elementwise(GATE, (6, 6), 48, Override())
    assert (unit.lanes, unit.cycles.compute, unit.out_beats) == (2, 48, 45)
    assert plan_elementwise(GATE, (6, 6), 47, Override()).lanes == 3


def test_a_concatenation_takes_its_inputs_in_turn_or_whole_pixels() -> None:
    assert [width.lanes for width in widths(JOIN, (6, 9))] == [1, 3, 15]
    assert input_words(JOIN, 3) == (3, 3)
    assert input_words(JOIN, 15) == (6, 9)
    assert lanes(JOIN, (6, 9), 75) == 3
    assert lanes(JOIN, (6, 9), 74) == 15
    assert [part.in_shape for part in parts_of(JOIN)] == [SHAPE, (3, 5, 9)]


def test_repeated_pixels_count_as_outputs() -> None:
    node = Upsample("node", "a", SHAPE, 2, 3, X)
    assert plan_elementwise(node, (1,), 540, Override()).cycles.bound == 540
    assert lanes(node, (1,), 539) == 2


def test_a_shuffle_keeps_a_pixel_or_is_wires() -> None:
    node = ChannelShuffle("node", "a", (3, 5, 24), 4, X)
    assert [width.lanes for width in widths(node, (1,))] == [1, 2, 3, 4, 6, 8, 24]
    one, eight, wires = (
        plan_elementwise(node, (24,), ii_cycles, Override()) for ii_cycles in (384, 48, 47)
    )
    assert (one.lanes, one.cycles.compute, one.out_beats) == (1, 360 + 24, 360)
    assert (eight.lanes, eight.cycles.compute, eight.out_beats) == (8, 45 + 3, 45)
    assert (wires.lanes, wires.cycles.compute, wires.out_beats) == (24, 15, 15)
    fifo_bits = FIFO_DEPTH * 24 * X.bits
    assert wires.resources.lut == STREAM_CONTROL_LUT + fifo_bits / LUTRAM_BITS_PER_LUT
    kept = 2 * 24 * X.bits / LUTRAM_BITS_PER_LUT
    assert kept < one.resources.lut - STREAM_CONTROL_LUT < eight.resources.lut
    assert eight.resources.lut > 8 * kept
    assert lanes(node, (24,), 383) == 2


def test_engine_xls_refuses_a_shuffle_by_name() -> None:
    node = ChannelShuffle("mixed", "codes", SHAPE, 2, X)
    graph = IntGraph("small", "codes", SHAPE, X, InputMap("float32", 0, None), (node,))
    with pytest.raises(UnsupportedLayer, match="layer 'mixed' is of kind 'channel_shuffle'"):
        plan(graph, TARGET, 100)
    assert plan(graph, TARGET, 100, engine="vitis").units[0].lanes == 1


def test_an_override_is_kept_or_refused() -> None:
    assert lanes(ADD, (6, 6), 15, pe=2) == 2
    with pytest.raises(PlanError) as caught:
        plan_elementwise(ADD, (2, 6), 90, Override(pe=3, simd=1))
    assert str(caught.value) == (
        "layer 'node': PE=3 and SIMD=1 cannot be kept; a layer of kind 'add' has no SIMD, and its "
        "streams support these PE: 1, 2, 6.\n  Correct models.<model>.layers.node in config.yaml, "
        "or layers={'node': {...}} in an hls4ml script."
    )


def test_products_of_codes_take_dsps_when_they_are_wide() -> None:
    wide = Multiply("node", ("a", "b"), (SHAPE, SHAPE), (tensor(8, True, 0),) * 2, X)
    assert plan_elementwise(GATE, (6, 6), 90, Override()).resources.dsp == 0
    assert plan_elementwise(wide, (6, 6), 45, Override()).resources.dsp == 2


def test_a_chain_is_planned_alike_for_both_engines() -> None:
    graph = small_graph()
    assert plan(graph, TARGET, 360, engine="vitis") == plan(graph, TARGET, 360)
    with pytest.raises(ConfigError) as caught:
        plan(graph, TARGET, 360, engine="hdl")
    assert str(caught.value) == "engine 'hdl' is not available; choose one of: xls, vitis."


def test_a_layer_without_weights_has_no_products_to_place() -> None:
    graph = small_graph()
    pool = graph.nodes[3]
    last = Rescale("last", "pool", pool.out_shape, pool.y, X)
    graph = type(graph)(
        graph.name, graph.input_name, graph.input_shape, graph.input_type, graph.input_map,
        (*graph.nodes[:4], last),
    )  # fmt: skip
    with pytest.raises(PlanError, match="layer 'last' has no weights; it has no products to place"):
        plan(graph, TARGET, 400, {"last": Override(products="lut")}, engine="vitis")
