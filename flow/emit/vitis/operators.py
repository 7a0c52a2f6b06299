"""The one table of what the Vitis engine computes: operator -> configuration, tables, processes.

To add an operator: write its process as a template function in a header of hls_templates/vitis/
(io_stream: streams in, stream out; io_parallel: arrays), its arithmetic in shift_arith.h, and give
OPERATORS an entry here:

    config     (node, unit, lanes) -> Struct     widths and constants, as the plan has them
    tables     (node, unit, lanes) -> Tables     constant arrays of the process, in call order
    processes  (node, unit) -> Processes         what follows the window in io_stream
    parallel   the function of io_parallel, called (input, output, *tables)

`lanes` is the second dimension of per-channel tables: the planner's lanes in io_stream, PE in
io_parallel. Window, gathering and the streams between processes are the same for all operators and
are added by `flow.emit.vitis.layers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flow.emit.kernels import pool_widths, requant_widths
from flow.emit.roms import mac_blocks
from flow.emit.vitis.cpp import Struct, Table, element_type, integer
from flow.errors import UnsupportedLayer
from flow.graph.arithmetic import fold_requant
from flow.graph.types import AveragePool, IntGraph, Kind, MatVec, Rounding
from flow.plan.hwplan import UnitPlan
from flow.plan.supported import Supported


@dataclass(frozen=True, slots=True)
class Process:
    """A template function of io_stream and the stream `<layer>_<suffix>` that it writes.

    A beat of the stream has `elems` elements of the configuration's type `<suffix>_t`; the last
    process writes `y`. `tables` are the suffixes of the tables that it reads.
    """

    function: str
    suffix: str
    elems: int
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """What the engine has to know about one kind of node; see the head of this module."""

    config: Callable[[Supported, UnitPlan, int], Struct]
    tables: Callable[[Supported, UnitPlan, int], tuple[Table, ...]]
    processes: Callable[[Supported, UnitPlan], tuple[Process, ...]]
    parallel: str


def operator_of(graph: IntGraph, node: Supported) -> Operator:
    """The entry of OPERATORS for a node.

    Raises:
        UnsupportedLayer: there is none, or none for the node's rounding.
    """
    if node.kind not in OPERATORS:
        raise UnsupportedLayer(
            f"layer {node.name!r} of {graph.name!r} is of kind {node.kind.value!r}; engine 'vitis' "
            f"has {', '.join(kind.value for kind in OPERATORS)}.\n  Use engine 'xls'."
        )
    if node.rounding is not Rounding.HALF_UP:
        raise UnsupportedLayer(
            f"layer {node.name!r} of {graph.name!r} rounds {node.rounding.value!r}; engine 'vitis' "
            f"rounds {Rounding.HALF_UP.value!r} only.\n  Use engine 'xls'."
        )
    return OPERATORS[node.kind]


def _matrix_config(node: Supported, unit: UnitPlan, lanes: int) -> Struct:
    mac, requant = unit.mac, unit.requant
    assert mac is not None and requant is not None
    sum_bits, out_bits = requant_widths(requant)
    return Struct(
        name=f"{node.name}_config",
        types={
            "x_t": element_type(node.x),
            "weight_t": integer(mac.w_bits, True),
            "product_t": integer(mac.x_bits + mac.w_bits, True),
            "acc_t": integer(mac.acc_bits, True),
            "const_t": integer(requant.const_bits, True),
            "sum_t": integer(sum_bits, True),
            "out_t": integer(out_bits, True),
            "y_t": element_type(node.y),
        },
        constants={
            "pixels": node.out_shape[0] * node.out_shape[1],
            "groups": node.out_shape[2] // mac.pe,
            "steps": mac.steps,
            "pe": mac.pe,
            "simd": mac.simd,
            "x_elems": unit.x_elems,
            "lanes": lanes,
            "depthwise": mac.depthwise,
            "hold": unit.repeat > 1,
            "products_in_lut": unit.products == "lut",
            "pre_shift": requant.pre_shift,
            "shift_min": requant.shift_min,
            "per_channel_shift": requant.delta_bits > 0,
            "zero_point": requant.zero_point,
            "lo": requant.lo,
            "hi": requant.hi,
        },
    )


def _matrix_tables(node: Supported, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    assert isinstance(node, MatVec) and unit.mac is not None and unit.requant is not None
    folded = fold_requant(node)
    delta = (folded.shift - unit.requant.shift_min).reshape(-1, lanes)
    shifts = "each channel's shift above the least" if delta.any() else "all channels share a shift"
    return (
        Table(
            f"{node.name}_weights",
            f"shift::rom_sint<{unit.mac.w_bits}>",
            mac_blocks(node, unit.pe, unit.simd),
            "[group of outputs][step], then [output][input]",
        ),
        Table(
            f"{node.name}_constants",
            f"shift::rom_sint<{unit.requant.const_bits}>",
            folded.constant.reshape(-1, lanes),
            "bias, rounding and input zero point of each channel",
        ),
        Table(
            f"{node.name}_shifts",
            f"shift::rom_uint<{max(unit.requant.delta_bits, 1)}>",
            delta,
            shifts,
        ),
    )


def _matrix_processes(node: Supported, unit: UnitPlan) -> tuple[Process, ...]:
    return (
        Process("shift::mac", "acc", unit.pe, ("weights",)),
        Process("shift::requant", "y", unit.lanes, ("constants", "shifts")),
    )


def _pool_config(node: Supported, unit: UnitPlan, lanes: int) -> Struct:
    pool = unit.pool
    assert isinstance(node, AveragePool) and pool is not None
    numerator_bits, product_bits, out_bits = pool_widths(pool)
    return Struct(
        name=f"{node.name}_config",
        types={
            "x_t": element_type(node.x),
            "acc_t": integer(pool.sum_bits, True),
            "numerator_t": integer(numerator_bits, False),
            "reciprocal_t": integer(max(pool.reciprocal.bit_length(), 1), False),
            "product_t": integer(product_bits, False),
            "out_t": integer(out_bits, True),
            "y_t": element_type(node.y),
        },
        constants={
            "pixels": node.out_shape[0] * node.out_shape[1],
            "groups": node.out_shape[2] // pool.pe,
            "steps": pool.steps,
            "pe": pool.pe,
            "lanes": lanes,
            "pre_shift": pool.pre_shift,
            "constant": pool.constant,
            "reciprocal": pool.reciprocal,
            "shift": pool.shift,
            "offset": pool.offset,
            "lo": pool.lo,
            "hi": pool.hi,
        },
    )


def _pool_processes(node: Supported, unit: UnitPlan) -> tuple[Process, ...]:
    return (Process("shift::pool", "y", unit.pe),)


def _no_tables(node: Supported, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    return ()


_MATRIX = Operator(_matrix_config, _matrix_tables, _matrix_processes, "shift::matrix_parallel")

OPERATORS: dict[Kind, Operator] = {
    Kind.CONV: _MATRIX,
    Kind.DEPTHWISE: _MATRIX,
    Kind.DENSE: _MATRIX,
    Kind.AVERAGE_POOL: Operator(_pool_config, _no_tables, _pool_processes, "shift::pool_parallel"),
}
