"""One layer of the firmware from its node and its plan, for each of the two io types."""

from __future__ import annotations

from collections.abc import Sequence

from flow.emit.vitis.cpp import Buffer, Call, Layer, Struct, element_type
from flow.emit.vitis.operators import Operator, operator_of
from flow.graph.types import AveragePool, IntGraph
from flow.plan.hwplan import UnitPlan, WindowPlan
from flow.plan.supported import Supported, supported

IO_TYPES = ("io_stream", "io_parallel")
INNER_DEPTH = 2  # of streams inside a layer; both ends run all the time


def layers(graph: IntGraph, units: tuple[UnitPlan, ...], io_type: str) -> list[Layer]:
    """All layers in order; the first one reads the buffer `input_y`.

    Raises:
        UnsupportedLayer: the engine lacks an operator.
    """
    build = _stream_layer if io_type == "io_stream" else _parallel_layer
    found: list[Layer] = []
    for node, unit in zip(supported(graph), units, strict=True):
        source = found[-1].output.name if found else "input_y"
        found.append(build(node, unit, operator_of(graph, node), source))
    return found


def _stream_layer(node: Supported, unit: UnitPlan, operator: Operator, source: str) -> Layer:
    """[to words] [window] [gather] and the operator's processes, each with the stream it writes."""
    chain = _Chain(node.name, source, unit.in_elems)
    word_elems = unit.window.word_elems if unit.window else unit.x_elems
    elements = node.in_shape[0] * node.in_shape[1] * node.in_shape[2]
    chain.resize("words", word_elems, elements)
    structs: list[Struct] = []
    if unit.window is not None:
        structs.append(_window_struct(node, unit.window))
        place = "lutram" if unit.window.ram_style == "distributed" else "bram"
        chain.call(f"shift::window_in_{place}<{node.name}_window>", "taps", word_elems)
        chain.resize("beats", unit.x_elems, unit.window.words_out * word_elems)
    config = operator.config(node, unit, unit.lanes)
    for process in operator.processes(node, unit):
        chain.call(
            f"{process.function}<{config.name}>", process.suffix, process.elems,
            role=f"{process.suffix}_t",
            tables=[f"{node.name}_{suffix}" for suffix in process.tables],
            depth=unit.fifo_depth if process.suffix == "y" else INNER_DEPTH,
        )  # fmt: skip
    return Layer(
        name=node.name,
        summary=_summary(node, unit),
        size=_size(node),
        structs=(*structs, config),
        tables=operator.tables(node, unit, unit.lanes),
        buffers=tuple(chain.buffers),
        calls=tuple(chain.calls),
        pragmas=_rom_pragmas(node, unit),
    )


def _parallel_layer(node: Supported, unit: UnitPlan, operator: Operator, source: str) -> Layer:
    tables = operator.tables(node, unit, unit.pe)
    config = operator.config(node, unit, unit.pe)
    output = Buffer(f"{node.name}_y", f"{config.name}::y_t", _size(node))
    arguments = (source, output.name, *(table.name for table in tables))
    return Layer(
        name=node.name,
        summary=_summary(node, unit),
        size=_size(node),
        structs=(_window_struct(node, unit.window), config),
        tables=tables,
        buffers=(output,),
        calls=(Call(f"{operator.parallel}<{config.name}, {node.name}_window>", arguments),),
        pragmas=_rom_pragmas(node, unit),
    )


class _Chain:
    """The processes of one layer, each reading the stream that the one before writes."""

    def __init__(self, layer: str, source: str, elems: int) -> None:
        self.buffers: list[Buffer] = []
        self.calls: list[Call] = []
        self._layer = layer
        self._source = source
        self._elems = elems

    def call(
        self,
        function: str,
        suffix: str,
        elems: int,
        *,
        role: str = "x_t",
        tables: Sequence[str] = (),
        depth: int = INNER_DEPTH,
    ) -> None:
        """Append a process and the stream `<layer>_<suffix>` of `elems` elements per beat."""
        name = f"{self._layer}_{suffix}"
        self.buffers.append(Buffer(name, f"{self._layer}_config::{role}", elems, depth))
        self.calls.append(Call(function, (self._source, name, *tables)))
        self._source, self._elems = name, elems

    def resize(self, suffix: str, elems: int, elements: int) -> None:
        """Append a width converter where one is needed; `elements` pass it per frame."""
        if elems == self._elems:
            return
        function = "widen" if elems > self._elems else "narrow"
        beats = elements // max(elems, self._elems)
        element = f"{self._layer}_config::x_t"
        self.call(f"shift::{function}<{element}, {self._elems}, {elems}, {beats}>", suffix, elems)


def _window_struct(node: Supported, plan: WindowPlan | None) -> Struct:
    """Geometry of a node's window, and how it is streamed where it is."""
    window = node.window
    constants: dict[str, int] = {
        "in_rows": node.in_shape[0],
        "in_cols": node.in_shape[1],
        "channels": node.in_shape[2],
        "out_rows": node.out_shape[0],
        "out_cols": node.out_shape[1],
        "kernel_rows": window.kernel_h,
        "kernel_cols": window.kernel_w,
        "stride_rows": window.stride_h,
        "stride_cols": window.stride_w,
        "pad_top": window.pad_top,
        "pad_left": window.pad_left,
        "pad_value": 0 if isinstance(node, AveragePool) else node.x.zero_point,
    }
    types: dict[str, str] = {}
    if plan is not None:
        types["word_t"] = f"shift::vec<{element_type(node.x)}, {plan.word_elems}>"
        constants |= {
            "folds": plan.folds,
            "replay": plan.replay,
            "depthwise": plan.depthwise,
            "ring_rows": plan.ring_words // (node.in_shape[1] * plan.folds),
            "words_out": plan.words_out,
        }
    return Struct(f"{node.name}_window", types, constants)


def _rom_pragmas(node: Supported, unit: UnitPlan) -> tuple[str, ...]:
    """Which memory holds the weights; how they lie in it is the business of the kernel."""
    if unit.mac is None:
        return ()
    place = "lutram" if unit.weight_rom == "distributed" else "bram"
    return (f"BIND_STORAGE variable={node.name}_weights type=rom_1p impl={place}",)


def _summary(node: Supported, unit: UnitPlan) -> str:
    kernel = f"{node.window.kernel_h}x{node.window.kernel_w}"
    shapes = " -> ".join("x".join(map(str, shape)) for shape in (node.in_shape, node.out_shape))
    fold = f"PE {unit.pe}, SIMD {unit.simd}"
    if unit.mac is not None:
        groups = node.out_shape[2] // unit.pe
        fold += f", reuse factor {groups * unit.mac.steps}"
    return f"{node.kind.value} {kernel}, {shapes}, {fold}"


def _size(node: Supported) -> int:
    return node.out_shape[0] * node.out_shape[1] * node.out_shape[2]
