"""Collects what all stages found into the inputs of the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flow.cache import Outcome
from flow.evaluation import Evaluation, RtlFrames, load_evaluation
from flow.graph import graph_hash, load_graph, load_profile
from flow.plan import load_plan, plan_hash
from flow.provenance import all_versions, git_commit
from flow.report import AccuracyFigures, ReportInputs, StageTime
from flow.simulate import load_sim
from flow.synth import load_synth_result, load_timing

if TYPE_CHECKING:
    from flow.runs import Run


def assemble(run: Run, done: Mapping[str, Outcome], seed: int) -> ReportInputs:
    """Load the results of the stages before the report."""
    places = {name: outcome.folder for name, outcome in done.items()}
    found = load_evaluation(places["evaluate"] / "evaluation.json")
    rtl = RtlFrames(**json.loads((places["simulate"] / "frames.json").read_text()))
    graph, plan = load_graph(places["extract"]), load_plan(places["plan"] / "plan.json")
    return ReportInputs(
        run=run.name,
        model=run.model,
        quant=run.quant,
        engine=run.engine,
        target=run.target,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        git_commit=git_commit(),
        seed=seed,
        tools=all_versions(),
        accuracy=_figures(found, rtl),
        graph=graph,
        profile=load_profile(places["evaluate"] / "profile.json"),
        plan=plan,
        sim=load_sim(places["simulate"] / "sim.json"),
        synth=load_synth_result(places["synth"] / "synth.json"),
        timing=load_timing(places["route"] / "timing.json") if "route" in places else None,
        stages=tuple(StageTime(o.name, o.seconds, o.cached) for o in done.values()),
        provenance={
            "plan_hash": plan_hash(plan),
            "graph_hash": graph_hash(graph),
            "weights_sha256": graph.provenance.get("weights_sha256"),
            "data_file": run.source.path.name,
            "data_sha256": run.source.sha256,
            "target_ii_cycles": plan.target_ii_cycles,
            "codes_equal_to_qkeras": sum(layer.compared for layer in found.equality),
        },
    )


def _figures(found: Evaluation, rtl: RtlFrames) -> AccuracyFigures:
    accuracy = found.accuracy
    return AccuracyFigures(
        metric=accuracy.metric,
        dataset=accuracy.dataset,
        float=accuracy.float,
        qkeras=accuracy.qkeras,
        integer=accuracy.integer,
        rtl=rtl.accuracy,
        samples=accuracy.samples,
        rtl_samples=rtl.samples,
        recorded=accuracy.recorded,
        note=found.note,
        recorded_dataset=Path(found.recorded.dataset).stem if accuracy.recorded else None,
        recorded_samples=found.recorded.samples if accuracy.recorded else None,
    )
