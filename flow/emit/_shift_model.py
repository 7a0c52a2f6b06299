"""What both engines need of a ModelGraph: its plan, its frames as codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flow.config import load_config
from flow.emit._shift_layers import graph_of
from flow.emit.hls4ml_backend import NAME
from flow.errors import ConfigError, DataError
from flow.graph.arithmetic import quantise_input
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan, Override, load_plan, plan

if TYPE_CHECKING:  # hls4ml.model.graph is not there yet while plug-ins load
    from hls4ml.model.graph import ModelGraph


def plan_of(model: ModelGraph) -> HwPlan:
    """The plan of a ModelGraph: the one given as `plan_file`, or a new one."""
    value = model.config.get_config_value
    if value("PlanFile"):
        return load_plan(Path(value("PlanFile")))
    overrides = {name: Override(**layer) for name, layer in value("Layers").items()}
    target = load_config().target(value("Target"))
    return plan(graph_of(model), target, value("TargetCycles"), overrides, engine=value("Engine"))


def input_codes(graph: IntGraph, x: NDArray[np.floating[Any]]) -> IntArray:
    """Codes [n, h, w, c] of float inputs; axes of size 1 may be absent, no other may differ."""
    values = np.asarray(x, np.float64)
    given, needed = (
        [n for n in shape if n != 1] for shape in (values.shape[1:], graph.input_shape)
    )
    if values.ndim < 2 or given != needed:
        raise DataError(
            f"inputs of {graph.name!r} have shape {values.shape}, "
            f"not (n, {', '.join(map(str, graph.input_shape))})."
        )
    if not np.isfinite(values).all():
        raise DataError(f"inputs of {graph.name!r} hold NaN or infinity.")
    return quantise_input(values, graph.input_type).reshape((-1, *graph.input_shape))


def testbench_codes(model: ModelGraph) -> IntArray | None:
    """Codes of hls4ml's option `input_data_tb`: a .npy file of float inputs [n, ...]."""
    value = model.config.get_config_value
    if value("OutputPredictions"):
        raise ConfigError(
            f"output_data_tb={value('OutputPredictions')!r} is not supported by back end {NAME!r}."
            "\n  Leave it out: the testbench expects the outputs of integer inference."
        )
    given = value("InputData")
    if not given:
        return None
    try:
        x = np.load(given, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"input_data_tb={str(given)!r} cannot be read: {error}.\n"
            "  Give a .npy file of float inputs."
        ) from error
    return input_codes(graph_of(model), x)


def frames_of(graph: IntGraph, x: NDArray[np.floating[Any]] | None, frames: int) -> IntArray:
    """Codes of the first `frames` frames of `x`, random ones without it."""
    if x is not None:
        return input_codes(graph, x[:frames])
    low, high = graph.input_type.lo, graph.input_type.hi + 1
    return np.random.default_rng(1).integers(low, high, (frames, *graph.input_shape))
