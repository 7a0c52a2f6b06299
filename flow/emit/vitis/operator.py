"""What the engine has to know about one kind of node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flow.emit.vitis.cpp import Struct, Table
from flow.graph.types import Shape
from flow.plan.hwplan import UnitPlan


@dataclass(frozen=True, slots=True)
class Process:
    """A call of a template function, and the stream or array `<layer>_<output>` that it writes.

    `reads` are suffixes of what earlier processes of the layer wrote, or x0, x1, ...: its inputs.
    A beat (io_stream) or the whole array (io_parallel) has `elems` elements of C++ type `element`.
    The last process writes `y`. `tables` are the suffixes of the constant arrays that it reads.
    """

    function: str
    reads: tuple[str, ...]
    output: str
    element: str
    elems: int
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operator:
    """How a node becomes C++; a node's type is known to whoever is called (see OPERATORS).

    `lanes` is the second dimension of per-channel tables: the planner's lanes in io_stream, PE in
    io_parallel. The struct `<layer>_config` has the types `y_t` and, for each input, `x0_t`, ...
    (`x_t` where the layer has a window). `tables` are in the order of the call's arguments; those
    that no process reads are left out.
    """

    structs: Callable[[Any, UnitPlan, int], tuple[Struct, ...]]
    tables: Callable[[Any, UnitPlan, int], tuple[Table, ...]]
    stream: Callable[[Any, UnitPlan], tuple[Process, ...]]
    parallel: Callable[[Any, UnitPlan], tuple[Process, ...]]


def no_tables(node: Any, unit: UnitPlan, lanes: int) -> tuple[Table, ...]:
    """The tables of an operator that has none."""
    return ()


def size_of(shape: Shape) -> int:
    """Elements of a tensor."""
    return shape[0] * shape[1] * shape[2]
