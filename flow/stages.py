"""The stages of a run: what each depends on, and the call that makes its result.

Heavy packages are imported inside the functions, so that a run that finds everything in the cache
loads none of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.cache import Notify, Outcome, Stage, hash_file, hash_sources, publish_copy, run_stages
from flow.config import ROOT
from flow.data import load_samples
from flow.errors import ConfigError
from flow.progress import counter, tell
from flow.provenance import STAGE_TOOLS, all_versions, git_commit, tool_versions
from flow.runs import FRAME_SEED, Run, cache_folder, rtl_samples

if TYPE_CHECKING:
    from flow.graph import IntGraph

STAGES = ("extract", "evaluate", "plan", "emit", "simulate", "synth", "route", "report")
ROUTED_FAMILIES = ("ecp5",)  # no open router is known for others: their runs have no stage 'route'

SOURCE_SUFFIXES = frozenset(
    {".py", ".yaml", ".j2", ".sv", ".svh", ".v", ".x", ".h", ".cpp", ".html", ".css", ".js"}
)
COMMON_SOURCES = (
    "flow/stages.py", "flow/runs.py", "flow/errors.py", "flow/templates.py", "requirements.lock",
)  # fmt: skip
SOURCES: Mapping[str, tuple[str, ...]] = {
    "extract": ("flow/frontend", "flow/graph", "models"),
    "evaluate": ("flow/evaluation.py", "flow/graph", "flow/frontend", "flow/data.py", "models"),
    "plan": ("flow/plan", "flow/graph"),
    "emit": ("flow/emit", "flow/plan", "flow/graph", "hls_templates"),
    "simulate": (
        "flow/simulate",
        "flow/evaluation.py",
        "flow/emit",
        "flow/graph",
        "flow/data.py",
        "rtl_sim",
    ),
    "synth": ("flow/synth", "flow/emit"),
    "route": ("flow/synth", "flow/emit"),
    "report": (
        "flow/assemble.py",
        "flow/provenance.py",
        "flow/report",
        "flow/simulate",
        "flow/synth",
    ),
}

Done = Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Finished:
    """A run's outcomes, and its published report if it went that far."""

    outcomes: tuple[Outcome, ...]
    report: Path | None


def execute(
    run: Run,
    *,
    force_from: str | None = None,
    until: str | None = None,
    notify: Notify | None = None,
) -> Finished:
    """Run the stages that are not up to date and publish the report.

    Raises:
        ConfigError: the run has no such stage.
        FlowError: a stage failed; what was finished before it is kept.
    """

    def publish(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.name == "report":
                publish_copy(outcome.folder, run.report_folder)

    check_wanted(run, force_from, until)
    stages = stages_of(run)
    outcomes = run_stages(
        stages,
        run.folder,
        force_from=force_from,
        until=until,
        notify=notify,
        at_end=publish,
    )
    reported = any(outcome.name == "report" for outcome in outcomes)
    return Finished(tuple(outcomes), run.report_folder if reported else None)


def check_wanted(run: Run, *wanted: str | None) -> None:
    """Refuse a stage that runs for this device do not have.

    Raises:
        ConfigError: there is no such stage.
    """
    for name in wanted:
        if name == "route" and run.target.family not in ROUTED_FAMILIES:
            raise ConfigError(
                f"a run for {run.target.name} has no stage {name!r}: there is no open router for "
                f"family {run.target.family!r}.\n  Choose a target of family "
                f"{' or '.join(ROUTED_FAMILIES)} with --target, or another stage."
            )


def stages_of(run: Run) -> list[Stage]:
    """The stages of a run, in order."""
    settings = run.settings
    data = {
        "name": run.source.path.stem,
        "sha256": run.source.sha256,
        "real": run.source.is_real,
    }
    weights = {path.name: hash_file(path) for path in run.weight_files}
    name = {"model": run.model, "quant": run.quant}
    shape = {"input_shape": settings.input_shape, "classes": settings.classes}
    plan_inputs = {
        "target": asdict(run.target),
        "ii_cycles": settings.target_ii_cycles,
        "dsp_budget": settings.dsp_budget,
        "lut_budget": settings.lut_budget,
        "layers": {name: layer.model_dump() for name, layer in settings.layers.items()},
    }
    routed = run.target.family in ROUTED_FAMILIES
    results = [name for name in STAGES[:-1] if routed or name != "route"]
    target = {"target": asdict(run.target)}
    stimulus = {"frames": run.frames or settings.frames, "seed": FRAME_SEED}
    return [
        _stage(run, "extract", (), {**name, "weights": weights}, _extract),
        _stage(run, "evaluate", ("extract",), {"data": data, **shape, **name}, _evaluate),
        _stage(run, "plan", ("extract",), plan_inputs, _plan),
        _stage(run, "emit", ("extract", "plan"), {"engine": run.engine}, _emit),
        _stage(
            run,
            "simulate",
            ("extract", "plan", "emit"),
            {
                "data": data,
                **shape,
                **stimulus,
                **run.config.tools.simulation.model_dump(exclude={"timeout_s"}),
            },
            _simulate,
        ),
        _stage(run, "synth", ("emit",), target, _synth),
        *([_stage(run, "route", ("emit",), target, _route)] if routed else []),
        _stage(
            run,
            "report",
            tuple(results),
            {"run": run.name, "git_commit": git_commit(), "all_tools": all_versions()},
            _report,
        ),
    ]


def save_json(path: Path, value: object) -> None:
    """Write a dataclass as JSON with the names of its fields."""
    path.write_text(json.dumps(asdict(value), indent=1, sort_keys=True) + "\n")  # type: ignore[call-overload]


def _stage(
    run: Run,
    name: str,
    needs: tuple[str, ...],
    inputs: Mapping[str, Any],
    make: Callable[[Run, Path, Done], None],
) -> Stage:
    sources = hash_sources(ROOT, (*SOURCES[name], *COMMON_SOURCES), SOURCE_SUFFIXES)
    inputs = {**inputs, "tools": tool_versions(STAGE_TOOLS.get(name, ()))}
    return Stage(name, needs, sources, inputs, lambda folder, done: make(run, folder, done))


def _extract(run: Run, folder: Path, done: Done) -> None:
    from flow.frontend import extract
    from flow.graph import save_graph

    save_graph(extract(run.model, run.quant), folder)


def _evaluate(run: Run, folder: Path, done: Done) -> None:
    from flow.evaluation import evaluation
    from flow.graph import map_input, profile, save_profile

    graph, samples = _graph(done), load_samples(run.source, run.settings)
    found = evaluation(graph, samples, model=run.model, quant=run.quant, metric=run.settings.metric)
    save_json(folder / "evaluation.json", found)
    ranges = profile(graph, map_input(graph, samples.x), counter("value ranges, samples"))
    save_profile(ranges, folder / "profile.json")


def _plan(run: Run, folder: Path, done: Done) -> None:
    from flow.plan import Override, plan, save_plan

    overrides = {
        name: Override(**layer.model_dump()) for name, layer in run.settings.layers.items()
    }
    settings = run.settings
    chosen = plan(
        _graph(done),
        run.target,
        settings.target_ii_cycles,
        overrides,
        settings.dsp_budget,
        settings.lut_budget,
    )
    save_plan(chosen, folder / "plan.json")


def _emit(run: Run, folder: Path, done: Done) -> None:
    from flow.emit.hls4ml_backend import write_project
    from flow.plan import load_plan

    tools = run.config.tools
    write_project(
        _graph(done),
        load_plan(done["plan"].folder / "plan.json"),
        folder / "project",
        jobs=tools.jobs,
        xls_timeout_s=tools.xls_timeout_s,
        cache_dir=cache_folder("xls"),
        progress=lambda kernel, _: tell(f"compiled {kernel}"),
    )


def _simulate(run: Run, folder: Path, done: Done) -> None:
    from flow.emit import load_project
    from flow.evaluation import RtlFrames
    from flow.graph import evaluate, map_input
    from flow.plan import load_plan
    from flow.simulate import StallSettings, save_sim, simulate

    graph, settings = _graph(done), run.config.tools.simulation
    samples = rtl_samples(run)
    count = len(samples.y)
    result = simulate(
        load_project(done["emit"].folder / "project"),
        graph,
        load_plan(done["plan"].folder / "plan.json"),
        map_input(graph, samples.x),
        folder,
        frames=count,
        stalls=StallSettings(settings.stall_in_percent, settings.stall_out_percent, settings.seeds),
        timeout_s=settings.timeout_s,
        progress=tell,
    )
    save_sim(result, folder / "sim.json")
    # every output word of the RTL was compared and none differs, so its accuracy is the integers'
    accuracy = evaluate(graph, samples.x, samples.y)
    save_json(folder / "frames.json", RtlFrames(count, accuracy))


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


def _report(run: Run, folder: Path, done: Done) -> None:
    from flow.assemble import assemble
    from flow.report import write_report

    write_report(folder, assemble(run, done, FRAME_SEED))


def _graph(done: Done) -> IntGraph:
    from flow.graph import load_graph

    return load_graph(done["extract"].folder)
