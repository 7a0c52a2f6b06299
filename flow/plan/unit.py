"""The hardware unit of one layer: every width, depth and constant that its text is made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.graph.arithmetic import accumulator_bits, fold_pool, fold_requant, signed_bits
from flow.graph.types import AveragePool, Kind, MatVec
from flow.plan.cost import RAM_LUT_BITS, RAM_LUT_WORDS, ROM_LUT_DEPTH, UnitParts, estimate
from flow.plan.fold import Fold, Override
from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec, UnitPlan, WindowPlan
from flow.plan.supported import Supported

LUT_ONLY_PRODUCT_BITS = 16  # x_bits * w_bits up to which a product never takes a DSP (4x4)
FIFO_DEPTH = 16  # a chain needs no more: windows and gather registers hold the frame's skew


def plan_unit(node: Supported, chosen: Fold, in_elems: int, override: Override) -> UnitPlan:
    """Plan one layer that is folded as `chosen` and fed `in_elems` elements per beat."""
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


def _parts(
    node: Supported, chosen: Fold, window: WindowPlan | None, mac: MacSpec | None
) -> UnitParts:
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


def _window(node: Supported, chosen: Fold, replay: int, channelwise: bool) -> WindowPlan | None:
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


def _ring_rows(node: Supported) -> int:
    """Rows in the ring of `swg.sv`, which has the same formula and the reason for it."""
    window = node.window
    reach = (node.out_shape[0] - 1) * window.stride_h - window.pad_top + window.kernel_h
    beyond = reach - node.in_shape[0]  # rows of padding below (> 0) or never read (< 0)
    return window.kernel_h + max(window.stride_h, window.kernel_h - window.pad_top - beyond)


def _mac(node: Supported, chosen: Fold) -> MacSpec:
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


def _requant(node: Supported, lanes: int) -> RequantSpec:
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


def _pool(node: Supported, chosen: Fold) -> PoolSpec:
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
