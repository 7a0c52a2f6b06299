"""Engine `vitis` behind the back end `Shift`: a ModelGraph to its project, library and runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.emit._shift_layers import graph_of
from flow.emit._shift_model import plan_of, testbench_codes
from flow.emit.vitis import (
    Library,
    VitisProject,
    compile_vitis,
    csim,
    load_vitis_project,
    run_testbench,
    write_vitis_project,
)
from flow.emit.vitis.testbench import write_frames
from flow.emit.vitis.tool import TIMEOUT_S, Steps, find_vitis, find_vivado
from flow.graph.types import IntArray

if TYPE_CHECKING:  # hls4ml.model.graph is not there yet while plug-ins load
    from hls4ml.model.graph import ModelGraph


def write(model: ModelGraph) -> VitisProject:
    """Write the project of a ModelGraph into its output folder."""
    config = model.config
    return write_vitis_project(
        graph_of(model),
        plan_of(model),
        Path(config.get_output_dir()),
        config.get_config_value("IOType"),
        codes=testbench_codes(model),
    )


def compile_model(model: ModelGraph) -> Library:
    """Compile the C simulation of the written project, and mark all layers as traceable.

    hls4ml's `ModelGraph.trace` collects the layers that have the attributes set here.
    """
    for layer in list(model.get_layers())[1:]:
        layer.set_attr("trace", True)
        layer.set_attr("function_cpp", layer.name)
    cache = model.config.get_config_value("CacheDir")
    project = load_vitis_project(Path(model.config.get_output_dir()))
    return compile_vitis(project, Path(cache) if cache else None)


def run_model(model: ModelGraph, codes: IntArray) -> IntArray:
    """Output codes [n, h, w, c] of the C simulation, which is compiled first if it is not yet."""
    if model._top_function_lib is None:  # hls4ml's own handle of what `compile` gave it
        model.compile()
    library = Library(Path(model._top_function_lib._name), model.config.get_project_name())
    return csim.run_output(library, graph_of(model), codes)


def build_model(model: ModelGraph, codes: IntArray, options: Mapping[str, bool]) -> dict[str, Any]:
    """Run the testbench on `codes`, and the steps of Vitis HLS that were asked for.

    Returns:
        'csim'; and where a step needed AMD's tools, 'report', a `flow.synth.vitis.VitisSynth`, and
        'hls4ml', what hls4ml's own reader finds in the same reports.

    Raises:
        ToolMissing: Vitis HLS or Vivado is needed and not there; nothing was run then.
    """
    steps = Steps(**options)
    if steps.needs_vitis:
        find_vitis()
    if steps.vsynth:
        find_vivado()
    graph, project = graph_of(model), load_vitis_project(Path(model.config.get_output_dir()))
    write_frames(project.root, graph, codes)
    report: dict[str, Any] = {}
    if steps.csim:
        report["csim"] = run_testbench(project)
    if steps.needs_vitis:
        from flow.synth.vitis import hls4ml_report, run_steps

        report["report"] = run_steps(
            project, plan_of(model), graph, codes, project.root / "bench", steps=steps,
            timeout_s=TIMEOUT_S,
        )  # fmt: skip
        report["hls4ml"] = hls4ml_report(project)
    return report
