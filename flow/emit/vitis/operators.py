"""The one table of what the Vitis engine computes: kind of node -> Operator.

To add an operator: write its process as a template function in a header of hls_templates/vitis/,
once for streams (io_stream) and once for arrays (io_parallel), its arithmetic in shift_arith.h, and
give OPERATORS an entry here:

    structs    (node, unit, lanes) -> Structs     widths and constants, as the plan has them
    tables     (node, unit, lanes) -> Tables      constant arrays of its processes
    stream     (node, unit) -> Processes          what follows the window in io_stream
    parallel   (node, unit) -> Processes          all of it in io_parallel

Window, gathering, width converters, copies for several readers and the streams between processes
are the same for all operators and are added by `flow.emit.vitis.layers`.
"""

from __future__ import annotations

from flow.emit.vitis.elementwise import (
    ADD,
    CHANNEL_SHUFFLE,
    CONCAT,
    MULTIPLY,
    RESCALE,
    TABLE,
    UPSAMPLE,
)
from flow.emit.vitis.matrix import MATRIX
from flow.emit.vitis.operator import Operator
from flow.emit.vitis.pool import AVERAGE_POOL, MAX_POOL
from flow.errors import UnsupportedLayer
from flow.graph.types import IntGraph, Kind, Node

OPERATORS: dict[Kind, Operator] = {
    Kind.CONV: MATRIX,
    Kind.DEPTHWISE: MATRIX,
    Kind.DENSE: MATRIX,
    Kind.AVERAGE_POOL: AVERAGE_POOL,
    Kind.MAX_POOL: MAX_POOL,
    Kind.ADD: ADD,
    Kind.MULTIPLY: MULTIPLY,
    Kind.CONCAT: CONCAT,
    Kind.RESCALE: RESCALE,
    Kind.TABLE: TABLE,
    Kind.UPSAMPLE: UPSAMPLE,
    Kind.CHANNEL_SHUFFLE: CHANNEL_SHUFFLE,
}


def operator_of(graph: IntGraph, node: Node) -> Operator:
    """The entry of OPERATORS for a node.

    Raises:
        UnsupportedLayer: there is none.
    """
    if node.kind not in OPERATORS:
        raise UnsupportedLayer(
            f"layer {node.name!r} of {graph.name!r} is of kind {node.kind.value!r}; engine 'vitis' "
            f"has {', '.join(kind.value for kind in OPERATORS)}.\n"
            "  Its integers can be computed: stop before stage plan (--to evaluate)."
        )
    return OPERATORS[node.kind]
