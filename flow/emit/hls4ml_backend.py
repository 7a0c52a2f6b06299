"""The hls4ml back end `Shift`: registered through the entry point `hls4ml.backends`.

    import hls4ml
    from flow.emit.hls4ml_backend import keras_network

    hls_model = hls4ml.converters.convert_from_keras_model(
        keras_network(model), backend="Shift", output_dir="my_project", target="xc7z020",
        ii_cycles=8000,
    )
    hls_model.compile()
    y = hls_model.predict(x)        # integer inference: what the hardware computes
    report = hls_model.build()      # XLS, RTL simulation; synth=True adds resources

`keras_network` hands a QKeras model past hls4ml's own parser, which refuses its quantizers. hls4ml
loads plug-ins while it is being imported, so this module imports it inside functions only.
"""

from __future__ import annotations

import json
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.errors import FlowError

if TYPE_CHECKING:
    from flow.emit.project import Project
    from flow.emit.vitis import VitisProject
    from flow.graph.types import IntGraph
    from flow.plan.hwplan import HwPlan

NAME = "Shift"
NETWORK_CLASS = "ShiftNetwork"


def register(register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Entry point: register layers, the writer (first, the back end asks for it), the back end.

    hls4ml retries a callable that raised TypeError with positional arguments and then shows an
    unrelated message, so the real error is reported from here.
    """
    try:
        from hls4ml.model.layers import register_layer

        from flow.emit._shift_backend import ShiftBackend, ShiftWriter
        from flow.emit._shift_layers import LAYERS

        for name, layer in LAYERS.items():
            register_layer(name, layer)
        register_writer(NAME, ShiftWriter)
        register_backend(NAME, ShiftBackend)
    except TypeError as error:
        raise FlowError(
            f"back end {NAME!r} could not be registered:\n{traceback.format_exc()}"
        ) from error


class KerasNetwork:
    """A Keras model in the shape that hls4ml's converter expects: one opaque layer."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def to_json(self) -> str:
        """Keras' JSON of an input layer and a layer of class ShiftNetwork."""
        shape = [None, *self.model.input_shape[1:]]
        raw = {"name": "raw", "batch_input_shape": shape, "dtype": "float32"}
        layers = [
            {"class_name": "InputLayer", "config": raw},
            {"class_name": NETWORK_CLASS, "config": {"name": "network"}},
        ]
        return json.dumps({"class_name": "Sequential", "config": {"layers": layers}})


def keras_network(model: Any) -> KerasNetwork:
    """Wrap a QKeras model for `convert_from_keras_model(..., backend='Shift')` of hls4ml."""
    from hls4ml.converters.keras_v2_to_hls import (
        get_layer_handlers,
        register_keras_v2_layer_handler,
    )

    if NETWORK_CLASS not in get_layer_handlers():
        register_keras_v2_layer_handler(NETWORK_CLASS, _parse_network)
    return KerasNetwork(model)


def convert(graph: IntGraph, output_dir: Path, **options: Any) -> Any:
    """Hand an IntGraph to hls4ml and return its ModelGraph.

    Args:
        options: those of `ShiftBackend.create_initial_config`.
    """
    import hls4ml  # noqa: F401  (registers the back end)
    from hls4ml.model.graph import ModelGraph
    from hls4ml.utils.config import create_config

    from flow.emit._shift_layers import layer_list

    config = create_config(
        output_dir=str(output_dir), project_name=graph.name, backend=NAME, **options
    )
    return ModelGraph.from_layer_list(config, layer_list(graph))


def write_project(
    graph: IntGraph,
    hw_plan: HwPlan,
    folder: Path,
    *,
    jobs: int,
    xls_timeout_s: float,
    cache_dir: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Project:
    """Write the XLS project of a plan through hls4ml's writer; see `writer.write_files`."""
    from flow.emit.writer import load_project

    _write(
        graph,
        hw_plan,
        folder,
        jobs=jobs,
        xls_timeout_s=xls_timeout_s,
        cache_dir=str(cache_dir) if cache_dir else None,
        progress=progress,
    )
    return load_project(folder)


def write_vitis(
    graph: IntGraph, hw_plan: HwPlan, folder: Path, *, io_type: str = "io_stream"
) -> VitisProject:
    """Write the Vitis HLS project of a plan through hls4ml's writer; see `write_vitis_project`."""
    from flow.emit.vitis import load_vitis_project

    _write(graph, hw_plan, folder, engine="vitis", io_type=io_type)
    return load_vitis_project(folder)


def _write(graph: IntGraph, hw_plan: HwPlan, folder: Path, **options: Any) -> None:
    from flow.plan import save_plan

    with tempfile.TemporaryDirectory() as scratch:
        plan_file = Path(scratch) / "plan.json"
        save_plan(hw_plan, plan_file)
        model = convert(
            graph,
            folder,
            target=hw_plan.target.name,
            ii_cycles=hw_plan.target_ii_cycles,
            plan_file=str(plan_file),
            **options,
        )
        model.write()


def _parse_network(
    keras_layer: Mapping[str, Any], input_names: Any, input_shapes: Any, reader: Any
) -> tuple[dict[str, Any], list[Any]]:
    """hls4ml's handler of the opaque layer: one layer dictionary and its output shape."""
    layer = {"class_name": NETWORK_CLASS, "name": keras_layer["config"]["name"]}
    return layer, [None, *reader.model.model.output_shape[1:]]
