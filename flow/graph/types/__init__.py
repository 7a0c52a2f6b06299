"""Integer tensors, nodes and graphs. Floats end at the frontend; here all is exact."""

from flow.graph.types._graph import IDENTIFIER, RESERVED_NAMES, IntGraph
from flow.graph.types._matrix import MatVec
from flow.graph.types._merge import Add, Concat, Multiply
from flow.graph.types._node import Node
from flow.graph.types._pointwise import ChannelShuffle, Rescale, Table, Upsample
from flow.graph.types._pool import AveragePool, MaxPool
from flow.graph.types._tensor import (
    POINT,
    InputMap,
    IntArray,
    Kind,
    Rounding,
    Shape,
    TensorType,
    Window,
)

__all__ = [
    "IDENTIFIER",
    "POINT",
    "RESERVED_NAMES",
    "Add",
    "AveragePool",
    "ChannelShuffle",
    "Concat",
    "InputMap",
    "IntArray",
    "IntGraph",
    "Kind",
    "MatVec",
    "MaxPool",
    "Multiply",
    "Node",
    "Rescale",
    "Rounding",
    "Shape",
    "Table",
    "TensorType",
    "Upsample",
    "Window",
]
