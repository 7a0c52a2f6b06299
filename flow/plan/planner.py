"""Plan the whole network for a target interval, or for the fastest one in budget."""

from __future__ import annotations

from collections.abc import Mapping

from flow.errors import PlanError
from flow.graph.store import graph_hash
from flow.graph.types import AveragePool, IntGraph
from flow.plan.budget import check_budget, spend_dsps
from flow.plan.fold import Override, fold, reachable_cycles, stream_elems
from flow.plan.hwplan import HwPlan, Target, UnitPlan
from flow.plan.supported import supported
from flow.plan.unit import plan_unit

PRODUCTS = ("lut", "dsp")
DSP_BUDGET = 0.85  # share of the device; the rest is left to the user's own logic
LUT_BUDGET = 0.7  # a fuller device rarely routes well


def plan(
    graph: IntGraph,
    target: Target,
    ii_cycles: int | None,
    overrides: Mapping[str, Override] | None = None,
    dsp_budget: float = DSP_BUDGET,
    lut_budget: float = LUT_BUDGET,
) -> HwPlan:
    """Plan `graph` on `target` for one inference every `ii_cycles` cycles.

    Args:
        ii_cycles: None asks for the fastest plan that the budgets allow.
        lut_budget: share (0..1) of the device's LUTs that the estimate may reach.
        overrides: choices by layer name that the planner must keep.
        dsp_budget: share (0..1) of the device's DSPs; products beyond it go to LUTs.

    Raises:
        UnsupportedLayer: the engine has no hardware for some layers.
        PlanError: a layer cannot meet the interval, an override does not fit, or the estimate
            exceeds the device.
    """
    overrides = dict(overrides or {})
    nodes = supported(graph)
    _check_overrides(graph, overrides)
    if ii_cycles is None:
        return _fastest(graph, target, overrides, dsp_budget, lut_budget)
    height, width, channels = graph.input_shape
    input_elems = stream_elems(channels, height * width * channels, ii_cycles)
    units: list[UnitPlan] = []
    elems = input_elems
    for node in nodes:
        override = overrides.get(node.name, Override())
        unit = plan_unit(node, fold(node, elems, ii_cycles, override), elems, override)
        units.append(unit)
        elems = unit.lanes
    units = spend_dsps(units, int(dsp_budget * target.dsp), overrides)
    result = HwPlan(
        graph_name=graph.name,
        graph_hash=graph_hash(graph),
        target=target,
        target_ii_cycles=ii_cycles,
        units=tuple(units),
        input_bits=graph.input_type.bits,
        input_elems=input_elems,
        input_beats=height * width * channels // input_elems,
        output_bits=graph.output.y.bits,
        output_elems=units[-1].lanes,
        output_beats=units[-1].out_beats,
    )
    check_budget(result, lut_budget)
    return result


def _fastest(
    graph: IntGraph,
    target: Target,
    overrides: Mapping[str, Override],
    dsp_budget: float,
    lut_budget: float,
) -> HwPlan:
    """Bisect over the intervals that some fold of some layer reaches exactly."""
    intervals = sorted({cycles for node in supported(graph) for cycles in reachable_cycles(node)})
    best: HwPlan | None = None
    low, high = 0, len(intervals) - 1
    failure: PlanError | None = None
    while low <= high:
        middle = (low + high) // 2
        try:
            best = plan(graph, target, intervals[middle], overrides, dsp_budget, lut_budget)
            high = middle - 1
        except PlanError as error:
            failure, low = error, middle + 1
    if best is not None:
        return best
    assert failure is not None
    raise failure


def _check_overrides(graph: IntGraph, overrides: Mapping[str, Override]) -> None:
    nodes = {node.name: node for node in graph.nodes}
    problems = []
    for name, override in overrides.items():
        if name not in nodes:
            problems.append(f"there is no layer {name!r}; its layers: {', '.join(nodes)}.")
        elif override.products not in (None, *PRODUCTS):
            problems.append(f"layer {name!r}: products={override.products!r} is not lut or dsp.")
        elif override.products and isinstance(nodes[name], AveragePool):
            problems.append(f"layer {name!r} is a pool; it has no products to place.")
    if problems:
        raise PlanError(
            f"overrides of {graph.name!r} cannot be kept:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + "\n  Correct models.<model>.layers in config.yaml."
        )
