"""Netlist of the whole network: AXI4-Stream in, one unit per layer, AXI4-Stream out."""

from __future__ import annotations

from flow.emit.netlist import ModuleBuilder, Port, Stream
from flow.emit.unit import unit_module
from flow.plan.hwplan import HwPlan

BYTE = 8
INGRESS, EGRESS = "ingress", "egress"


def top_netlist(plan: HwPlan) -> ModuleBuilder:
    """Top module: `s_axis_*` in, `m_axis_*` out, sticky `frame_error` for a misplaced TLAST."""
    builder = ModuleBuilder(
        top_module(plan),
        f"Network {plan.graph_name}: codes of the first quantizer in, of the last one out.",
    )
    s_axis, m_axis = _axis_ports(builder, plan)
    stream = builder.stream(INGRESS, plan.input_bits * plan.input_elems)
    builder.add(
        f"unit_{INGRESS}",
        f"u_{INGRESS}",
        {},
        {"s_axis": s_axis, "m": stream},
        extra=(("s_axis_tlast", "s_axis_tlast"), ("frame_error", "frame_error")),
    )
    for unit in plan.units:
        following = builder.stream(unit.name, unit.y_bits * unit.lanes)
        builder.add(unit_module(unit), f"u_{unit.name}", {}, {"s": stream, "m": following})
        stream = following
    builder.add(
        f"unit_{EGRESS}",
        f"u_{EGRESS}",
        {},
        {"s": stream, "m_axis": m_axis},
        extra=(("m_axis_tlast", "m_axis_tlast"),),
    )
    return builder


def ingress_netlist(plan: HwPlan) -> ModuleBuilder:
    """AXI4-Stream input with this network's frame length."""
    builder = ModuleBuilder(f"unit_{INGRESS}", "AXI4-Stream input; checks TLAST.")
    bits = plan.input_bits * plan.input_elems
    s_axis = builder.stream_port("s", "s_axis", axis_width(bits))
    builder.ports.append(Port("input", "s_axis_tlast", 1))
    stream = builder.stream_port("m", "m", bits)
    builder.ports.append(Port("output", "frame_error", 1))
    builder.add(
        "axis_ingress",
        "u_axis",
        {"DATA_BITS": bits, "AXIS_BITS": s_axis.width, "FRAME_BEATS": plan.input_beats},
        {"s_axis": s_axis, "m": stream},
        extra=(("s_axis_tlast", "s_axis_tlast"), ("frame_error", "frame_error")),
    )
    return builder


def egress_netlist(plan: HwPlan) -> ModuleBuilder:
    """AXI4-Stream output with this network's frame length."""
    builder = ModuleBuilder(f"unit_{EGRESS}", "AXI4-Stream output; makes TLAST.")
    bits = plan.output_bits * plan.output_elems
    stream = builder.stream_port("s", "s", bits)
    m_axis = builder.stream_port("m", "m_axis", axis_width(bits))
    builder.ports.append(Port("output", "m_axis_tlast", 1))
    builder.add(
        "axis_egress",
        "u_axis",
        {"DATA_BITS": bits, "AXIS_BITS": m_axis.width, "FRAME_BEATS": plan.output_beats},
        {"s": stream, "m_axis": m_axis},
        extra=(("m_axis_tlast", "m_axis_tlast"),),
    )
    return builder


def _axis_ports(builder: ModuleBuilder, plan: HwPlan) -> tuple[Stream, Stream]:
    s_axis = builder.stream_port("s", "s_axis", axis_width(plan.input_bits * plan.input_elems))
    builder.ports.append(Port("input", "s_axis_tlast", 1))
    m_axis = builder.stream_port("m", "m_axis", axis_width(plan.output_bits * plan.output_elems))
    builder.ports += [Port("output", "m_axis_tlast", 1), Port("output", "frame_error", 1)]
    return s_axis, m_axis


def top_module(plan: HwPlan) -> str:
    """Name of the top module."""
    return f"{plan.graph_name}_top"


def axis_width(bits: int) -> int:
    """AXI4-Stream data widths are whole bytes."""
    return -(-bits // BYTE) * BYTE
