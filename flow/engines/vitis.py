"""Engine `vitis`: C++ for Vitis HLS, C simulation with g++, and the vendor's tools where they are.

Stages work in copies of the project: libraries, logs and reports go into these, and what the stage
`emit` made stays as it is.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from flow.progress import tell
from flow.runs import Run, simulated_samples
from flow.steps import (
    SAMPLE_SOURCES,
    SCORE_SOURCES,
    Done,
    Step,
    frame_inputs,
    graph_of,
    plan_of,
    save_json,
)

if TYPE_CHECKING:
    from flow.emit.vitis import VitisProject

PROJECT = "project"


def steps(run: Run) -> tuple[Step, ...]:
    """Emit, simulate, synth; there is no open router for what Vitis HLS makes."""
    frames = frame_inputs(run)
    return (
        Step("emit", ("extract", "plan"),
             ("flow/emit", "flow/plan", "flow/graph", "hls_templates"),
             _emit, {"engine": run.engine, "io_type": run.io_type}),
        Step("simulate", ("extract", "emit"),
             (*SAMPLE_SOURCES, *SCORE_SOURCES, "flow/simulate", "flow/emit", "flow/graph",
              "flow/gxx.py"),
             _simulate, frames),
        Step("synth", ("extract", "plan", "emit"),
             (*SAMPLE_SOURCES, "flow/synth", "flow/simulate", "flow/emit", "flow/graph",
              "rtl_sim"),
             _synth, {**frames, "target": asdict(run.target)}),
    )  # fmt: skip


def copy_project(done: Done, folder: Path) -> VitisProject:
    """The emitted project in another folder, checked file by file.

    Raises:
        DataError: a file of the emitted project is missing or was changed.
    """
    from flow.emit.vitis import load_vitis_project

    place = folder / PROJECT
    shutil.copytree(done["emit"].folder / PROJECT, place)
    return load_vitis_project(place)


def _emit(run: Run, folder: Path, done: Done) -> None:
    from flow.emit.hls4ml_backend import write_vitis

    write_vitis(graph_of(done), plan_of(done), folder / PROJECT, io_type=run.io_type)


def _simulate(run: Run, folder: Path, done: Done) -> None:
    from flow.evaluation import simulated_frames
    from flow.graph import map_input
    from flow.simulate import csimulate, save_csim

    graph, samples = graph_of(done), simulated_samples(run)
    result = csimulate(
        copy_project(done, folder),
        graph,
        map_input(graph, samples.x),
        timeout_s=run.config.tools.simulation.timeout_s,
        progress=tell,
    )
    save_csim(result, folder / "sim.json")
    # every word was compared and none differs, so the accuracy of the C++ is the integers'
    found = simulated_frames(graph, samples, run.settings.metric)
    save_json(folder / "frames.json", found)


def _synth(run: Run, folder: Path, done: Done) -> None:
    from flow.emit.vitis import load_vitis_project
    from flow.graph import map_input
    from flow.synth.vitis import save_vitis_synth, synthesise

    graph = graph_of(done)
    result = synthesise(
        load_vitis_project(done["emit"].folder / PROJECT),
        plan_of(done),
        folder,
        timeout_s=run.config.tools.vitis_timeout_s,
        graph=graph,
        codes=map_input(graph, simulated_samples(run).x),
        progress=tell,
    )
    save_vitis_synth(result, folder / "vitis.json")
