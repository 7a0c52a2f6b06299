"""Integer graph: types, arithmetic, reference inference, storage."""

from flow.graph.arithmetic import accumulator_bits, fold_pool, fold_requant
from flow.graph.engine import Engine
from flow.graph.evaluate import Accuracy, evaluate, map_input, predict
from flow.graph.profile import Profile, load_profile, profile, save_profile
from flow.graph.reference import run, run_node, run_taps
from flow.graph.store import graph_hash, load_graph, save_graph
from flow.graph.types import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    InputMap,
    IntGraph,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Rounding,
    Table,
    TensorType,
    Upsample,
    Window,
)

__all__ = [
    "Accuracy",
    "Add",
    "AveragePool",
    "ChannelShuffle",
    "Concat",
    "Engine",
    "InputMap",
    "IntGraph",
    "Kind",
    "MatVec",
    "MaxPool",
    "Multiply",
    "Node",
    "Profile",
    "Rescale",
    "Rounding",
    "Table",
    "TensorType",
    "Upsample",
    "Window",
    "accumulator_bits",
    "evaluate",
    "fold_pool",
    "fold_requant",
    "graph_hash",
    "load_graph",
    "load_profile",
    "map_input",
    "predict",
    "profile",
    "run",
    "run_node",
    "run_taps",
    "save_graph",
    "save_profile",
]
