"""C simulation through the compiled bridge: integer codes in, every layer's integer codes out."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from flow.emit.vitis.compile import Library
from flow.errors import DataError, FlowError
from flow.graph.reference import check_codes
from flow.graph.store import graph_hash
from flow.graph.types import IntArray, IntGraph


def run(library: Library, graph: IntGraph, codes: IntArray) -> dict[str, IntArray]:
    """Output codes [n, h, w, c] of every layer, and the input's own: as `reference.run_taps`.

    Raises:
        DataError: shape or values do not fit the graph's input, or the library is of another one.
        FlowError: a stream of the network held more or less than a frame needs.
    """
    return _simulate(library, graph, codes, [node.name for node in graph.nodes])


def run_output(library: Library, graph: IntGraph, codes: IntArray) -> IntArray:
    """Output codes [n, h, w, c] of the last layer."""
    return _simulate(library, graph, codes, [graph.output.name])[graph.output.name]


def _simulate(
    library: Library, graph: IntGraph, codes: IntArray, wanted: list[str]
) -> dict[str, IntArray]:
    check_codes(graph, codes)
    function = _function(library, graph)
    source = np.ascontiguousarray(codes, np.int64)
    output = np.empty((len(codes), *graph.output.out_shape), np.int64)
    taps = {graph.input_name: source}
    for node in graph.nodes[:-1]:
        if node.name in wanted:
            taps[node.name] = np.empty((len(codes), *node.out_shape), np.int64)
    taps[graph.output.name] = output
    places = (ctypes.c_void_p * len(graph.nodes))(
        *(taps[n.name].ctypes.data if n.name in wanted else None for n in graph.nodes)
    )
    count = ctypes.c_longlong(len(codes))
    result = np.empty_like(output)
    failed = function(
        source.ctypes.data_as(ctypes.c_void_p), result.ctypes.data_as(ctypes.c_void_p), places,
        count,
    )  # fmt: skip
    if failed:
        raise FlowError(
            f"C simulation of {graph.name!r}: {failed} of {len(codes)} frames left words in a "
            "stream or lacked some.\n  The firmware was changed; write the project again."
        )
    if not np.array_equal(result, output):
        raise FlowError(
            f"C simulation of {graph.name!r}: the output port and the last layer differ."
        )
    return taps


def _function(library: Library, graph: IntGraph) -> Any:
    """The library's entry point; it trusts its caller with the sizes of all arrays."""
    loaded = ctypes.CDLL(str(library.path))
    origin = getattr(loaded, f"{library.name}_graph")
    origin.restype = ctypes.c_char_p
    found, needed = origin().decode(), graph_hash(graph)
    if found != needed:
        raise DataError(
            f"{library.path} simulates another network (graph {found[:16]}) than {graph.name!r} "
            f"(graph {needed[:16]}).\n  Compile the project of this network."
        )
    function = getattr(loaded, f"{library.name}_codes")
    function.restype = ctypes.c_longlong
    return function
