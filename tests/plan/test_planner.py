"""Plans of whole networks: interval, budget, estimates, and what a user is told."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from flow.errors import PlanError, UnsupportedLayer
from flow.frontend.extract import extract
from flow.graph import Add, AveragePool, IntGraph, MatVec, Rounding, Window, accumulator_bits
from flow.plan import HwPlan, Override, Target, plan
from flow.plan.cost import mac_cost
from tests.helpers import small_graph

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
KWS_II = 8000


@pytest.fixture(scope="module")
def kws_graph() -> IntGraph:
    return extract("kws", "mpq")


@pytest.mark.parametrize("ii_cycles", [180, 200, 360, 500, 1000, 5000])
def test_the_estimate_keeps_the_target(ii_cycles: int) -> None:
    hw_plan = plan(small_graph(), TARGET, ii_cycles)
    assert hw_plan.target_ii_cycles == ii_cycles
    assert hw_plan.est_ii_cycles == max(unit.cycles.bound for unit in hw_plan.units)
    assert hw_plan.est_ii_cycles <= ii_cycles
    assert hw_plan.input_beats <= ii_cycles


def test_multipliers_shrink_as_the_interval_grows() -> None:
    counts = [plan(small_graph(), TARGET, ii).multipliers for ii in (180, 360, 720, 1440, 2880)]
    assert counts == sorted(set(counts), reverse=True)
    assert counts[-1] == len([node for node in small_graph().nodes if node.macs])


def test_streams_of_neighbours_fit_together() -> None:
    hw_plan = plan(small_graph(), TARGET, 360)
    elems = hw_plan.input_elems
    for unit in hw_plan.units:
        assert unit.in_elems == elems
        assert unit.pe % unit.lanes == 0
        elems = unit.lanes
    assert hw_plan.output_elems == elems
    for unit, following in zip(hw_plan.units, hw_plan.units[1:], strict=False):
        assert unit.out_beats == following.in_beats
    assert hw_plan.output_beats == hw_plan.units[-1].out_beats


def test_estimates_are_positive_and_dsps_are_only_where_products_use_them() -> None:
    for unit in plan(small_graph(), TARGET, 360).units:
        assert unit.resources.lut > 0
        assert unit.resources.bram >= 0
        if unit.mac is not None:
            expected = mac_cost(unit.mac, unit.products)[1]
            assert unit.resources.dsp == expected
            assert (expected > 0) == (unit.products == "dsp")


def test_widths_come_from_the_actual_weights() -> None:
    graph = small_graph()
    for node, unit in zip(graph.nodes, plan(graph, TARGET, 360).units, strict=True):
        if unit.mac is None:
            continue
        top = max(int(node.weights.max()), -int(node.weights.min()) - 1)
        assert unit.w_bits == top.bit_length() + 1 <= node.weight_bits
        assert unit.acc_bits == accumulator_bits(node)


def test_narrow_products_never_take_dsps_and_wide_ones_do() -> None:
    units = {unit.name: unit for unit in plan(small_graph(), TARGET, 360).units}
    assert units["point"].x_bits * units["point"].w_bits == 16
    assert units["point"].products == "lut"
    assert units["dense"].x_bits * units["dense"].w_bits == 96
    assert units["dense"].products == "dsp"


def test_a_small_dsp_budget_moves_the_cheapest_products_to_luts_first() -> None:
    def in_dsps(budget: float) -> set[str]:
        hw_plan = plan(small_graph(), TARGET, 180, dsp_budget=budget)
        assert sum(u.resources.dsp for u in hw_plan.units if u.mac) <= max(budget * TARGET.dsp, 0)
        return {unit.name for unit in hw_plan.units if unit.products == "dsp"}

    units = {unit.name: unit for unit in plan(small_graph(), TARGET, 180).units}

    def luts_per_dsp(name: str) -> float:
        mac = units[name].mac
        assert mac is not None
        dsp_luts, dsps = mac_cost(mac, "dsp")
        return (mac_cost(mac, "lut")[0] - dsp_luts) / dsps

    order = sorted(in_dsps(1.0), key=luts_per_dsp)
    assert set(order) == {"conv", "deep", "dense"}
    assert [in_dsps(b / 220) for b in (27, 26, 10, 2)] == [
        set(order), set(order[1:]), set(order[2:]), set(),
    ]  # fmt: skip


def test_moved_products_cost_the_luts_that_the_model_says() -> None:
    free, tight = (plan(small_graph(), TARGET, 180, dsp_budget=b) for b in (1.0, 0.0))
    for before, after in zip(free.units, tight.units, strict=True):
        if before.products == after.products:
            assert before.resources == after.resources
            continue
        assert before.mac is not None
        change = mac_cost(before.mac, "lut")[0] - mac_cost(before.mac, "dsp")[0]
        assert after.resources.lut == before.resources.lut + round(change)
        assert after.resources.dsp == 0


def test_an_override_of_products_is_kept_whatever_the_budget() -> None:
    overrides = {"conv": Override(products="dsp"), "dense": Override(products="lut")}
    hw_plan = plan(small_graph(), TARGET, 180, overrides, dsp_budget=0.1)
    products = {unit.name: unit.products for unit in hw_plan.units}
    assert products["conv"] == "dsp"
    assert products["dense"] == "lut"


def test_overrides_of_folds_reach_the_unit() -> None:
    overrides = {"conv": Override(pe=8, simd=12), "pool": Override(pe=4)}
    units = {unit.name: unit for unit in plan(small_graph(), TARGET, 400, overrides).units}
    assert (units["conv"].pe, units["conv"].simd) == (8, 12)
    assert units["pool"].pe == 4


def test_an_override_of_an_unknown_layer_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        plan(
            small_graph(),
            TARGET,
            400,
            {"nope": Override(), "conv": Override(products="x"), "pool": Override(products="lut")},
        )
    assert str(caught.value) == (
        "overrides of 'small' cannot be kept:\n"
        "  - there is no layer 'nope'; its layers: conv, deep, point, pool, dense.\n"
        "  - layer 'conv': products='x' is not lut or dsp.\n"
        "  - layer 'pool' is a pool; it has no products to place.\n"
        "  Correct models.<model>.layers in config.yaml, or layers={...} in an hls4ml script."
    )


def test_what_has_no_hardware_is_refused_by_name_all_at_once() -> None:
    graph = small_graph()
    conv, deep, *_ = graph.nodes
    assert isinstance(conv, MatVec)
    assert isinstance(deep, MatVec)
    even = replace(conv, rounding=Rounding.HALF_EVEN, weight_mult=np.array([3]))
    shapes, types = (conv.out_shape, deep.out_shape), (conv.y, deep.y)
    join = Add("join", ("conv", "deep"), shapes, types, deep.y)
    padded = replace(conv.window, kernel_h=2, kernel_w=2, pad_top=1)
    pool = AveragePool("pool", "join", join.out_shape, (2, 2, 8), padded, join.y, join.y)
    with pytest.raises(UnsupportedLayer) as caught:
        plan(replace(graph, nodes=(even, deep, join, pool)), TARGET, 400)
    assert str(caught.value) == (
        "graph 'small' has no hardware of engine 'xls' yet:\n"
        "  - layer 'conv' rounds half_even; half_up is supported.\n"
        "  - layer 'conv' has weight scales that are no powers of two.\n"
        "  - layer 'join' is of kind 'add'.\n"
        "  - layer 'pool' averages over windows that reach into the padding.\n"
        "  Choose --engine vitis, which has more; or stop before plan (--to evaluate)."
    )


@pytest.mark.parametrize(
    ("window", "grown"),
    [
        (Window(1, 1, 1, 1, 1, 1), 2),  # zero padding before a 1x1 kernel
        (Window(3, 3, 1, 1, 0, 3), 1),
        (Window(2, 2, 1, 1, 0, 0), 2),  # below and to the right
    ],
)
def test_windows_beside_the_map_have_no_hardware(window: Window, grown: int) -> None:
    graph = small_graph()
    conv = graph.nodes[0]
    assert isinstance(conv, MatVec)
    height, width, channels = conv.in_shape
    weights = np.ones((window.kernel_h, window.kernel_w, channels, conv.out_shape[2]), np.int64)
    out_shape = (height + grown, width + grown, conv.out_shape[2])
    wide = replace(conv, window=window, weights=weights, out_shape=out_shape)
    with pytest.raises(UnsupportedLayer, match="'conv' has windows that lie wholly in the padding"):
        plan(replace(graph, nodes=(wide,)), TARGET, 4000)


def test_without_an_interval_the_fastest_plan_in_budget_is_found() -> None:
    fast = plan(small_graph(), TARGET, None)
    small = replace(TARGET, lut=fast.units[0].resources.lut * 4, dsp=12)
    slow = plan(small_graph(), small, None)
    assert fast.est_ii_cycles < slow.est_ii_cycles
    assert sum(unit.resources.dsp for unit in slow.units) <= int(0.85 * 12)
    with pytest.raises(PlanError, match="does not fit"):
        plan(small_graph(), small, slow.est_ii_cycles - 1)


def test_a_device_that_is_too_small_lists_every_shortage() -> None:
    small = replace(TARGET, lut=100, bram=0, dsp=1)
    with pytest.raises(PlanError) as caught:
        plan(small_graph(), small, 400)
    hw_plan = plan(small_graph(), replace(small, lut=99999, bram=999, dsp=10), 400, dsp_budget=0)
    need = {f.name: sum(getattr(u.resources, f.name) for u in hw_plan.units)
            for f in fields(hw_plan.units[0].resources)}  # fmt: skip
    assert str(caught.value) == (
        f"'small' at 400 cycles does not fit 'xc7z020': estimated {need['lut']:g} LUT of 70 "
        f"(0.7 of 100), {need['dsp']:g} DSP of 1, {need['bram']:g} BRAM of 0.\n"
        "  Raise the cycles per frame: target_ii_cycles in config.yaml, --cycles, or ii_cycles in "
        "an hls4ml script; or choose a larger target, or raise lut_budget in config.yaml."
    )


def test_equal_inputs_give_equal_plans() -> None:
    assert plan(small_graph(), TARGET, 400) == plan(small_graph(), TARGET, 400)


def test_kws_at_8000_cycles_uses_its_multipliers(kws_graph: IntGraph) -> None:
    hw_plan: HwPlan = plan(kws_graph, TARGET, KWS_II)
    assert hw_plan.est_ii_cycles == KWS_II
    assert kws_graph.macs / (hw_plan.multipliers * hw_plan.est_ii_cycles) >= 0.85
    assert sum(unit.resources.dsp for unit in hw_plan.units) <= 188


def test_kws_ends_at_5000_cycles_where_its_first_window_has_one_tap_per_cycle(
    kws_graph: IntGraph,
) -> None:
    roomy = replace(TARGET, lut=10**6)
    assert plan(kws_graph, roomy, 5000).est_ii_cycles == 25 * 5 * 10 * 4
    with pytest.raises(PlanError, match=r"'conv2d' cannot reach .* needs 5000\."):
        plan(kws_graph, roomy, 4999)
