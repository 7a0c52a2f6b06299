"""Netlist of the whole network: AXI4-Stream in, one unit per layer, AXI4-Stream out."""

from __future__ import annotations

from flow.emit.netlist import ModuleBuilder, Port
from flow.emit.unit import unit_module
from flow.plan.hwplan import HwPlan

BYTE = 8


def top_netlist(plan: HwPlan) -> ModuleBuilder:
    """Top module: `s_axis_*` in, `m_axis_*` out, sticky `frame_error` for a misplaced TLAST."""
    builder = ModuleBuilder(
        top_module(plan),
        f"Network {plan.graph_name}: codes of the first quantizer in, of the last one out.",
    )
    in_bits = plan.input_bits * plan.input_elems
    out_bits = plan.output_bits * plan.output_elems
    s_axis = builder.stream_port("s", "s_axis", axis_width(in_bits))
    builder.ports.append(Port("input", "s_axis_tlast", 1))
    m_axis = builder.stream_port("m", "m_axis", axis_width(out_bits))
    builder.ports += [Port("output", "m_axis_tlast", 1), Port("output", "frame_error", 1)]
    stream = builder.stream("ingress", in_bits)
    builder.add(
        "axis_ingress",
        "u_ingress",
        {"DATA_BITS": in_bits, "AXIS_BITS": s_axis.width, "FRAME_BEATS": plan.input_beats},
        {"s_axis": s_axis, "m": stream},
        extra=(("s_axis_tlast", "s_axis_tlast"), ("frame_error", "frame_error")),
    )
    for unit in plan.units:
        following = builder.stream(unit.name, unit.y_bits * unit.lanes)
        builder.add(unit_module(unit), f"u_{unit.name}", {}, {"s": stream, "m": following})
        stream = following
    builder.add(
        "axis_egress",
        "u_egress",
        {"DATA_BITS": out_bits, "AXIS_BITS": m_axis.width, "FRAME_BEATS": plan.output_beats},
        {"s": stream, "m_axis": m_axis},
        extra=(("m_axis_tlast", "m_axis_tlast"),),
    )
    return builder


def top_module(plan: HwPlan) -> str:
    """Name of the top module."""
    return f"{plan.graph_name}_top"


def axis_width(bits: int) -> int:
    """AXI4-Stream data widths are whole bytes."""
    return -(-bits // BYTE) * BYTE
