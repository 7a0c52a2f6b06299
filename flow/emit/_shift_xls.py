"""Engine `xls` behind the back end `Shift`: a ModelGraph to RTL, simulation, synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.emit._shift_layers import graph_of
from flow.emit._shift_model import plan_of
from flow.emit.writer import load_project, write_files
from flow.graph.types import IntArray

if TYPE_CHECKING:  # hls4ml.model.graph is not there yet while plug-ins load
    from hls4ml.model.graph import ModelGraph


def write(model: ModelGraph) -> None:
    """Write kernels, units, top and ROM files into the output folder."""
    value = model.config.get_config_value
    cache = value("CacheDir")
    write_files(
        graph_of(model),
        plan_of(model),
        Path(model.config.get_output_dir()),
        jobs=value("Jobs"),
        xls_timeout_s=value("XlsTimeout"),
        cache_dir=Path(cache) if cache else None,
        progress=value("Progress"),
    )


def build_model(
    model: ModelGraph, codes: IntArray, simulate: bool = True, synth: bool = False
) -> dict[str, Any]:
    """Simulate `codes` and, with `synth`, synthesise with Yosys."""
    from flow.simulate import StallSettings
    from flow.simulate import simulate as simulate_project
    from flow.synth import synthesise

    folder = Path(model.config.get_output_dir())
    graph, hw_plan, project = graph_of(model), plan_of(model), load_project(folder)
    report: dict[str, Any] = {}
    if simulate:
        report["sim"] = simulate_project(
            project, graph, hw_plan, codes, folder / "sim", frames=len(codes),
            stalls=StallSettings(30, 30, (1,)),
        )  # fmt: skip
    if synth:
        value = model.config.get_config_value
        report["synth"] = synthesise(
            project, hw_plan.target, folder / "synth", jobs=value("Jobs"), timeout_s=1800
        )
    return report
