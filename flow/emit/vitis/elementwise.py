"""Nodes that treat elements one by one, join tensors, repeat pixels or shuffle channels.

Their processes have an overload for streams and one for arrays, so that both io types are written
from the same list; only the number of elements differs: of a beat, or of the whole tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow.emit.vitis.cpp import Struct, Table, element_type, integer
from flow.emit.vitis.operator import Operator, Process, no_tables, size_of
from flow.emit.vitis.requant import one_channel, requant_constants, requant_types
from flow.graph.arithmetic import add_shifts, fold_requant, signed_bits
from flow.graph.types import Add, ChannelShuffle, Concat, IntArray, Multiply, Rescale, Upsample
from flow.graph.types import Table as TableNode
from flow.plan.elementwise import Elementwise, input_words, parts_of, pixel_beats, vector_second
from flow.plan.hwplan import RequantSpec, UnitPlan
from flow.plan.requant import requant_spec

Widths = tuple[int, ...]  # elements of each input per beat, or of the whole array
Build = Callable[[Any, UnitPlan, Widths, bool], tuple[Process, ...]]


def _operator(
    structs: Callable[[Any, UnitPlan, int], tuple[Struct, ...]],
    build: Build,
    tables: Callable[[Any, UnitPlan, int], tuple[Table, ...]] = no_tables,
) -> Operator:
    """An operator whose `build(node, unit, widths, streaming)` gives the processes of both."""

    def stream(node: Elementwise, unit: UnitPlan) -> tuple[Process, ...]:
        return build(node, unit, input_words(node, unit.lanes), True)

    def parallel(node: Elementwise, unit: UnitPlan) -> tuple[Process, ...]:
        return build(node, unit, tuple(map(size_of, node.in_shapes)), False)

    return Operator(structs, tables, stream, parallel)


def _config(
    node: Elementwise, unit: UnitPlan, types: dict[str, str], constants: dict[str, int]
) -> Struct:
    """The struct of a layer: types of its inputs and output, beats of its output, and more."""
    inputs = {f"x{port}_t": element_type(x) for port, x in enumerate(node.x_types)}
    own = {"y_t": element_type(node.y)}
    return Struct(
        f"{node.name}_config", inputs | own | types, {"beats": unit.out_beats} | constants
    )


def _requantised(node: Add | Multiply | Rescale, spec: RequantSpec | None) -> dict[str, Any]:
    assert spec is not None
    constants = requant_constants(spec) | one_channel(fold_requant(node))
    return {"types": requant_types(spec), "constants": constants}


def _rescaled(node: Add | Multiply | Rescale, unit: UnitPlan, source: str, width: int) -> Process:
    config = f"{node.name}_config"
    function = f"shift::rescale<{config}, {unit.out_beats}>"
    return Process(function, (source,), "y", f"{config}::y_t", width)


# Rescale


def _rescale_structs(node: Rescale, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    return (_config(node, unit, **_requantised(node, unit.requant)),)


def _rescale(node: Rescale, unit: UnitPlan, widths: Widths, streaming: bool) -> tuple[Process, ...]:
    return (_rescaled(node, unit, "x0", widths[0]),)


# Add: two at a time, then one rounding


def _add(node: Add, unit: UnitPlan, widths: Widths, streaming: bool) -> tuple[Process, ...]:
    config, shifts = f"{node.name}_config", add_shifts(node)
    found: list[Process] = []
    left, left_shift = "x0", shifts[0]
    for port in range(1, len(shifts)):
        output = f"acc{port}"
        function = f"shift::plus<{config}, {left_shift}, {shifts[port]}>"
        found.append(Process(function, (left, f"x{port}"), output, f"{config}::acc_t", widths[0]))
        left, left_shift = output, 0
    return (*found, _rescaled(node, unit, left, widths[0]))


# Multiply


def _multiply_structs(node: Multiply, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    requantised = _requantised(node, unit.requant)
    for port, x in enumerate(node.x_types):
        ends = (0, x.lo - x.zero_point, x.hi - x.zero_point)
        bits = signed_bits(min(ends), max(ends))
        requantised["types"][f"centred{port}_t"] = integer(bits, True)
        requantised["constants"][f"zero_point{port}"] = x.zero_point
    requantised["constants"]["products_in_lut"] = unit.products == "lut"
    return (_config(node, unit, **requantised),)


def _multiply(
    node: Multiply, unit: UnitPlan, widths: Widths, streaming: bool
) -> tuple[Process, ...]:
    config, channels = f"{node.name}_config", node.out_shape[2]
    function = f"shift::times<{config}>"
    if vector_second(node):
        vector = channels // unit.lanes if streaming else channels
        function = f"shift::times_vector<{config}, {vector}>"
    products = Process(function, ("x0", "x1"), "acc", f"{config}::acc_t", widths[0])
    return (products, _rescaled(node, unit, "acc", widths[0]))


# Concat: each input brought to the output's type, then two at a time


def _concat_structs(node: Concat, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    parts = [
        Struct(
            f"{node.name}_config{port}",
            requant_types(spec),
            requant_constants(spec) | one_channel(fold_requant(part)),
        )
        for port, part in enumerate(parts_of(node))
        if part.x != part.y
        for spec in [requant_spec(part, unit.lanes)]
    ]
    return (_config(node, unit, {}, {}), *parts)


def _concat(node: Concat, unit: UnitPlan, widths: Widths, streaming: bool) -> tuple[Process, ...]:
    element = f"{node.name}_config::y_t"
    found: list[Process] = []
    parts: list[str] = []
    for port, part in enumerate(parts_of(node)):
        parts.append(f"x{port}")
        if part.x != part.y:
            parts[-1] = f"part{port}"
            beats = size_of(part.in_shape) // widths[port]
            function = f"shift::rescale<{node.name}_config{port}, {beats}>"
            found.append(Process(function, (f"x{port}",), parts[-1], element, widths[port]))
    left, pixels = parts[0], node.out_shape[0] * node.out_shape[1]
    in_turn = streaming and unit.lanes != node.out_shape[2]
    for port in range(1, len(parts)):
        output = "y" if port == len(parts) - 1 else f"joined{port}"
        if in_turn:
            turns = [shape[2] // unit.lanes for shape in node.in_shapes]
            function = f"shift::join<{pixels}, {sum(turns[:port])}, {turns[port]}>"
            width = unit.lanes
        else:
            function, width = f"shift::join_pixels<{pixels}>", sum(widths[: port + 1])
        found.append(Process(function, (left, parts[port]), output, element, width))
        left = output
    return tuple(found)


# Table, Upsample


def _table_structs(node: TableNode, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    return (_config(node, unit, {}, {"x_lo": node.x.lo}),)


def _table_tables(node: TableNode, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    kind = "rom_sint" if node.y.signed else "rom_uint"
    entries = np.array(node.table, np.int64)
    element = f"shift::{kind}<{node.y.bits}>"
    return (
        Table(f"{node.name}_table", element, entries, f"{node.function}, from code {node.x.lo}"),
    )


def _look_up(
    node: TableNode, unit: UnitPlan, widths: Widths, streaming: bool
) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    function = f"shift::look_up<{config}>"
    return (Process(function, ("x0",), "y", f"{config}::y_t", widths[0], ("table",)),)


def _upsample_structs(node: Upsample, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    rows, cols, _ = node.in_shape
    constants = {"in_rows": rows, "in_cols": cols, "rows": node.rows, "cols": node.cols}
    return (_config(node, unit, {}, constants),)


def _upsample(
    node: Upsample, unit: UnitPlan, widths: Widths, streaming: bool
) -> tuple[Process, ...]:
    config, channels = f"{node.name}_config", node.in_shape[2]
    folds = channels // unit.lanes if streaming else channels
    width = unit.lanes if streaming else size_of(node.out_shape)
    return (Process(f"shift::repeat<{config}, {folds}>", ("x0",), "y", f"{config}::y_t", width),)


# ChannelShuffle: wires where beats are whole pixels, else a pixel is kept and picked from


def _shuffle_structs(node: ChannelShuffle, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    return (_config(node, unit, {}, {"channels": node.in_shape[2], "groups": node.groups}),)


def _shuffle_tables(node: ChannelShuffle, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    order = np.array(node.order, np.int64).reshape(-1, lanes)
    note = "of the input channel, [beat of a pixel][element]"
    return (
        _places(f"{node.name}_words", order // lanes, f"word {note}"),
        _places(f"{node.name}_places", order % lanes, f"place in its word {note}"),
    )


def _places(name: str, values: IntArray, note: str) -> Table:
    return Table(name, f"shift::rom_uint<{max(int(values.max()).bit_length(), 1)}>", values, note)


def _shuffle(
    node: ChannelShuffle, unit: UnitPlan, widths: Widths, streaming: bool
) -> tuple[Process, ...]:
    config, element = f"{node.name}_config", f"{node.name}_config::y_t"
    if streaming and pixel_beats(node, unit.lanes):
        picked = f"shift::shuffle<{config}>", ("x0",), "y", element, widths[0], ("words", "places")
        return (Process(*picked),)
    return (Process(f"shift::shuffle_pixels<{config}>", ("x0",), "y", element, widths[0]),)


RESCALE = _operator(_rescale_structs, _rescale)
ADD = _operator(_rescale_structs, _add)
MULTIPLY = _operator(_multiply_structs, _multiply)
CONCAT = _operator(_concat_structs, _concat)
TABLE = _operator(_table_structs, _look_up, _table_tables)
UPSAMPLE = _operator(_upsample_structs, _upsample)
CHANNEL_SHUFFLE = _operator(_shuffle_structs, _shuffle, _shuffle_tables)
