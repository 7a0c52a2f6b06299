"""The stages of a run: what each depends on, and those that are the same for every engine.

Heavy packages are imported inside the functions, so that a run that finds everything in the cache
loads none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flow.cache import Notify, Outcome, Stage, hash_file, hash_sources, publish_copy, run_stages
from flow.config import ROOT
from flow.data import load_samples
from flow.engines import engine_steps
from flow.errors import ConfigError
from flow.own_model import OwnModel
from flow.own_stages import evaluate_own, extract_own
from flow.progress import counter
from flow.provenance import all_versions, git_commit, stage_tools, tool_versions
from flow.runs import FRAME_SEED, ROUTED_FAMILIES, Run
from flow.steps import (
    SAMPLE_SOURCES,
    SCORE_SOURCES,
    Done,
    Step,
    data_inputs,
    graph_of,
    save_json,
)

STAGES = ("extract", "evaluate", "plan", "emit", "simulate", "synth", "route", "report")

SOURCE_SUFFIXES = frozenset(
    {".py", ".yaml", ".j2", ".sv", ".svh", ".v", ".x", ".h", ".cpp", ".html", ".css", ".js"}
)
COMMON_SOURCES = (
    "flow/stages.py", "flow/steps.py", "flow/runs.py", "flow/errors.py", "flow/templates.py",
    "requirements.lock",
)  # fmt: skip


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
    """Refuse a stage that runs of this engine or for this device do not have.

    Raises:
        ConfigError: there is no such stage.
    """
    if "route" not in wanted:
        return
    if run.engine == "vitis":
        raise ConfigError(
            "a run with engine 'vitis' has no stage 'route': timing comes from Vivado, in stage "
            "synth.\n  Choose another stage, or --engine xls and a target of family "
            f"{' or '.join(ROUTED_FAMILIES)}."
        )
    if run.target.family not in ROUTED_FAMILIES:
        raise ConfigError(
            f"a run for {run.target.name} has no stage 'route': there is no open router for "
            f"family {run.target.family!r}.\n  Choose a target of family "
            f"{' or '.join(ROUTED_FAMILIES)} with --target, or another stage."
        )


def stages_of(run: Run) -> list[Stage]:
    """The stages of a run, in order."""
    steps = [*_first_steps(run), *engine_steps(run)]
    report = Step(
        "report",
        tuple(step.name for step in steps),
        ("flow/assemble.py", "flow/provenance.py", "flow/report", "flow/simulate", "flow/synth"),
        _report,
        {"run": run.name, "git_commit": git_commit(), "all_tools": all_versions(run.engine)},
    )
    return [_stage(run, step) for step in (*steps, report)]


def _first_steps(run: Run) -> tuple[Step, ...]:
    """From the trained network to its plan."""
    settings = run.settings
    name = {"model": run.model, "quant": run.quant}
    plan_inputs = {
        "engine": run.engine,
        "target": asdict(run.target),
        "ii_cycles": settings.target_ii_cycles,
        "dsp_budget": settings.dsp_budget,
        "lut_budget": settings.lut_budget,
        "layers": {name: layer.model_dump() for name, layer in settings.layers.items()},
    }
    own = isinstance(settings, OwnModel)
    weights = {path.name: hash_file(path) for path in run.weight_files}
    data, own_code = data_inputs(run), ("flow/own_model.py", "flow/own_stages.py") * own
    return (
        Step("extract", (), ("flow/frontend", "flow/graph", "models", *own_code),
             extract_own if own else _extract,
             # samples: ranges of an own model may be calibrated on them
             {**name, "weights": weights, **(data if own else {})}),
        Step("evaluate", ("extract",),
             (*SAMPLE_SOURCES, *SCORE_SOURCES, "flow/graph", "flow/frontend", "models", *own_code),
             evaluate_own if own else _evaluate, {**data, **name}),
        Step("plan", ("extract",), ("flow/plan", "flow/graph"), _plan, plan_inputs),
    )  # fmt: skip


def _stage(run: Run, step: Step) -> Stage:
    places = (*step.sources, f"flow/engines/{run.engine}.py", *COMMON_SOURCES)
    sources = hash_sources(ROOT, places, SOURCE_SUFFIXES)
    tools = tool_versions(stage_tools(run.engine, step.name))
    inputs: Mapping[str, Any] = {**step.inputs, "tools": tools}
    return Stage(
        step.name, step.needs, sources, inputs, lambda folder, done: step.make(run, folder, done)
    )


def _extract(run: Run, folder: Path, done: Done) -> None:
    from flow.frontend import extract
    from flow.graph import save_graph

    save_graph(extract(run.model, run.quant), folder)


def _evaluate(run: Run, folder: Path, done: Done) -> None:
    from flow.anomaly import frames_of
    from flow.evaluation import evaluation
    from flow.graph import map_input, profile, save_profile
    from flow.layer_equality import drawn_frames

    metric = run.benchmark.metric
    graph, samples = graph_of(done), load_samples(run.source, run.benchmark)
    drawn = drawn_frames(graph, frames_of(samples, metric))
    found = evaluation(graph, samples, drawn, model=run.model, quant=run.quant, metric=metric)
    save_json(folder / "evaluation.json", found)
    ranges = profile(graph, map_input(graph, drawn.x), counter("value ranges, samples"))
    save_profile(ranges, folder / "profile.json")


def _plan(run: Run, folder: Path, done: Done) -> None:
    from flow.plan import Override, plan, save_plan

    overrides = {
        name: Override(**layer.model_dump()) for name, layer in run.settings.layers.items()
    }
    settings = run.settings
    chosen = plan(
        graph_of(done),
        run.target,
        settings.target_ii_cycles,
        overrides,
        settings.dsp_budget,
        settings.lut_budget,
        run.engine,
    )
    save_plan(chosen, folder / "plan.json")


def _report(run: Run, folder: Path, done: Done) -> None:
    from flow.assemble import assemble
    from flow.report import write_report

    write_report(folder, assemble(run, done, FRAME_SEED))
