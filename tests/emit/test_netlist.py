"""Netlists: every stream has one driver, one reader and one width."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from flow.emit.netlist import STREAM_SIGNALS, ModuleBuilder
from flow.emit.top import axis_width, egress_netlist, ingress_netlist, top_netlist
from flow.emit.unit import unit_netlist
from flow.plan import HwPlan, Target, plan
from tests.helpers import small_graph

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
GRAPH = small_graph()
LATENCIES = {f"mac_{node.name}": 4 for node in GRAPH.nodes}
PLANS = {ii: plan(GRAPH, TARGET, ii) for ii in (180, 400, 5000)}


def modules(hw_plan: HwPlan) -> list[ModuleBuilder]:
    units = [
        unit_netlist(node, unit, LATENCIES)
        for node, unit in zip(GRAPH.nodes, hw_plan.units, strict=True)
    ]
    return [top_netlist(hw_plan), ingress_netlist(hw_plan), egress_netlist(hw_plan), *units]


ALL = [module for hw_plan in PLANS.values() for module in modules(hw_plan)]


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_every_stream_is_declared_once_and_joins_two_instances(module: ModuleBuilder) -> None:
    declared = Counter(stream.name for stream in module.streams)
    assert set(declared.values()) <= {1}
    ends = Counter(signal for instance in module.instances for _, signal in instance.ports)
    for name in declared:
        assert [ends[f"{name}_{signal}"] for signal in STREAM_SIGNALS] == [2, 2, 2]


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_every_port_is_connected_once_and_nothing_else_is(module: ModuleBuilder) -> None:
    names = [port.name for port in module.ports]
    assert len(names) == len(set(names))
    ends = Counter(signal for instance in module.instances for _, signal in instance.ports)
    assert all(ends[name] == 1 for name in names)
    streams = {f"{s.name}_{signal}" for s in module.streams for signal in STREAM_SIGNALS}
    assert set(ends) == {"clk", "rst", *names, *streams}


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_instance_labels_are_unique(module: ModuleBuilder) -> None:
    labels = [instance.label for instance in module.instances]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("hw_plan", PLANS.values(), ids=PLANS)
def test_the_top_chains_the_units_in_order(hw_plan: HwPlan) -> None:
    top = top_netlist(hw_plan)
    names = ["ingress", *(node.name for node in GRAPH.nodes), "egress"]
    assert [instance.module for instance in top.instances] == [f"unit_{name}" for name in names]
    sources = [dict(instance.ports).get("s_tdata") for instance in top.instances[1:]]
    assert sources == [f"{name}_tdata" for name in names[:-1]]
    widths = {stream.name: stream.width for stream in top.streams}
    assert widths == {
        "ingress": hw_plan.input_bits * hw_plan.input_elems,
        **{unit.name: unit.y_bits * unit.lanes for unit in hw_plan.units},
    }


@pytest.mark.parametrize("hw_plan", PLANS.values(), ids=PLANS)
def test_widths_of_neighbouring_units_agree(hw_plan: HwPlan) -> None:
    width = hw_plan.input_bits * hw_plan.input_elems
    for node, unit in zip(GRAPH.nodes, hw_plan.units, strict=True):
        ports = {port.name: port.width for port in unit_netlist(node, unit, LATENCIES).ports}
        assert ports["s_tdata"] == width
        width = ports["m_tdata"]
    assert width == hw_plan.output_bits * hw_plan.output_elems


def test_a_unit_has_only_the_parts_that_its_fold_needs() -> None:
    hw_plan = PLANS[180]
    parts = {
        node.name: [instance.module for instance in unit_netlist(node, unit, LATENCIES).instances]
        for node, unit in zip(GRAPH.nodes, hw_plan.units, strict=True)
    }
    assert parts["point"] == [
        "width_converter", "replay", "rom_stream", "free_run", "mac_point", "rom_stream",
        "requant_point", "stream_fifo",
    ]  # fmt: skip
    assert parts["pool"] == ["swg", "pool_pool", "stream_fifo"]
    assert parts["deep"] == [
        "width_converter", "swg", "rom_stream", "mac_deep", "width_converter", "skid_buffer",
        "rom_stream", "requant_deep", "stream_fifo",
    ]  # fmt: skip


def test_padding_is_the_zero_point_of_the_input_in_every_element() -> None:
    conv = GRAPH.nodes[0]
    x = replace(conv.x, zero_point=-3)
    graph = replace(GRAPH, input_type=x, nodes=(replace(conv, x=x), *GRAPH.nodes[1:]))
    hw_plan = plan(graph, TARGET, 180)
    (window,) = (
        instance
        for instance in unit_netlist(graph.nodes[0], hw_plan.units[0], LATENCIES).instances
        if instance.module == "swg"
    )
    assert hw_plan.units[0].window is not None
    assert hw_plan.units[0].window.word_elems == 2
    assert dict(window.parameters)["PAD_WORD"] == "16'hfdfd"


def test_axi_widths_are_whole_bytes() -> None:
    assert [axis_width(bits) for bits in (1, 8, 9, 24, 25)] == [8, 8, 16, 24, 32]
