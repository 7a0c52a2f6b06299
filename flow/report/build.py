"""From the results of all stages to the values of report.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flow.errors import DataError
from flow.graph.weight_use import weight_use
from flow.plan.hwplan import UnitPlan
from flow.report.check import check_report
from flow.report.inputs import AccuracyFigures, ReportInputs, StageTime
from flow.report.schema import SCHEMA
from flow.report.simulated import layer_figures, sim_section, utilisation
from flow.report.tensors import layer_tensors, network_input
from flow.report.vendor import not_run_section, vitis_section, vivado_synth
from flow.simulate.result import SimResult
from flow.synth.result import SynthResult, TimingResult, UnitResources

LATER_KEYS = (  # of the accuracy, which a mapping may leave out
    "recorded_dataset", "recorded_samples", "note", "csim", "qkeras_partial_auc",
    "integer_partial_auc",
)  # fmt: skip


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
        "sim": sim_section(inputs.sim),
        "input": network_input(inputs.graph, inputs.profile),
        "layers": _layers(inputs),
        "profile_samples": inputs.profile.samples,
        "network": _network(inputs),
        "synth": _synth(inputs.synth) or vivado_synth(inputs.vitis, inputs.target),
        "timing": _timing(inputs.timing),
        "vitis": vitis_section(inputs.vitis),
        "not_run": not_run_section(inputs.vitis),
        "notes": list(inputs.graph.notes),
        "weight_tensors": [asdict(tensor) for tensor in weight_use(inputs.graph)],
        "stages": [StageTime(*stage)._asdict() for stage in inputs.stages],
        "device": {key: target[key] for key in ("name", "family", "lut", "ff", "dsp", "bram")},
        "provenance": dict(sorted(inputs.provenance.items())),
    }
    check_report(report)
    return report


def _check_same_layers(inputs: ReportInputs) -> None:
    problems = []
    results = {
        "extract": {node.name for node in inputs.graph.nodes},
        "evaluate": {layer.name for layer in inputs.profile.layers},
        "simulate": {layer.name for layer in inputs.sim.layers},
    }
    if inputs.synth is not None:
        results["synth"] = {unit.name for unit in inputs.synth.units}
    for stage, names in results.items():
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
        **{key: given.get(key) for key in LATER_KEYS},
        "csim_samples": given.get("csim_samples", 0),
    }


def _layers(inputs: ReportInputs) -> list[dict[str, Any]]:
    units = inputs.plan.units
    simulated = layer_figures(inputs.sim, units)
    synthesised = {unit.name: unit for unit in inputs.synth.units} if inputs.synth else {}
    tensors = layer_tensors(inputs.graph, inputs.profile)
    return [
        {
            **_planned(unit),
            **simulated[unit.name],
            **_cells(synthesised.get(unit.name)),
            **tensors[unit.name],
        }
        for unit in units
    ]


def _planned(unit: UnitPlan) -> dict[str, Any]:
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
        "est_lut": unit.resources.lut,
        "est_dsp": unit.resources.dsp,
        "est_bram": unit.resources.bram,
    }


def _cells(unit: UnitResources | None) -> dict[str, Any]:
    """None where units are not synthesised by themselves."""
    return {f"synth_{key}": getattr(unit, key, None) for key in ("lut", "ff", "dsp", "bram")}


def _network(inputs: ReportInputs) -> dict[str, Any]:
    plan, ii_cycles = inputs.plan, _measured_ii_cycles(inputs)
    macs = sum(unit.macs for unit in plan.units)
    clock_mhz = inputs.target.clock_mhz
    return {
        "macs": macs,
        "multipliers": plan.multipliers,
        "utilisation": utilisation(macs, plan.multipliers, ii_cycles) if ii_cycles else None,
        "ideal_ii_cycles": plan.est_ii_cycles,
        "target_ii_cycles": plan.target_ii_cycles,
        "assumed_clock_mhz": clock_mhz,
        "frames_per_s": clock_mhz * 1e6 / ii_cycles if ii_cycles else None,
        "slowest_fmax_mhz": inputs.timing.slowest.fmax_mhz if inputs.timing else None,
    }


def _measured_ii_cycles(inputs: ReportInputs) -> int | None:
    """Of the project's RTL, or of Vitis' Verilog; None where no RTL was simulated."""
    if isinstance(inputs.sim, SimResult):
        return inputs.sim.ii_cycles
    check = inputs.vitis.rtl if inputs.vitis else None
    return check.ii_cycles if check else None


def _synth(synth: SynthResult | None) -> dict[str, Any] | None:
    if synth is None:
        return None
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
