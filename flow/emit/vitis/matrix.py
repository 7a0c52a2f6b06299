"""Dense, convolution and depthwise layers."""

from __future__ import annotations

from flow.emit.roms import mac_blocks
from flow.emit.vitis.cpp import Struct, Table, element_type, integer
from flow.emit.vitis.operator import Operator, Process, size_of
from flow.emit.vitis.requant import requant_constants, requant_tables, requant_types
from flow.graph.arithmetic import fold_requant
from flow.graph.types import MatVec
from flow.plan.hwplan import UnitPlan

CHANNEL_TABLES = ("constants", "shifts", "mults", "ties")


def _structs(node: MatVec, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    mac, requant = unit.mac, unit.requant
    assert mac is not None and requant is not None
    types = {
        "x_t": element_type(node.x),
        "weight_t": integer(mac.w_bits, True),
        "product_t": integer(mac.x_bits + mac.w_bits, True),
        **requant_types(requant),
    }
    constants: dict[str, int] = {
        "pixels": node.out_shape[0] * node.out_shape[1],
        "groups": node.out_shape[2] // mac.pe,
        "steps": mac.steps,
        "pe": mac.pe,
        "simd": mac.simd,
        "x_elems": unit.x_elems,
        "lanes": lanes,
        "depthwise": mac.depthwise,
        "repeat": unit.repeat,
        "products_in_lut": unit.products == "lut",
        **requant_constants(requant),
    }
    return (Struct(f"{node.name}_config", types, constants),)


def _tables(node: MatVec, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    assert unit.mac is not None and unit.requant is not None
    weights = Table(
        f"{node.name}_weights",
        f"shift::rom_sint<{unit.mac.w_bits}>",
        mac_blocks(node, unit.pe, unit.simd),
        "[group of outputs][step], then [output][input]",
    )
    return (weights, *requant_tables(node.name, unit.requant, fold_requant(node), lanes))


def _stream(node: MatVec, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    return (
        Process(f"shift::mac<{config}>", ("x0",), "acc", f"{config}::acc_t", unit.pe, ("weights",)),
        Process(
            f"shift::requant<{config}>", ("acc",), "y", f"{config}::y_t", unit.lanes,
            CHANNEL_TABLES,
        ),
    )  # fmt: skip


def _parallel(node: MatVec, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    return (
        Process(
            f"shift::matrix_parallel<{config}, {node.name}_window>", ("x0",), "y",
            f"{config}::y_t", size_of(node.out_shape), ("weights", *CHANNEL_TABLES),
        ),
    )  # fmt: skip


MATRIX = Operator(_structs, _tables, _stream, _parallel)
