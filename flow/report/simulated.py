"""Keys of report.json that come from simulation, in RTL or in C; what C does not know is None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from flow.plan.hwplan import UnitPlan
from flow.simulate.csim_result import CsimResult, CsimRun
from flow.simulate.result import LayerSim, SimResult, SimRun

RTL_ONLY = ("sim_cycles", "sim_ii_cycles", "starved", "blocked", "utilisation", "bottleneck")


def sim_section(sim: SimResult | CsimResult) -> dict[str, Any]:
    """Section `sim`."""
    shared = {
        "engine": sim.engine,
        "frames": sim.frames,
        "outputs_compared": sim.outputs_compared,
        "mismatches": sim.mismatches,
        "wall_s": sim.wall_s,
        "passed": _passed(sim),
    }
    if isinstance(sim, SimResult):
        return {
            **shared,
            "io_type": None,
            "ii_cycles": sim.ii_cycles,
            "latency_cycles": sim.latency_cycles,
            "sim_cycles_per_s": sim.sim_cycles_per_s,
            "compile_s": None,
            "inferences_per_s": None,
            "runs": [rtl_run(run) for run in sim.runs],
        }
    native = sim.runs[0] if sim.runs else None
    return {
        **shared,
        "io_type": sim.io_type,
        **dict.fromkeys(("ii_cycles", "latency_cycles", "sim_cycles_per_s")),
        "compile_s": native.compile_s if native else None,
        "inferences_per_s": native.inferences_per_s if native else None,
        "runs": [_c_run(run) for run in sim.runs],
    }


def layer_figures(
    sim: SimResult | CsimResult, units: Sequence[UnitPlan]
) -> dict[str, dict[str, Any]]:
    """What was measured of each layer, by its name."""
    compared = {
        layer.name: {"words_compared": layer.words_compared, "mismatches": layer.mismatches}
        for layer in sim.layers
    }
    if isinstance(sim, CsimResult):
        return {name: {**figures, **dict.fromkeys(RTL_ONLY)} for name, figures in compared.items()}
    layers = {layer.name: layer for layer in sim.layers}
    slowest = max(layers[unit.name].sim_cycles for unit in units)
    return {
        unit.name: {**compared[unit.name], **_cycles(unit, layers[unit.name], slowest)}
        for unit in units
    }


def rtl_run(run: SimRun) -> dict[str, Any]:
    """One pass of RTL simulation."""
    return {**asdict(run), **dict.fromkeys(("program", "compile_s", "inferences_per_s"))}


def utilisation(macs: int, multipliers: int, cycles: int) -> float | None:
    """Share of the multipliers' cycles that did a product of the network; None without any."""
    return macs / (multipliers * cycles) if multipliers else None


def _passed(sim: SimResult | CsimResult) -> bool:
    """Something was compared and nothing differs, in every run and at every layer."""
    runs: tuple[SimRun | CsimRun, ...] = sim.runs
    everything: Iterable[int] = (
        sim.mismatches,
        *(run.mismatches for run in runs),
        *(layer.mismatches for layer in sim.layers),
    )
    compared = (
        sim.outputs_compared,
        *(run.outputs_compared for run in runs),
        *(layer.words_compared for layer in sim.layers),
    )
    return bool(runs) and min(compared) > 0 and not any(everything)


def _c_run(run: CsimRun) -> dict[str, Any]:
    values = asdict(run)
    return {
        "program": values.pop("name"),
        **values,
        "inferences_per_s": run.inferences_per_s,
        **dict.fromkeys(("stall_profile", "seed", "cycles")),
    }


def _cycles(unit: UnitPlan, sim: LayerSim, slowest: int) -> dict[str, Any]:
    return {
        "sim_cycles": sim.sim_cycles,
        "sim_ii_cycles": sim.ii_cycles,
        "starved": sim.starved,
        "blocked": sim.blocked,
        "utilisation": utilisation(unit.macs, unit.multipliers, sim.sim_cycles),
        "bottleneck": sim.sim_cycles == slowest,
    }
