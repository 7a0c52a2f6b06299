"""Every generated file of a project, as text by its path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flow import __version__
from flow.emit.vitis.command import FIRMWARE_FLAGS, library_command
from flow.emit.vitis.cpp import Buffer, Call, Layer, Struct, element_type
from flow.emit.vitis.layers import layers
from flow.errors import ConfigError
from flow.graph.store import graph_hash
from flow.graph.types import IntGraph, Shape, TensorType
from flow.plan import HwPlan, plan_hash
from flow.templates import render

TEMPLATES = Path(__file__).parents[3] / "hls_templates" / "vitis"
LIBRARY = (
    "shift_types.h",
    "shift_arith.h",
    "shift_convert.h",
    "shift_window.h",
    "shift_matrix.h",
    "shift_pool.h",
    "shift_parallel.h",
    "shift_merge.h",
    "shift_pointwise.h",
    "shift_host.h",
)
SCRIPTS = ("build_prj.tcl", "vivado_synth.tcl")
# names that a C++ function cannot have, or that would hide what the firmware uses
RESERVED_TEXT = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl
    const const_cast constexpr continue decltype default delete do double dynamic_cast else enum
    explicit export extern false float for friend goto if inline int long main mutable namespace
    new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast return short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename union unsigned using
    virtual void volatile wchar_t while xor xor_eq
    shift std hls input_t output_t input_tensor output_tensor
"""
RESERVED = frozenset(RESERVED_TEXT.split())
FIFO_DEPTH = 16  # of the stream behind the input port, as between units


def generate(graph: IntGraph, plan: HwPlan, io_type: str, part: str) -> dict[str, str]:
    """Texts of all files that the network and its plan decide, by their path in the project.

    Raises:
        ConfigError: the network's name cannot name a C++ function.
        UnsupportedLayer: the engine lacks an operator.
    """
    check_name(graph.name)
    common = {"header": header(graph, plan), "name": graph.name}
    entry = _entry(graph, plan, io_type)
    copies, built = layers(graph, plan, io_type, entry)
    values = _top_values(graph, plan, built, io_type) | common
    values |= {"input": entry, "input_copies": copies}
    guard = re.sub(r"\W", "_", graph.name).upper()
    files = {
        f"firmware/{graph.name}.cpp": _render("top.cpp.j2", **values),
        f"firmware/{graph.name}.h": _render("top.h.j2", guard=guard, **values),
        "firmware/defines.h": _render("defines.h.j2", guard=guard, **values),
        "firmware/parameters.h": _render(
            "parameters.h.j2", guard=guard, library=LIBRARY, layers=built, **common
        ),
        f"{graph.name}_frame.h": _render(
            "frame.h.j2",
            guard=guard,
            traced=list(_traced(graph)),
            graph_hash=graph_hash(graph),
            **values,
        ),
        f"{graph.name}_bridge.cpp": _render("bridge.cpp.j2", traced=_traced(graph), **common),
        f"{graph.name}_test.cpp": _render("test.cpp.j2", **common),
        "project.tcl": _render(
            "project.tcl.j2",
            part=part,
            clock_period_ns=f"{1e3 / plan.target.clock_mhz:g}",
            **common,
        ),
        "build_lib.sh": _render("build_lib.sh.j2", command=_command_text(graph.name), **common),
    }
    for layer in built:
        for table in layer.tables:
            files[f"firmware/weights/{table.name}.h"] = _render(
                "table.h.j2", guard=f"{guard}_{table.name.upper()}", table=table, **common
            )
    files |= {f"firmware/shift/{name}": (TEMPLATES / name).read_text() for name in LIBRARY}
    files |= {name: (TEMPLATES / name).read_text() for name in SCRIPTS}
    return files


def check_name(name: str) -> None:
    """Raise ConfigError where `name` cannot name the top function."""
    if name in RESERVED:
        raise ConfigError(
            f"{name!r} cannot name the network: it is a word of C++ or of the firmware.\n"
            "  Choose another project_name."
        )


def header(graph: IntGraph, plan: HwPlan) -> str:
    """Provenance: first line of every generated file."""
    return (
        f"shiftflow {__version__}, graph {graph_hash(graph)[:16]}, plan {plan_hash(plan)[:16]}; "
        "generated, do not edit"
    )


def _entry(graph: IntGraph, plan: HwPlan, io_type: str) -> Buffer:
    """The buffer behind the input port."""
    elems = plan.input_elems if io_type == "io_stream" else _size(graph.input_shape)
    return Buffer("input_y", element_type(graph.input_type), elems, FIFO_DEPTH)


def _top_values(graph: IntGraph, plan: HwPlan, built: list[Layer], io_type: str) -> dict[str, Any]:
    streaming = io_type == "io_stream"
    source, result = graph.input_type, graph.output.y
    size = _size(graph.input_shape)
    code, last = element_type(source), built[-1].output
    if streaming:
        entry = (
            f"shift::unpack<{code}, {str(source.signed).lower()}, {plan.input_elems}, "
            f"{source.bits}, {plan.input_beats}>"
        )
        leave = f"shift::pack<{last.element}, {last.elems}, {result.bits}, {plan.output_beats}>"
    else:
        entry, leave = "shift::unpack_parallel", "shift::pack_parallel"
    return {
        "streaming": streaming,
        "tensors": [
            _tensor("input_tensor", source, size, plan.input_elems, plan.input_beats),
            _tensor("output_tensor", result, built[-1].size, plan.output_elems, plan.output_beats),
        ],
        "port_bits": max(source.bits * plan.input_elems, result.bits * plan.output_elems),
        "input_port": _port(source),
        "output_port": _port(result),
        "input_call": Call(entry, ("codes", "input_y")),
        "output_call": Call(leave, (last.name, "result")),
        "layers": built,
    }


def _tensor(name: str, tensor: TensorType, size: int, elems: int, beats: int) -> Struct:
    constants: dict[str, int] = {
        "bits": tensor.bits,
        "is_signed": tensor.signed,
        "scale_exp": tensor.scale_exp,
        "size": size,
        "elems": elems,
        "beats": beats,
        "zero_point": tensor.zero_point,
        "lo": tensor.lo,
        "hi": tensor.hi,
    }
    return Struct(name, {}, constants)


def _traced(graph: IntGraph) -> Iterator[dict[str, Any]]:
    for node in graph.nodes:
        yield {
            "name": node.name,
            "size": _size(node.out_shape),
            "scale_exp": node.y.scale_exp,
            "zero_point": node.y.zero_point,
        }


def _port(tensor: TensorType) -> str:
    return f"ap_{'' if tensor.signed else 'u'}int<{tensor.bits}>"


def _size(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _command_text(name: str) -> str:
    return " ".join(library_command(name, f"firmware/{name}.so", FIRMWARE_FLAGS))


def _render(template: str, **values: Any) -> str:
    return render(TEMPLATES / template, **values)
