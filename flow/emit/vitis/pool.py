"""Average and max pools."""

from __future__ import annotations

import numpy as np

from flow.emit.vitis.cpp import Struct, Table, element_type, integer
from flow.emit.vitis.operator import Operator, Process, no_tables, size_of
from flow.graph.arithmetic import PoolDivide, fold_pool, signed_bits
from flow.graph.types import AveragePool, IntArray, MaxPool
from flow.plan.hwplan import UnitPlan

POOL_TABLES = ("divisions", "rows", "cols")


def _geometry(node: AveragePool | MaxPool, unit: UnitPlan) -> dict[str, int]:
    return {
        "pixels": node.out_shape[0] * node.out_shape[1],
        "groups": node.out_shape[2] // unit.pe,
        "steps": node.window.taps,
        "pe": unit.pe,
    }


def _average_structs(node: AveragePool, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    assert unit.pool is not None
    divisions = _divisions(node)
    numerators = [((n * node.x.hi) << d.pre_shift) + d.constant for n, d in divisions]
    products = [n * d.reciprocal for n, (_, d) in zip(numerators, divisions, strict=True)]
    ends = [0, node.y.lo, node.y.hi]
    for product, (_, divide) in zip(products, divisions, strict=True):
        quotient = product >> divide.shift
        ends += [quotient, divide.offset, quotient + divide.offset]
    types = {
        "x_t": element_type(node.x),
        "acc_t": integer(unit.pool.sum_bits, True),
        "numerator_t": _unsigned(max(numerators)),
        "reciprocal_t": _unsigned(max(divide.reciprocal for _, divide in divisions)),
        "product_t": _unsigned(max(products)),
        "out_t": integer(max(signed_bits(min(ends), max(ends)), 2), True),
        "y_t": element_type(node.y),
    }
    constants: dict[str, int] = {
        **_geometry(node, unit),
        "col_classes": len(set(_classes(node, 1).tolist())),
        "pre_shift": divisions[0][1].pre_shift,
        "half_even": divisions[0][1].even,
        "lo": node.y.lo,
        "hi": node.y.hi,
    }
    return (Struct(f"{node.name}_config", types, constants),)


def _average_tables(node: AveragePool, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    divisions = np.array(
        [[d.constant, d.reciprocal, d.shift, d.offset] for _, d in _divisions(node)], np.int64
    )
    bits = signed_bits(int(divisions.min()), int(divisions.max()))
    return (
        Table(
            f"{node.name}_divisions", f"shift::rom_sint<{bits}>", divisions,
            "constant, reciprocal, shift, offset of each class of rows and columns",
        ),
        _class_table(node, 0),
        _class_table(node, 1),
    )  # fmt: skip


def _class_table(node: AveragePool, axis: int) -> Table:
    suffix, what = (("rows", "row"), ("cols", "column"))[axis]
    classes = _classes(node, axis)
    bits = max(int(classes.max()).bit_length(), 1)
    return Table(
        f"{node.name}_{suffix}", f"shift::rom_uint<{bits}>", classes,
        f"class of each output {what}: how much of the window lies in the map",
    )  # fmt: skip


def _divisions(node: AveragePool) -> list[tuple[int, PoolDivide]]:
    """Number of elements and division of each pair (class of rows, class of columns)."""
    row_firsts, col_firsts = (
        np.unique(_classes(node, axis), return_index=True)[1] for axis in (0, 1)
    )
    counts = [int(node.counts[row, col]) for row in row_firsts for col in col_firsts]
    return [(count, fold_pool(node, count)) for count in counts]


def _classes(node: AveragePool, axis: int) -> IntArray:
    """Class of each position along an axis; the counts of a window are rows times columns."""
    along = node.counts[:, 0] if axis == 0 else node.counts[0]
    return np.asarray(np.unique(along, return_inverse=True)[1], np.int64)


def _unsigned(largest: int) -> str:
    return integer(max(largest.bit_length(), 1), False)


def _average_stream(node: AveragePool, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    return (
        Process(f"shift::pool<{config}>", ("x0",), "y", f"{config}::y_t", unit.pe, POOL_TABLES),
    )


def _average_parallel(node: AveragePool, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    return (
        Process(
            f"shift::pool_parallel<{config}, {node.name}_window>", ("x0",), "y", f"{config}::y_t",
            size_of(node.out_shape), POOL_TABLES,
        ),
    )  # fmt: skip


def _max_structs(node: MaxPool, unit: UnitPlan, lanes: int) -> tuple[Struct, ...]:
    types = {"x_t": element_type(node.x), "y_t": element_type(node.y)}
    return (Struct(f"{node.name}_config", types, _geometry(node, unit)),)


def _max_stream(node: MaxPool, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    return (Process(f"shift::largest<{config}>", ("x0",), "y", f"{config}::y_t", unit.pe),)


def _max_parallel(node: MaxPool, unit: UnitPlan) -> tuple[Process, ...]:
    config = f"{node.name}_config"
    function = f"shift::largest_parallel<{config}, {node.name}_window>"
    return (Process(function, ("x0",), "y", f"{config}::y_t", size_of(node.out_shape)),)


AVERAGE_POOL = Operator(_average_structs, _average_tables, _average_stream, _average_parallel)
MAX_POOL = Operator(_max_structs, no_tables, _max_stream, _max_parallel)
