"""The hardware unit of a layer with windows: its widths, depths and constants."""

from __future__ import annotations

from flow.graph.arithmetic import accumulator_bits, fold_pool, signed_bits
from flow.graph.types import AveragePool, Kind, MatVec
from flow.plan.cost import RAM_LUT_BITS, RAM_LUT_WORDS, ROM_LUT_DEPTH, UnitParts, estimate
from flow.plan.fold import Fold, Override, Windowed
from flow.plan.hwplan import MacSpec, PoolSpec, UnitPlan, WindowPlan
from flow.plan.requant import requant_spec

LUT_ONLY_PRODUCT_BITS = 16  # x_bits * w_bits up to which a product never takes a DSP (4x4)
FIFO_DEPTH = 16  # a chain needs no more: windows and gather registers hold the frame's skew


def plan_unit(node: Windowed, chosen: Fold, in_elems: int, override: Override) -> UnitPlan:
    """Plan one layer that is folded as `chosen` and fed `in_elems` elements per beat."""
    channels = node.out_shape[2]
    matrix = node if isinstance(node, MatVec) else None
    conv_groups = matrix.groups if matrix else 1
    whole = matrix is not None and chosen.simd == matrix.fan_in
    channelwise = matrix is None or matrix.kind is Kind.DEPTHWISE
    groups = channels // chosen.pe
    repeat = groups // conv_groups
    window = _window(node, chosen, 1 if channelwise or whole else repeat, channelwise)
    inputs = node.in_shape[0] * node.in_shape[1] * node.in_shape[2]
    mac = _mac(matrix, chosen) if matrix else None
    pool = _pool(node, chosen) if isinstance(node, AveragePool) else None
    parts = UnitParts(
        mac=mac,
        requant=requant_spec(matrix, chosen.lanes) if matrix else None,
        pool=pool,
        window=window,
        x_bits=node.x.bits,
        channels_out=channels,
        weight_depth=groups * mac.steps if mac else 0,
        fifo_bits=FIFO_DEPTH * chosen.lanes * node.y.bits,
    )
    products = "lut" if mac is None else override.products or default_products(mac)
    return UnitPlan(
        name=node.name,
        kind=node.kind,
        macs=node.macs,
        w_bits=0 if mac is None else mac.w_bits,
        x_bits=node.x.bits,
        y_bits=node.y.bits,
        acc_bits=pool.sum_bits if pool else accumulator_bits(node),
        in_elems=in_elems,
        window=window,
        x_elems=chosen.word_elems if channelwise else chosen.simd,
        repeat=repeat if whole and not channelwise else 1,
        pe=chosen.pe,
        simd=chosen.simd,
        lanes=chosen.lanes,
        mac=mac,
        requant=parts.requant,
        pool=pool,
        products=products,
        weight_rom="distributed" if parts.weight_depth in range(1, ROM_LUT_DEPTH + 1) else "block",
        in_beats=inputs // in_elems,
        out_beats=node.out_shape[0] * node.out_shape[1] * channels // chosen.lanes,
        fifo_depth=FIFO_DEPTH,
        cycles=chosen.cycles,
        resources=estimate(parts, products),
    )


def _window(node: Windowed, chosen: Fold, replay: int, channelwise: bool) -> WindowPlan | None:
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
        groups=node.groups if isinstance(node, MatVec) else 1,
    )


def _ring_rows(node: Windowed) -> int:
    """Rows in the ring of `swg.sv`, which has the same formula and the reason for it."""
    window = node.window
    reach = (node.out_shape[0] - 1) * window.stride_h - window.pad_top + window.kernel_h
    beyond = reach - node.in_shape[0]  # rows of padding below (> 0) or never read (< 0)
    return window.kernel_h + max(window.stride_h, window.kernel_h - window.pad_top - beyond)


def _mac(node: MatVec, chosen: Fold) -> MacSpec:
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


def _pool(node: AveragePool, chosen: Fold) -> PoolSpec:
    count = int(node.counts.max())
    divide = fold_pool(node, count)
    numerator_max = ((count * node.x.hi) << divide.pre_shift) + divide.constant
    return PoolSpec(
        name=f"pool_{node.name}",
        pe=chosen.pe,
        steps=node.window.taps,
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


def default_products(mac: MacSpec) -> str:
    """Narrow products take LUTs, others DSPs as long as there are some."""
    return "lut" if mac.x_bits * mac.w_bits <= LUT_ONLY_PRODUCT_BITS else "dsp"
