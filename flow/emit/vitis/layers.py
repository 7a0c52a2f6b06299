"""The layers of the firmware from their nodes and plans, for each of the two io types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from flow.emit.vitis.copies import Copies, copies
from flow.emit.vitis.cpp import Buffer, Call, Layer, Struct, Table, element_type
from flow.emit.vitis.operator import Operator, Process, size_of
from flow.emit.vitis.operators import operator_of
from flow.graph.types import AveragePool, IntGraph, Kind, MatVec, MaxPool, Node
from flow.plan.elementwise import input_words
from flow.plan.fold import Windowed
from flow.plan.hwplan import HwPlan, UnitPlan, WindowPlan

IO_TYPES = ("io_stream", "io_parallel")
INNER_DEPTH = 2  # of streams inside a layer; both ends run all the time


def layers(
    graph: IntGraph, plan: HwPlan, io_type: str, entry: Buffer
) -> tuple[Copies, list[Layer]]:
    """All layers in order, and what lies between the input port's buffer `entry` and the first.

    Raises:
        UnsupportedLayer: the engine lacks an operator.
    """
    build = _stream_layer if io_type == "io_stream" else _parallel_layer
    copied = copies(graph, plan, io_type == "io_stream")
    first = copied(graph.input_name, entry)
    sources = dict(first.readers)
    found: list[Layer] = []
    for node, unit in zip(graph.nodes, plan.units, strict=True):
        inputs = tuple(sources[node.name, port] for port in range(len(node.sources)))
        layer = build(node, unit, operator_of(graph, node), inputs)
        if node is not graph.output:
            outgoing = copied(node.name, layer.output)
            sources |= outgoing.readers
            layer = replace(layer, copies=outgoing.buffers, copy_calls=outgoing.calls)
        found.append(layer)
    return first, found


def _stream_layer(
    node: Node, unit: UnitPlan, operator: Operator, inputs: tuple[Buffer, ...]
) -> Layer:
    """Each input: [to words] [window] [gather]; then the operator's processes."""
    chain = _Chain(node.name)
    known: dict[str, Buffer] = {}
    for port, source in enumerate(inputs):
        known[f"x{port}"] = _prepared(chain, node, unit, port, source)
    processes = operator.stream(node, unit)
    for process in processes:
        depth = unit.fifo_depth if process.output == "y" else INNER_DEPTH
        known[process.output] = chain.process(process, known, depth)
    structs = operator.structs(node, unit, unit.lanes)
    if unit.window is not None:
        assert isinstance(node, Windowed)
        structs = (_window_struct(node, unit), *structs)
    return Layer(
        name=node.name,
        summary=_summary(node, unit),
        size=size_of(node.out_shape),
        structs=structs,
        tables=_read(operator.tables(node, unit, unit.lanes), node, processes),
        buffers=tuple(chain.buffers),
        calls=tuple(chain.calls),
        pragmas=_rom_pragmas(node, unit),
    )


def _prepared(chain: _Chain, node: Node, unit: UnitPlan, port: int, source: Buffer) -> Buffer:
    """The stream that the operator reads at an input, after what brings `source` into its form."""
    elements = size_of(node.in_shapes[port])
    if not isinstance(node, Windowed):
        element = f"{node.name}_config::x{port}_t"
        elems = input_words(node, unit.lanes)[port]
        return chain.resize(source, f"words{port}", element, elems, elements)
    element = f"{node.name}_config::x_t"
    if unit.window is None:
        return chain.resize(source, "words", element, unit.x_elems, elements)
    word_elems = unit.window.word_elems
    words = chain.resize(source, "words", element, word_elems, elements)
    place = "lutram" if unit.window.ram_style == "distributed" else "bram"
    window = Process(
        f"shift::window_in_{place}<{node.name}_window>", ("x0",), "taps", element, word_elems
    )
    taps = chain.process(window, {"x0": words}, INNER_DEPTH)
    return chain.resize(taps, "beats", element, unit.x_elems, unit.window.words_out * word_elems)


def _parallel_layer(
    node: Node, unit: UnitPlan, operator: Operator, inputs: tuple[Buffer, ...]
) -> Layer:
    chain = _Chain(node.name)
    known = {f"x{port}": source for port, source in enumerate(inputs)}
    processes = operator.parallel(node, unit)
    for process in processes:
        known[process.output] = chain.process(process, known, 0)
    structs = operator.structs(node, unit, unit.pe)
    if isinstance(node, Windowed):
        structs = (_window_struct(node, unit), *structs)
    return Layer(
        name=node.name,
        summary=_summary(node, unit),
        size=size_of(node.out_shape),
        structs=structs,
        tables=_read(operator.tables(node, unit, unit.pe), node, processes),
        buffers=tuple(chain.buffers),
        calls=tuple(chain.calls),
        pragmas=_rom_pragmas(node, unit),
    )


def _read(tables: Iterable[Table], node: Node, processes: Iterable[Process]) -> tuple[Table, ...]:
    """The tables that the processes read."""
    names = {f"{node.name}_{suffix}" for process in processes for suffix in process.tables}
    return tuple(table for table in tables if table.name in names)


class _Chain:
    """The processes of one layer and the buffers that they write."""

    def __init__(self, layer: str) -> None:
        self.buffers: list[Buffer] = []
        self.calls: list[Call] = []
        self._layer = layer

    def process(self, process: Process, known: Mapping[str, Buffer], depth: int) -> Buffer:
        """Append a process and the buffer `<layer>_<output>` that it writes."""
        buffer = Buffer(f"{self._layer}_{process.output}", process.element, process.elems, depth)
        sources = (known[name].name for name in process.reads)
        tables = (f"{self._layer}_{suffix}" for suffix in process.tables)
        self.buffers.append(buffer)
        self.calls.append(Call(process.function, (*sources, buffer.name, *tables)))
        return buffer

    def resize(
        self, source: Buffer, suffix: str, element: str, elems: int, elements: int
    ) -> Buffer:
        """Append a width converter where one is needed; `elements` pass it per frame."""
        if elems == source.elems:
            return source
        name = "widen" if elems > source.elems else "narrow"
        beats = elements // max(elems, source.elems)
        function = f"shift::{name}<{element}, {source.elems}, {elems}, {beats}>"
        converter = Process(function, ("x0",), suffix, element, elems)
        return self.process(converter, {"x0": source}, INNER_DEPTH)


def _window_struct(node: Windowed, unit: UnitPlan) -> Struct:
    """Geometry of a node's window, and how it is streamed where it is."""
    window, channels = node.window, node.in_shape[2]
    own = not isinstance(node, MatVec) or node.kind is Kind.DEPTHWISE  # each channel by itself
    conv_groups = node.groups if isinstance(node, MatVec) else 1
    constants: dict[str, int] = {
        "in_rows": node.in_shape[0],
        "in_cols": node.in_shape[1],
        "channels": channels,
        "group_channels": unit.pe if own else channels // conv_groups,
        "window_groups": 1 if own else node.out_shape[2] // unit.pe // conv_groups,
        "out_rows": node.out_shape[0],
        "out_cols": node.out_shape[1],
        "kernel_rows": window.kernel_h,
        "kernel_cols": window.kernel_w,
        "stride_rows": window.stride_h,
        "stride_cols": window.stride_w,
        "pad_top": window.pad_top,
        "pad_left": window.pad_left,
        "pad_value": _pad_value(node),
    }
    if unit.window is None:
        return Struct(f"{node.name}_window", {}, constants)
    streamed = _streamed_window(node, unit.window)
    return Struct(
        f"{node.name}_window",
        {"word_t": f"shift::vec<{element_type(node.x)}, {unit.window.word_elems}>"},
        constants | streamed,
    )


def _pad_value(node: Windowed) -> int:
    """What padding reads: real zero, nothing in an average, what never wins in a maximum."""
    if isinstance(node, AveragePool):
        return 0
    return node.x.lo if isinstance(node, MaxPool) else node.x.zero_point


def _streamed_window(node: Windowed, plan: WindowPlan) -> dict[str, int]:
    ring_rows = plan.ring_words // (node.in_shape[1] * plan.folds)
    outer = plan.folds if plan.depthwise else plan.groups
    return {
        "folds": plan.folds,
        "outer_folds": outer,
        "inner_folds": plan.folds // outer,
        "replay": plan.replay,
        "ring_rows": ring_rows,
        "first_slot": -node.window.pad_top % ring_rows,
        "words_out": plan.words_out,
    }


def _rom_pragmas(node: Node, unit: UnitPlan) -> tuple[str, ...]:
    """Which memory holds the tables; how they lie in it is the business of the kernel."""
    if unit.mac is not None:
        place = "lutram" if unit.weight_rom == "distributed" else "bram"
        return (f"BIND_STORAGE variable={node.name}_weights type=rom_1p impl={place}",)
    if node.kind is Kind.TABLE:
        return (f"BIND_STORAGE variable={node.name}_table type=rom_np",)
    return ()


def _summary(node: Node, unit: UnitPlan) -> str:
    kernel = ""
    if isinstance(node, Windowed):
        kernel = f" {node.window.kernel_h}x{node.window.kernel_w}"
    inputs = " and ".join("x".join(map(str, shape)) for shape in node.in_shapes)
    fold = f"PE {unit.pe}, SIMD {unit.simd}"
    if unit.mac is not None:
        groups = node.out_shape[2] // unit.pe
        fold += f", reuse factor {groups * unit.mac.steps}"
    return f"{node.kind.value}{kernel}, {inputs} -> {'x'.join(map(str, node.out_shape))}, {fold}"
