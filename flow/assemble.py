"""Collects what all stages found into the inputs of the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flow.cache import Outcome
from flow.evaluation import Evaluation, SimulatedFrames, load_evaluation
from flow.graph import graph_hash, load_graph, load_profile
from flow.plan import load_plan, plan_hash
from flow.provenance import all_versions, git_commit
from flow.report import AccuracyFigures, ReportInputs, StageTime
from flow.simulate import CsimResult, SimResult, load_csim, load_sim
from flow.synth import SynthResult, TimingResult, load_synth_result, load_timing
from flow.synth.vitis import VitisSynth, load_vitis_synth

if TYPE_CHECKING:
    from flow.runs import Run


def assemble(run: Run, done: Mapping[str, Outcome], seed: int) -> ReportInputs:
    """Load the results of the stages before the report."""
    places = {name: outcome.folder for name, outcome in done.items()}
    found = load_evaluation(places["evaluate"] / "evaluation.json")
    graph, plan = load_graph(places["extract"]), load_plan(places["plan"] / "plan.json")
    measured = _vitis(places) if run.engine == "vitis" else _xls(places)
    frames = SimulatedFrames(**json.loads((places["simulate"] / "frames.json").read_text()))
    return ReportInputs(
        run=run.name,
        model=run.model,
        quant=run.quant,
        engine=run.engine,
        target=run.target,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        git_commit=git_commit(),
        seed=seed,
        tools=all_versions(run.engine),
        accuracy=_figures(found, frames, measured),
        graph=graph,
        profile=load_profile(places["evaluate"] / "profile.json"),
        plan=plan,
        sim=measured.sim,
        synth=measured.synth,
        timing=measured.timing,
        vitis=measured.vitis,
        stages=tuple(StageTime(o.name, o.seconds, o.cached) for o in done.values()),
        provenance={
            **({"io_type": run.io_type} if run.engine == "vitis" else {}),
            "plan_hash": plan_hash(plan),
            "graph_hash": graph_hash(graph),
            "weights_sha256": graph.provenance.get("weights_sha256"),
            "data_file": run.source.path.name,
            "data_sha256": run.source.sha256,
            "target_ii_cycles": plan.target_ii_cycles,
            "codes_equal_to_qkeras": sum(layer.compared for layer in found.equality),
        },
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """Results of the stages that differ from engine to engine."""

    sim: SimResult | CsimResult
    synth: SynthResult | None
    timing: TimingResult | None
    vitis: VitisSynth | None


def _xls(places: Mapping[str, Path]) -> _Measured:
    return _Measured(
        sim=load_sim(places["simulate"] / "sim.json"),
        synth=load_synth_result(places["synth"] / "synth.json"),
        timing=load_timing(places["route"] / "timing.json") if "route" in places else None,
        vitis=None,
    )


def _vitis(places: Mapping[str, Path]) -> _Measured:
    return _Measured(
        sim=load_csim(places["simulate"] / "sim.json"),
        synth=None,
        timing=None,
        vitis=load_vitis_synth(places["synth"] / "vitis.json"),
    )


def _figures(found: Evaluation, frames: SimulatedFrames, measured: _Measured) -> AccuracyFigures:
    """Output words of all frames simulated were compared, so their accuracy is one and the same."""
    accuracy, recorded = found.accuracy, found.recorded
    shown = recorded if accuracy.recorded else None
    in_c = isinstance(measured.sim, CsimResult)
    check = measured.vitis.rtl if measured.vitis else None
    in_rtl = not in_c or (check is not None and check.frames >= frames.samples)
    return AccuracyFigures(
        metric=accuracy.metric,
        dataset=accuracy.dataset,
        float=accuracy.float,
        qkeras=accuracy.qkeras,
        integer=accuracy.integer,
        rtl=frames.accuracy if in_rtl else None,
        samples=accuracy.samples,
        rtl_samples=frames.samples if in_rtl else 0,
        recorded=accuracy.recorded,
        note=found.note,
        recorded_dataset=Path(shown.dataset).stem if shown else None,
        recorded_samples=shown.samples if shown else None,
        csim=frames.accuracy if in_c else None,
        csim_samples=frames.samples if in_c else 0,
        qkeras_partial_auc=found.partial_auc.qkeras if found.partial_auc else None,
        integer_partial_auc=found.partial_auc.integer if found.partial_auc else None,
    )
