"""Share a device's DSPs and LUTs among the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flow.errors import PlanError
from flow.plan._remedies import RAISE_CYCLES
from flow.plan.cost import mac_cost
from flow.plan.fold import Override
from flow.plan.hwplan import HwPlan, UnitPlan


def spend_dsps(
    units: list[UnitPlan], budget: int, overrides: Mapping[str, Override]
) -> list[UnitPlan]:
    """Move products to LUTs, those that cost the fewest LUTs per DSP first, until DSPs suffice."""
    fixed = {name for name, override in overrides.items() if override.products}
    order = sorted(
        (u for u in units if u.mac and u.products == "dsp" and u.name not in fixed),
        key=_lut_per_dsp,
    )
    result = {unit.name: unit for unit in units}
    for unit in order:
        if sum(u.resources.dsp for u in result.values()) <= budget:
            break
        assert unit.mac is not None
        change = mac_cost(unit.mac, "lut")[0] - mac_cost(unit.mac, "dsp")[0]
        freed = mac_cost(unit.mac, "dsp")[1]
        resources = replace(
            unit.resources,
            lut=unit.resources.lut + round(change),
            dsp=unit.resources.dsp - freed,
        )
        result[unit.name] = replace(unit, products="lut", resources=resources)
    return [result[unit.name] for unit in units]


def _lut_per_dsp(unit: UnitPlan) -> float:
    assert unit.mac is not None
    lut, _ = mac_cost(unit.mac, "lut")
    kept, dsp = mac_cost(unit.mac, "dsp")
    return (lut - kept) / dsp


def check_budget(result: HwPlan, lut_budget: float) -> None:
    """Raise PlanError when the estimate exceeds the device, or its share of LUTs."""
    target = result.target
    problems = []
    for label, share in (("lut", lut_budget), ("dsp", 1.0), ("bram", 1.0)):
        need = sum(getattr(unit.resources, label) for unit in result.units)
        allowed = int(share * getattr(target, label))
        if need > allowed:
            part = f" ({share:g} of {getattr(target, label)})" if share < 1 else ""
            problems.append(f"{need:g} {label.upper()} of {allowed}{part}")
    if problems:
        raise PlanError(
            f"{result.graph_name!r} at {result.target_ii_cycles} cycles does not fit "
            f"{target.name!r}: estimated {', '.join(problems)}.\n"
            f"  {RAISE_CYCLES}; or choose a larger target, or raise lut_budget in config.yaml."
        )
