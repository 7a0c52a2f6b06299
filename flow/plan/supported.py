"""Which nodes of a graph engine `xls` has hardware for; `vitis` has it for all."""

from __future__ import annotations

from collections.abc import Iterator

from flow.errors import UnsupportedLayer
from flow.graph.types import AveragePool, IntGraph, MatVec, Node, Rounding

Supported = MatVec | AveragePool


def supported(graph: IntGraph) -> tuple[Supported, ...]:
    """The nodes of a graph, all of which engine `xls` has hardware for.

    Raises:
        UnsupportedLayer: names every node that has none.
    """
    nodes = tuple(node for node in graph.nodes if isinstance(node, MatVec | AveragePool))
    problems = [problem for node in graph.nodes for problem in _problems(node)]
    if problems:
        raise UnsupportedLayer(
            f"graph {graph.name!r} has no hardware of engine 'xls' yet:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\n  Choose --engine vitis, which has more; or stop before plan (--to evaluate)."
        )
    return nodes


def _problems(node: Node) -> Iterator[str]:
    where = f"layer {node.name!r}"
    if not isinstance(node, MatVec | AveragePool):
        yield f"{where} is of kind {node.kind.value!r}."
        return
    if node.rounding is not Rounding.HALF_UP:
        yield f"{where} rounds {node.rounding.value}; half_up is supported."
    if _is_beside_map(node):
        yield f"{where} has windows that lie wholly in the padding."
    if isinstance(node, MatVec):
        if (node.weight_mult != 1).any():
            yield f"{where} has weight scales that are no powers of two."
        if node.groups != 1:
            yield f"{where} has {node.groups} groups."
    elif (node.counts != node.window.taps).any():
        yield f"{where} averages over windows that reach into the padding."


def _is_beside_map(node: Supported) -> bool:
    """Whether the first or last window, of rows or columns, holds no element of the map."""
    window = node.window
    axes = (
        (window.kernel_h, window.stride_h, window.pad_top),
        (window.kernel_w, window.stride_w, window.pad_left),
    )
    return any(
        before >= kernel or (outputs - 1) * stride - before >= size
        for (kernel, stride, before), size, outputs in zip(
            axes, node.in_shape[:2], node.out_shape[:2], strict=True
        )
    )
