"""Copies of a tensor for several readers: a stream, and an array of a dataflow region, has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flow.emit.vitis.cpp import Buffer, Call
from flow.emit.vitis.operator import size_of
from flow.errors import PlanError
from flow.graph.types import IntGraph
from flow.plan.hwplan import HwPlan

REST_DEPTH = 2  # of the streams between two processes that copy


@dataclass(frozen=True, slots=True)
class Copies:
    """The buffer that each (reader, port) of a tensor reads, and what makes them."""

    readers: dict[tuple[str, int], Buffer]
    buffers: tuple[Buffer, ...] = ()
    calls: tuple[Call, ...] = ()


def copies(graph: IntGraph, plan: HwPlan, streaming: bool) -> Callable[[str, Buffer], Copies]:
    """A function that makes the copies of a tensor, given its name and the buffer that holds it.

    Raises:
        PlanError: (the function) the plan has no FIFO depth for a copy.
    """
    depths = {(b.source, b.reader, b.port): b.fifo_depth for b in plan.branches}
    sizes = {graph.input_name: size_of(graph.input_shape)}
    sizes |= {node.name: size_of(node.out_shape) for node in graph.nodes}

    def copy(name: str, whole: Buffer) -> Copies:
        readers = [
            (node.name, port)
            for node in graph.nodes
            for port, source in enumerate(node.sources)
            if source == name
        ]
        if len(readers) == 1:
            return Copies({readers[0]: whole})
        missing = [reader for reader, port in readers if (name, reader, port) not in depths]
        if missing:
            raise PlanError(
                f"the hardware plan of {graph.name!r} has no copies of {name!r} for its readers "
                f"{', '.join(missing)}.\n  Plan for engine 'vitis'."
            )
        beats = f"<{sizes[name] // whole.elems}>" if streaming else ""
        own = {reader: depths[name, *reader] for reader in readers}
        return _copied(whole, own, f"shift::duplicate{beats}")

    return copy


def _copied(whole: Buffer, depths: dict[tuple[str, int], int], function: str) -> Copies:
    """Two at a time: each process gives one reader its copy and passes the rest on."""
    stem = whole.name.removesuffix("_y")
    found: list[Buffer] = []
    calls: list[Call] = []
    readers: dict[tuple[str, int], Buffer] = {}
    rest, left = whole, list(depths)
    while len(left) > 1:
        reader = left.pop(0)
        own = replace(whole, name=f"{stem}_to{len(readers)}", depth=depths[reader])
        last = len(left) == 1
        other = replace(
            whole,
            name=f"{stem}_{'to' if last else 'rest'}{len(readers) + 1}",
            depth=depths[left[0]] if last else REST_DEPTH,
        )
        calls.append(Call(function, (rest.name, own.name, other.name)))
        found += [own, other]
        readers[reader], rest = own, other
    readers[left[0]] = rest
    return Copies(readers, tuple(found), tuple(calls))
