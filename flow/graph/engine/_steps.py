"""The step of every kind of node."""

from __future__ import annotations

from flow.graph.engine._library import Library
from flow.graph.engine._matrix import matvec_step
from flow.graph.engine._pointwise import (
    average_step,
    concat_step,
    largest_step,
    lookup_step,
    merge_step,
    product_step,
    repeat_step,
    shuffle_step,
)
from flow.graph.engine._step import Step
from flow.graph.types import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Table,
    Upsample,
)


def step_of(node: Node, library: Library) -> Step | None:
    """The call that gives exactly the node's codes; None: only the reference does.

    Raises:
        RangeError: as the reference, the node's folded constants do not fit 62 bits.
    """
    match node:
        case MatVec():
            return matvec_step(node, library)
        case Add() | Rescale():
            return merge_step(node)
        case Multiply():
            return product_step(node)
        case Concat():
            return concat_step(node)
        case Table():
            return lookup_step(node)
        case AveragePool():
            return average_step(node)
        case MaxPool():
            return largest_step(node)
        case Upsample():
            return repeat_step(node)
        case ChannelShuffle():
            return shuffle_step(node)
