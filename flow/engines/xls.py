"""Engine `xls`: DSLX and SystemVerilog, RTL simulation with Verilator, Yosys, nextpnr."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from flow.progress import tell
from flow.runs import ROUTED_FAMILIES, Run, cache_folder, simulated_samples
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


def steps(run: Run) -> tuple[Step, ...]:
    """Emit, simulate, synth, and route where an open router exists."""
    target = {"target": asdict(run.target)}
    bench = run.config.tools.simulation.model_dump(exclude={"timeout_s"})
    made = (
        Step("emit", ("extract", "plan"),
             ("flow/emit", "flow/plan", "flow/graph", "hls_templates"),
             _emit, {"engine": run.engine}),
        Step("simulate", ("extract", "plan", "emit"),
             (*SAMPLE_SOURCES, *SCORE_SOURCES, "flow/simulate", "flow/emit", "flow/graph",
              "rtl_sim"),
             _simulate, {**frame_inputs(run), **bench}),
        Step("synth", ("emit",), ("flow/synth", "flow/emit"),
             _synth, target),
        Step("route", ("emit",), ("flow/synth", "flow/emit"),
             _route, target),
    )  # fmt: skip
    routed = run.target.family in ROUTED_FAMILIES
    return made if routed else made[:-1]


def _emit(run: Run, folder: Path, done: Done) -> None:
    from flow.emit.hls4ml_backend import write_project

    tools = run.config.tools
    write_project(
        graph_of(done),
        plan_of(done),
        folder / "project",
        jobs=tools.jobs,
        xls_timeout_s=tools.xls_timeout_s,
        cache_dir=cache_folder("xls"),
        progress=lambda kernel, _: tell(f"compiled {kernel}"),
    )


def _simulate(run: Run, folder: Path, done: Done) -> None:
    from flow.emit import load_project
    from flow.evaluation import simulated_frames
    from flow.graph import map_input
    from flow.simulate import StallSettings, save_sim, simulate

    graph, settings = graph_of(done), run.config.tools.simulation
    samples = simulated_samples(run)
    count = len(samples.y)
    result = simulate(
        load_project(done["emit"].folder / "project"),
        graph,
        plan_of(done),
        map_input(graph, samples.x),
        folder,
        frames=count,
        stalls=StallSettings(settings.stall_in_percent, settings.stall_out_percent, settings.seeds),
        timeout_s=settings.timeout_s,
        progress=tell,
    )
    save_sim(result, folder / "sim.json")
    # every output word of the RTL was compared and none differs, so its accuracy is the integers'
    found = simulated_frames(graph, samples, run.settings.metric)
    save_json(folder / "frames.json", found)


def _synth(run: Run, folder: Path, done: Done) -> None:
    from flow.emit import load_project
    from flow.synth import save_synth_result, synthesise

    tools = run.config.tools
    result = synthesise(
        load_project(done["emit"].folder / "project"),
        run.target,
        folder,
        jobs=tools.jobs,
        timeout_s=tools.synth_timeout_s,
        cache_dir=cache_folder("synth"),
        progress=lambda unit, share: tell(f"{unit} done", share),
    )
    save_synth_result(result, folder / "synth.json")


def _route(run: Run, folder: Path, done: Done) -> None:
    from flow.emit import load_project
    from flow.synth import route, save_timing

    tools = run.config.tools
    result = route(
        load_project(done["emit"].folder / "project"),
        run.target,
        folder,
        jobs=tools.jobs,
        timeout_s=tools.synth_timeout_s,
        cache_dir=cache_folder("route"),
        progress=lambda unit, share: tell(f"{unit} done", share),
    )
    save_timing(result, folder / "timing.json")
