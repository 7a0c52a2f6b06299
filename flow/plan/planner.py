"""Plan the whole network: fold each layer, decide LUT or DSP products, size every stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from flow.errors import PlanError
from flow.graph.arithmetic import accumulator_bits, fold_pool, fold_requant, signed_bits
from flow.graph.store import graph_hash
from flow.graph.types import AveragePool, IntGraph, Kind, MatVec, Node
from flow.plan.cost import (
    RAM_LUT_BITS,
    RAM_LUT_WORDS,
    ROM_LUT_DEPTH,
    UnitParts,
    estimate,
    mac_cost,
)
from flow.plan.fold import Fold, Override, fold, reachable_cycles, stream_elems
from flow.plan.hwplan import (
    HwPlan,
    MacSpec,
    PoolSpec,
    RequantSpec,
    Target,
    UnitPlan,
    WindowPlan,
)

PRODUCTS = ("lut", "dsp")
DSP_BUDGET = 0.85  # share of the device; the rest is left to the user's own logic
LUT_BUDGET = 0.7  # a fuller device rarely routes well
LUT_ONLY_PRODUCT_BITS = 16  # x_bits * w_bits up to which a product never takes a DSP (4x4)
FIFO_DEPTH = 16  # a chain needs no more: windows and gather registers hold the frame's skew


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
        PlanError: a layer cannot meet the interval, an override does not fit, or the estimate
            exceeds the device.
    """
    overrides = dict(overrides or {})
    _check_chain(graph)
    _check_overrides(graph, overrides)
    if ii_cycles is None:
        return _fastest(graph, target, overrides, dsp_budget, lut_budget)
    height, width, channels = graph.input_shape
    input_elems = stream_elems(channels, height * width * channels, ii_cycles)
    units: list[UnitPlan] = []
    elems = input_elems
    for node in graph.nodes:
        override = overrides.get(node.name, Override())
        unit = _unit(node, fold(node, elems, ii_cycles, override), elems, override)
        units.append(unit)
        elems = unit.lanes
    units = _spend_dsps(units, int(dsp_budget * target.dsp), overrides)
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
    _check_budget(result, lut_budget)
    return result


def _fastest(
    graph: IntGraph,
    target: Target,
    overrides: Mapping[str, Override],
    dsp_budget: float,
    lut_budget: float,
) -> HwPlan:
    """Bisect over the intervals that some fold of some layer reaches exactly."""
    intervals = sorted({cycles for node in graph.nodes for cycles in reachable_cycles(node)})
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


def _check_chain(graph: IntGraph) -> None:
    """The units are wired one behind the other; a branch would be cut off silently."""
    previous = graph.input_name
    for node in graph.nodes:
        if node.source != previous:
            raise PlanError(
                f"layer {node.name!r} of {graph.name!r} reads {node.source!r}, not the layer "
                f"before it ({previous!r}); networks with branches have no hardware yet."
            )
        previous = node.name


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
        )


def _unit(node: Node, chosen: Fold, in_elems: int, override: Override) -> UnitPlan:
    pool = isinstance(node, AveragePool)
    channels = node.out_shape[2]
    whole = isinstance(node, MatVec) and chosen.simd == node.fan_in
    channelwise = pool or node.kind is Kind.DEPTHWISE
    groups = channels // chosen.pe
    window = _window(node, chosen, 1 if channelwise or whole else groups, channelwise)
    inputs = node.in_shape[0] * node.in_shape[1] * node.in_shape[2]
    mac = None if pool else _mac(node, chosen)
    unit = UnitPlan(
        name=node.name,
        kind=node.kind,
        macs=node.macs,
        w_bits=0 if mac is None else mac.w_bits,
        x_bits=node.x.bits,
        y_bits=node.y.bits,
        acc_bits=_pool(node, chosen).sum_bits if mac is None else mac.acc_bits,
        in_elems=in_elems,
        window=window,
        x_elems=chosen.word_elems if channelwise else chosen.simd,
        repeat=groups if whole and not channelwise else 1,
        pe=chosen.pe,
        simd=chosen.simd,
        lanes=chosen.lanes,
        mac=mac,
        requant=None if pool else _requant(node, chosen.lanes),
        pool=_pool(node, chosen) if pool else None,
        products="lut" if mac is None else override.products or _default_products(mac),
        weight_rom="distributed" if mac and groups * mac.steps <= ROM_LUT_DEPTH else "block",
        in_beats=inputs // in_elems,
        out_beats=node.out_shape[0] * node.out_shape[1] * channels // chosen.lanes,
        fifo_depth=FIFO_DEPTH,
        cycles=chosen.cycles,
        resources=estimate(_parts(node, chosen, window, mac), "lut"),
    )
    return replace(unit, resources=estimate(_parts(node, chosen, window, mac), unit.products))


def _parts(node: Node, chosen: Fold, window: WindowPlan | None, mac: MacSpec | None) -> UnitParts:
    groups = node.out_shape[2] // chosen.pe
    return UnitParts(
        mac=mac,
        requant=_requant(node, chosen.lanes) if mac else None,
        pool=None if mac else _pool(node, chosen),
        window=window,
        x_bits=node.x.bits,
        channels_out=node.out_shape[2],
        weight_depth=groups * mac.steps if mac else 0,
        fifo_bits=FIFO_DEPTH * chosen.lanes * node.y.bits,
    )


def _window(node: Node, chosen: Fold, replay: int, channelwise: bool) -> WindowPlan | None:
    if not chosen.windowed:
        return None
    folds = node.in_shape[2] // chosen.word_elems
    ring_words = _ring_rows(node) * node.in_shape[1] * folds
    bits = ring_words * chosen.word_elems * node.x.bits
    small = ring_words <= RAM_LUT_WORDS or bits <= RAM_LUT_BITS
    return WindowPlan(
        window=node.window,
        in_shape=node.in_shape,
        out_shape=node.out_shape,
        word_elems=chosen.word_elems,
        folds=folds,
        replay=replay,
        depthwise=channelwise,
        words_out=chosen.cycles.window,
        ring_words=ring_words,
        ram_style="distributed" if small else "block",
    )


def _ring_rows(node: Node) -> int:
    """Rows in the ring of `swg.sv`, which has the same formula and the reason for it."""
    window = node.window
    reach = (node.out_shape[0] - 1) * window.stride_h - window.pad_top + window.kernel_h
    beyond = reach - node.in_shape[0]  # rows of padding below (> 0) or never read (< 0)
    return window.kernel_h + max(window.stride_h, window.kernel_h - window.pad_top - beyond)


def _mac(node: Node, chosen: Fold) -> MacSpec:
    assert isinstance(node, MatVec)
    depthwise = node.kind is Kind.DEPTHWISE
    return MacSpec(
        name=f"mac_{node.name}",
        x_bits=node.x.bits,
        x_signed=node.x.signed,
        w_bits=weight_width(node),
        pe=chosen.pe,
        simd=chosen.simd,
        steps=node.fan_in // chosen.simd,
        acc_bits=accumulator_bits(node),
        depthwise=depthwise,
    )


def weight_width(node: MatVec) -> int:
    """Signed width that the actual weights need; at most the quantizer's."""
    return signed_bits(int(node.weights.min()), int(node.weights.max()))


def _requant(node: Node, lanes: int) -> RequantSpec:
    assert isinstance(node, MatVec)
    requant = fold_requant(node)
    shift_min = int(requant.shift.min())
    return RequantSpec(
        name=f"requant_{node.name}",
        lanes=lanes,
        acc_bits=accumulator_bits(node),
        pre_shift=requant.pre_shift,
        const_bits=signed_bits(int(requant.constant.min()), int(requant.constant.max())),
        shift_min=shift_min,
        delta_bits=int(np.max(requant.shift) - shift_min).bit_length(),
        zero_point=node.y.zero_point,
        y_bits=node.y.bits,
        y_signed=node.y.signed,
        lo=node.y.lo,
        hi=node.y.hi,
    )


def _pool(node: Node, chosen: Fold) -> PoolSpec:
    assert isinstance(node, AveragePool)
    divide = fold_pool(node)
    count = node.window.taps
    numerator_max = ((count * node.x.hi) << divide.pre_shift) + divide.constant
    return PoolSpec(
        name=f"pool_{node.name}",
        pe=chosen.pe,
        steps=count,
        x_bits=node.x.bits,
        x_signed=node.x.signed,
        sum_bits=signed_bits(min(count * node.x.lo, 0), count * node.x.hi),
        pre_shift=divide.pre_shift,
        constant=divide.constant,
        numerator_max=numerator_max,
        reciprocal=divide.reciprocal,
        shift=divide.shift,
        offset=divide.offset,
        y_bits=node.y.bits,
        y_signed=node.y.signed,
        lo=node.y.lo,
        hi=node.y.hi,
    )


def _default_products(mac: MacSpec) -> str:
    return "lut" if mac.x_bits * mac.w_bits <= LUT_ONLY_PRODUCT_BITS else "dsp"


def _spend_dsps(
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


def _check_budget(result: HwPlan, lut_budget: float) -> None:
    target = result.target
    problems = []
    for label, share in (("lut", lut_budget), ("dsp", 1.0), ("bram", 1.0)):
        need = sum(getattr(unit.resources, label) for unit in result.units)
        allowed = int(share * getattr(target, label))
        if need > allowed:
            problems.append(f"{need:g} {label.upper()} of {allowed}")
    if problems:
        raise PlanError(
            f"{result.graph_name!r} at {result.target_ii_cycles} cycles does not fit "
            f"{target.name!r}: estimated {', '.join(problems)}.\n"
            "  Raise target_ii_cycles in config.yaml or choose a larger --target."
        )
