"""Runs batches one after the other in memory of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.graph.engine._layout import ALIGNMENT, layout
from flow.graph.engine._library import Library
from flow.graph.engine._proof import offset
from flow.graph.engine._step import Step, dtype_of
from flow.graph.engine._watch import Watch
from flow.graph.observe import Seen, ends, observe_node
from flow.graph.types import IntArray, IntGraph, Node, TensorType

Call = Callable[[int, Watch | None], None]  # one kernel on so many frames, with or without notes


class Worker:
    """Memory for batches of up to `frames` frames, and every step bound to its place in it.

    One thread may use it at a time.
    """

    def __init__(
        self, graph: IntGraph, steps: Sequence[Step | None], library: Library, frames: int
    ) -> None:
        places = layout(graph, frames)
        planes = max((step.planes for step in steps if step is not None), default=0)
        sums = max((step.sums for step in steps if step is not None), default=0)
        self._graph, self._steps = graph, steps  # the steps own what the kernels point to
        self._memory = _aligned(places.size_bytes, np.dtype(np.uint8))
        self._planes = _aligned(planes, np.dtype(np.int16))
        self._sums = _aligned(sums, np.dtype(np.int32))
        shapes = {graph.input_name: (graph.input_shape, graph.input_type)}
        shapes |= {node.name: (node.out_shape, node.y) for node in graph.nodes}
        self._types = {name: tensor for name, (_, tensor) in shapes.items()}
        self._tensors: dict[str, NDArray[Any]] = {
            name: np.ndarray(
                (frames, *shape), dtype_of(tensor), self._memory.data, places.first_byte[name]
            )
            for name, (shape, tensor) in shapes.items()
        }
        self._calls: list[tuple[Node, Call | None]] = [
            (node, None if step is None else self._bound(node, step, library))
            for node, step in zip(graph.nodes, steps, strict=True)
        ]

    @property
    def memory_bytes(self) -> int:
        """All that the worker holds."""
        return self._memory.nbytes + self._planes.nbytes + self._sums.nbytes

    def run(self, codes: NDArray[Any]) -> IntArray:
        """Output codes for legal input codes [n, h, w, c], n up to `frames`."""
        self._enter(codes)
        for node, call in self._calls:
            self._run(node, call, len(codes))
        return self._codes(self._graph.output.name, len(codes))

    def run_taps(self, codes: NDArray[Any]) -> dict[str, IntArray]:
        """Codes of every tensor, by name."""
        self._enter(codes)
        taps = {self._graph.input_name: codes.astype(np.int64)}
        for node, call in self._calls:
            self._run(node, call, len(codes))
            taps[node.name] = self._codes(node.name, len(codes))
        return taps

    def observe(self, codes: NDArray[Any]) -> dict[str, Seen]:
        """What every node shows, by name."""
        self._enter(codes)
        found = {}
        for step, (node, call) in zip(self._steps, self._calls, strict=True):
            if step is None or call is None:
                found[node.name] = self._by_reference(node, len(codes))
                continue
            watch = Watch(step.zero)
            call(len(codes), watch)
            stored, less = self._tensors[node.name][: len(codes)], offset(node.y) or 0
            low, high = ends(stored)
            found[node.name] = Seen(
                watch.acc, (low + less, high + less), stored.size, watch.clipped
            )
        return found

    def _enter(self, codes: NDArray[Any]) -> None:
        to = self._tensors[self._graph.input_name][: len(codes)]
        less = offset(self._graph.input_type)
        if less:
            np.subtract(codes, less, out=to, dtype=np.int64, casting="unsafe")
        else:
            np.copyto(to, codes, casting="unsafe")

    def _codes(self, name: str, frames: int) -> IntArray:
        return _true_codes(self._tensors[name][:frames], self._types[name])

    def _bound(self, node: Node, step: Step, library: Library) -> Call:
        function, argument = library.functions[step.kernel], ctypes.byref(step.argument)
        inputs = (ctypes.c_void_p * len(node.sources))(
            *(self._tensors[source].ctypes.data for source in node.sources)
        )
        output = self._tensors[node.name].ctypes.data
        planes, sums = self._planes.ctypes.data, self._sums.ctypes.data
        return lambda frames, watch: function(
            argument, inputs, output, frames, planes, sums, watch and watch.address
        )

    def _run(self, node: Node, call: Call | None, frames: int) -> None:
        if call is None:
            self._by_reference(node, frames)
        else:
            call(frames, None)

    def _by_reference(self, node: Node, frames: int) -> Seen:
        inputs = (self._codes(source, frames) for source in node.sources)
        found, seen = observe_node(node, *inputs)
        to = self._tensors[node.name][:frames]
        to[...] = (found - (offset(node.y) or 0)).reshape(to.shape)
        return seen


def _true_codes(stored: NDArray[Any], tensor: TensorType) -> IntArray:
    codes = stored.astype(np.int64)
    less = offset(tensor)
    if less:
        codes += less
    return codes


def _aligned(count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array that begins at a multiple of ALIGNMENT; zeros, so that no page is missing later."""
    block = np.zeros(count * dtype.itemsize + ALIGNMENT, np.uint8)
    skip = -block.ctypes.data % ALIGNMENT
    return block[skip : skip + count * dtype.itemsize].view(dtype)
