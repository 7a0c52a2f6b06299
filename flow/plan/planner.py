"""Plan the whole network for a target interval, or for the fastest one in budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flow.errors import ConfigError, PlanError
from flow.graph.store import graph_hash
from flow.graph.types import AveragePool, IntGraph, MatVec, MaxPool, Node
from flow.plan._remedies import layer_setting
from flow.plan.branches import branches
from flow.plan.budget import check_budget, spend_dsps
from flow.plan.cost import branch_cost
from flow.plan.elementwise import plan_elementwise, widths
from flow.plan.fold import Override, Windowed, fold, reachable_cycles, stream_elems
from flow.plan.hwplan import BranchPlan, HwPlan, Target, UnitPlan
from flow.plan.supported import supported
from flow.plan.unit import plan_unit

ENGINES = ("xls", "vitis")
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
    engine: str = "xls",
) -> HwPlan:
    """Plan `graph` on `target` for one inference every `ii_cycles` cycles.

    Args:
        ii_cycles: None asks for the fastest plan that the budgets allow.
        lut_budget: share (0..1) of the device's LUTs that the estimate may reach.
        overrides: choices by layer name that the planner must keep.
        dsp_budget: share (0..1) of the device's DSPs; products beyond it go to LUTs.
        engine: 'xls' or 'vitis'. A chain that both can build gets the same plan for both.

    Raises:
        ConfigError: there is no such engine.
        UnsupportedLayer: the engine has no hardware for some layers.
        PlanError: a layer cannot meet the interval, an override does not fit, or the estimate
            exceeds the device.
    """
    overrides = dict(overrides or {})
    nodes = _nodes(graph, engine)
    _check_overrides(graph, overrides)
    if ii_cycles is None:
        return _fastest(graph, target, overrides, dsp_budget, lut_budget, engine)
    height, width, channels = graph.input_shape
    input_elems = stream_elems(channels, height * width * channels, ii_cycles)
    units: dict[str, UnitPlan] = {}
    elems = {graph.input_name: input_elems}
    for node in nodes:
        override = overrides.get(node.name, Override())
        in_elems = tuple(elems[source] for source in node.sources)
        units[node.name] = _unit(node, in_elems, ii_cycles, override)
        elems[node.name] = units[node.name].lanes
    copies = branches(graph, units, input_elems)
    found = _with_branches(graph, units, copies, elems)
    last = found[-1]
    result = HwPlan(
        graph_name=graph.name,
        graph_hash=graph_hash(graph),
        target=target,
        target_ii_cycles=ii_cycles,
        units=tuple(spend_dsps(found, int(dsp_budget * target.dsp), overrides)),
        input_bits=graph.input_type.bits,
        input_elems=input_elems,
        input_beats=height * width * channels // input_elems,
        output_bits=graph.output.y.bits,
        output_elems=last.lanes,
        output_beats=last.out_beats,
        branches=tuple(copies),
    )
    check_budget(result, lut_budget)
    return result


def _nodes(graph: IntGraph, engine: str) -> tuple[Node, ...]:
    """The graph's nodes, all of which the engine has hardware for."""
    if engine not in ENGINES:
        raise ConfigError(
            f"engine {engine!r} is not available; choose one of: {', '.join(ENGINES)}."
        )
    return supported(graph) if engine == "xls" else graph.nodes


def _unit(node: Node, in_elems: tuple[int, ...], ii_cycles: int, override: Override) -> UnitPlan:
    if isinstance(node, Windowed):
        chosen = fold(node, in_elems[0], ii_cycles, override)
        return plan_unit(node, chosen, in_elems[0], override)
    return plan_elementwise(node, in_elems, ii_cycles, override)


def _with_branches(
    graph: IntGraph,
    units: Mapping[str, UnitPlan],
    copies: Sequence[BranchPlan],
    elems: Mapping[str, int],
) -> list[UnitPlan]:
    """The units, each with the cost of the copies that it reads."""
    bits = {graph.input_name: graph.input_type.bits} | {n.name: n.y.bits for n in graph.nodes}
    result = dict(units)
    for copy in copies:
        lut, bram = branch_cost(elems[copy.source] * bits[copy.source], copy.fifo_depth)
        unit = result[copy.reader]
        resources = replace(
            unit.resources, lut=unit.resources.lut + round(lut), bram=unit.resources.bram + bram
        )
        result[copy.reader] = replace(unit, resources=resources)
    return list(result.values())


def _fastest(
    graph: IntGraph,
    target: Target,
    overrides: Mapping[str, Override],
    dsp_budget: float,
    lut_budget: float,
    engine: str,
) -> HwPlan:
    """Bisect over the intervals that some fold of some layer reaches exactly."""
    intervals = sorted({cycles for node in graph.nodes for cycles in _reachable(node)})
    best: HwPlan | None = None
    low, high = 0, len(intervals) - 1
    failure: PlanError | None = None
    while low <= high:
        middle = (low + high) // 2
        try:
            best = plan(graph, target, intervals[middle], overrides, dsp_budget, lut_budget, engine)
            high = middle - 1
        except PlanError as error:
            failure, low = error, middle + 1
    if best is not None:
        return best
    assert failure is not None
    raise failure


def _reachable(node: Node) -> set[int]:
    """Cycles per frame of every fold of a layer that is fed one element per beat."""
    if isinstance(node, Windowed):
        return reachable_cycles(node)
    return {width.cycles.bound for width in widths(node, (1,) * len(node.sources))}


def _check_overrides(graph: IntGraph, overrides: Mapping[str, Override]) -> None:
    nodes = {node.name: node for node in graph.nodes}
    problems = []
    for name, override in overrides.items():
        if name not in nodes:
            problems.append(f"there is no layer {name!r}; its layers: {', '.join(nodes)}.")
        elif override.products not in (None, *PRODUCTS):
            problems.append(f"layer {name!r}: products={override.products!r} is not lut or dsp.")
        elif override.products and isinstance(nodes[name], AveragePool | MaxPool):
            problems.append(f"layer {name!r} is a pool; it has no products to place.")
        elif override.products and not isinstance(nodes[name], MatVec):
            problems.append(f"layer {name!r} has no weights; it has no products to place.")
    if problems:
        raise PlanError(
            f"overrides of {graph.name!r} cannot be kept:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
            + f"\n  Correct {layer_setting()}."
        )
