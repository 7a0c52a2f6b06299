"""From the results of all stages to the values of report.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from flow.errors import DataError
from flow.plan.hwplan import UnitPlan
from flow.report.inputs import AccuracyFigures, ReportInputs, StageTime
from flow.report.schema import SCHEMA, check_report
from flow.report.tensors import layer_tensors, network_input
from flow.simulate.result import LayerSim, SimResult
from flow.synth.result import SynthResult, TimingResult, UnitResources


def build_report(inputs: ReportInputs) -> dict[str, Any]:
    """Make the content of report.json; nothing is read or written.

    Raises:
        DataError: the results are of different networks, or a value is missing, NaN or out of
            range; all problems are named.
    """
    _check_same_layers(inputs)
    target = asdict(inputs.target)
    report = {
        "schema": SCHEMA,
        "run": inputs.run,
        "model": inputs.model,
        "quant": inputs.quant,
        "engine": inputs.engine,
        "target": inputs.target.name,
        "created_utc": inputs.created_utc,
        "git_commit": inputs.git_commit,
        "seed": inputs.seed,
        "tools": dict(sorted(inputs.tools.items())),
        "accuracy": _accuracy(inputs.accuracy),
        "sim": _sim(inputs.sim),
        "input": network_input(inputs.graph, inputs.profile),
        "layers": _layers(inputs),
        "profile_samples": inputs.profile.samples,
        "network": _network(inputs),
        "synth": _synth(inputs.synth),
        "timing": _timing(inputs.timing),
        "stages": [StageTime(*stage)._asdict() for stage in inputs.stages],
        "device": {key: target[key] for key in ("name", "family", "lut", "ff", "dsp", "bram")},
        "provenance": dict(sorted(inputs.provenance.items())),
    }
    check_report(report)
    return report


def utilisation(macs: int, multipliers: int, cycles: int) -> float | None:
    """Share of the multipliers' cycles that did a product of the network; None without any."""
    return macs / (multipliers * cycles) if multipliers else None


def _check_same_layers(inputs: ReportInputs) -> None:
    problems = []
    for stage, names in (
        ("extract", {node.name for node in inputs.graph.nodes}),
        ("evaluate", {layer.name for layer in inputs.profile.layers}),
        ("simulate", {layer.name for layer in inputs.sim.layers}),
        ("synth", {unit.name for unit in inputs.synth.units}),
    ):
        missing = [unit.name for unit in inputs.plan.units if unit.name not in names]
        if missing:
            problems.append(f"stage {stage!r} has no result for {', '.join(map(repr, missing))}")
    if problems:
        raise DataError(
            f"the results of {inputs.plan.graph_name!r} do not belong together: "
            f"{'; '.join(problems)}.\n"
            "  Run the named stages again (--from)."
        )


def _accuracy(figures: AccuracyFigures | Mapping[str, Any]) -> dict[str, Any]:
    given = asdict(figures) if isinstance(figures, AccuracyFigures) else dict(figures)
    return {
        **given,
        **{key: given.get(key) for key in ("recorded_dataset", "recorded_samples", "note")},
    }


def _sim(sim: SimResult) -> dict[str, Any]:
    everything: Iterable[int] = (
        sim.mismatches,
        *(run.mismatches for run in sim.runs),
        *(layer.mismatches for layer in sim.layers),
    )
    compared = (sim.outputs_compared, *(run.outputs_compared for run in sim.runs),
                *(layer.words_compared for layer in sim.layers))  # fmt: skip
    passed = bool(sim.runs) and min(compared) > 0 and not any(everything)
    return {
        "engine": sim.engine,
        "frames": sim.frames,
        "outputs_compared": sim.outputs_compared,
        "mismatches": sim.mismatches,
        "ii_cycles": sim.ii_cycles,
        "latency_cycles": sim.latency_cycles,
        "sim_cycles_per_s": sim.sim_cycles_per_s,
        "wall_s": sim.wall_s,
        "passed": passed,
        "runs": [asdict(run) for run in sim.runs],
    }


def _layers(inputs: ReportInputs) -> list[dict[str, Any]]:
    simulated = {layer.name: layer for layer in inputs.sim.layers}
    synthesised = {unit.name: unit for unit in inputs.synth.units}
    tensors = layer_tensors(inputs.graph, inputs.profile)
    units = inputs.plan.units
    slowest = max(simulated[unit.name].sim_cycles for unit in units)
    return [
        _layer(unit, simulated[unit.name], synthesised[unit.name], slowest) | tensors[unit.name]
        for unit in units
    ]


def _layer(unit: UnitPlan, sim: LayerSim, synth: UnitResources, slowest: int) -> dict[str, Any]:
    return {
        "name": unit.name,
        "op": unit.kind.value,
        "macs": unit.macs,
        "w_bits": unit.w_bits,
        "a_bits": unit.x_bits,
        "y_bits": unit.y_bits,
        "acc_bits": unit.acc_bits,
        "pe": unit.pe,
        "simd": unit.simd,
        "lanes": unit.lanes,
        "products": unit.products if unit.multipliers else "none",
        "est_cycles": unit.cycles.bound,
        "sim_cycles": sim.sim_cycles,
        "sim_ii_cycles": sim.ii_cycles,
        "starved": sim.starved,
        "blocked": sim.blocked,
        "utilisation": utilisation(unit.macs, unit.multipliers, sim.sim_cycles),
        "est_lut": unit.resources.lut,
        "est_dsp": unit.resources.dsp,
        "est_bram": unit.resources.bram,
        "synth_lut": synth.lut,
        "synth_ff": synth.ff,
        "synth_dsp": synth.dsp,
        "synth_bram": synth.bram,
        "words_compared": sim.words_compared,
        "mismatches": sim.mismatches,
        "bottleneck": sim.sim_cycles == slowest,
    }


def _network(inputs: ReportInputs) -> dict[str, Any]:
    plan, ii_cycles = inputs.plan, inputs.sim.ii_cycles
    macs = sum(unit.macs for unit in plan.units)
    return {
        "macs": macs,
        "multipliers": plan.multipliers,
        "utilisation": utilisation(macs, plan.multipliers, ii_cycles),
        "ideal_ii_cycles": plan.est_ii_cycles,
        "target_ii_cycles": plan.target_ii_cycles,
        "assumed_clock_mhz": inputs.target.clock_mhz,
        "frames_per_s": inputs.target.clock_mhz * 1e6 / ii_cycles,
        "slowest_fmax_mhz": inputs.timing.slowest.fmax_mhz if inputs.timing else None,
    }


def _synth(synth: SynthResult) -> dict[str, Any]:
    return {
        "tool": synth.tool,
        "target": synth.target,
        "scope": synth.scope,
        "lut": synth.lut,
        "ff": synth.ff,
        "dsp": synth.dsp,
        "bram": synth.bram,
        "device_fit": dict(synth.device_fit),
        "units": [asdict(unit) for unit in synth.units],
        "warnings": list(synth.warnings),
    }


def _timing(timing: TimingResult | None) -> list[dict[str, Any]]:
    if timing is None:
        return []
    shared = {"tool": timing.tool, "target": timing.target, "scope": timing.scope}
    return [shared | asdict(unit) for unit in timing.units]
