"""What every layer shows on samples: ends of its sums and codes, and what requantisation cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flow.graph.accumulate import accumulate
from flow.graph.arithmetic import clip
from flow.graph.reference import BATCH, check_codes, unclipped
from flow.graph.types import IntArray, IntGraph, MatVec, Node

Ends = tuple[int, int]  # smallest and largest


@dataclass(frozen=True, slots=True)
class Seen:
    """One layer on some frames; what was seen on other frames is added by `+`.

    `clipped` counts the values below `lo` and above `hi` of its output's type.
    """

    acc: Ends | None  # None: no layer with weights
    codes: Ends
    values: int
    clipped: tuple[int, int]

    def __add__(self, other: Seen) -> Seen:
        """Both together; they are of the same layer."""
        acc = None if self.acc is None or other.acc is None else _outer(self.acc, other.acc)
        low, high = (a + b for a, b in zip(self.clipped, other.clipped, strict=True))
        return Seen(acc, _outer(self.codes, other.codes), self.values + other.values, (low, high))


def observe(
    graph: IntGraph, codes: IntArray, progress: Callable[[int, int], None] | None = None
) -> dict[str, Seen]:
    """Run the network on input codes [n, h, w, c], by the reference; gives every node by name.

    Args:
        progress: called with (frames done, frames in all) after each batch.

    Raises:
        DataError: shape or values do not fit the graph's input.
    """
    check_codes(graph, codes)
    found: dict[str, Seen] = {}
    for start in range(0, len(codes), BATCH):
        taps = {graph.input_name: codes[start : start + BATCH].astype(np.int64)}
        for node in graph.nodes:
            inputs = (taps[source] for source in node.sources)
            taps[node.name], seen = observe_node(node, *inputs)
            found[node.name] = found[node.name] + seen if start else seen
        if progress is not None:
            progress(min(start + BATCH, len(codes)), len(codes))
    return found


def observe_node(node: Node, *inputs: IntArray) -> tuple[IntArray, Seen]:
    """Output codes of one node, as `reference.run_node`, and what was seen on the way."""
    sums = accumulate(node, *inputs)
    values = unclipped(node, sums)
    codes = clip(values, node.y)
    clipped = int((values < node.y.lo).sum()), int((values > node.y.hi).sum())
    acc = ends(sums) if isinstance(node, MatVec) else None
    return codes, Seen(acc, ends(codes), codes.size, clipped)


def ends(values: IntArray) -> Ends:
    """Smallest and largest of an array that is not empty."""
    return int(values.min()), int(values.max())


def _outer(one: Ends, other: Ends) -> Ends:
    return min(one[0], other[0]), max(one[1], other[1])
