"""Resource estimates (7-series). Calibrated against Yosys; see docs/architecture.md.

These numbers steer the planner and appear as `est_*`; only synthesis results are `synth_*`.
"""

from __future__ import annotations

from dataclasses import dataclass

from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec, ResourceEstimate, WindowPlan

LUT_PER_PRODUCT_BIT = 2.0  # product and its share of the adder tree: 35 LUT at 4x4, 67 at 8x4
LUT_PER_PRODUCT = 3.0
DSP_LIMITS = (25, 18)  # signed operand widths of one DSP48E1
LUTRAM_BITS_PER_LUT = 32  # simple dual port RAM32M: 6 bits x 32 in 4 LUTs, rounded down for control
ROM_BITS_PER_LUT = 64
BRAM_BITS = 36 * 1024
ROM_LUT_DEPTH = 128  # deeper ROMs go to block RAM
RAM_LUT_BITS = 4096  # smaller line buffers stay in LUTRAM
WINDOW_CONTROL_LUT = 130  # address generator of a window
STREAM_CONTROL_LUT = 8


@dataclass(frozen=True, slots=True)
class UnitParts:
    """What the cost of a unit depends on."""

    mac: MacSpec | None
    requant: RequantSpec | None
    pool: PoolSpec | None
    window: WindowPlan | None
    x_bits: int
    x_elems: int
    channels_out: int
    weight_depth: int
    fifo_bits: int
    ring_words: int


def estimate(parts: UnitParts, products: str) -> ResourceEstimate:
    """LUT, DSP and BRAM of one unit."""
    lut, dsp, bram = _window_cost(parts)
    lut += parts.x_elems * parts.x_bits * 0.5 + parts.fifo_bits / LUTRAM_BITS_PER_LUT
    lut += 4 * STREAM_CONTROL_LUT
    if parts.mac is not None:
        mac_lut, mac_dsp = mac_cost(parts.mac, products)
        lut, dsp = lut + mac_lut, dsp + mac_dsp
        word = parts.mac.pe * parts.mac.simd * parts.mac.w_bits
        if parts.weight_depth <= ROM_LUT_DEPTH:
            lut += word * -(-parts.weight_depth // ROM_BITS_PER_LUT)
        else:
            bram += _blocks(word, parts.weight_depth)
    if parts.requant is not None:
        lut += _requant_lut(parts.requant, parts.channels_out)
    if parts.pool is not None:
        lut += parts.pool.pe * (2 * parts.pool.sum_bits + parts.pool.y_bits)
        dsp += parts.pool.pe * 2
    return ResourceEstimate(round(lut), dsp, bram)


def mac_cost(mac: MacSpec, products: str) -> tuple[float, int]:
    """LUT and DSP of the multiplier array, its adder tree and accumulators."""
    count = mac.pe * mac.simd
    accumulators = mac.pe * mac.acc_bits if mac.steps > 1 else 0
    if products == "lut":
        per_product = LUT_PER_PRODUCT_BIT * mac.x_bits * mac.w_bits + LUT_PER_PRODUCT
        return count * per_product + accumulators, 0
    tree = mac.pe * (mac.simd - 1) * (mac.x_bits + mac.w_bits + 1)
    return tree + accumulators, count * dsp_per_product(mac)


def dsp_per_product(mac: MacSpec) -> int:
    """DSP48E1 slices of one product of these widths."""
    x_bits = mac.x_bits + (0 if mac.x_signed else 1)
    wide, narrow = max(x_bits, mac.w_bits), min(x_bits, mac.w_bits)
    return -(-(wide - 1) // (DSP_LIMITS[0] - 1)) * -(-(narrow - 1) // (DSP_LIMITS[1] - 1))


def _requant_lut(spec: RequantSpec, channels: int) -> float:
    width = max(spec.acc_bits + spec.pre_shift, spec.const_bits) + 1
    barrel = width * spec.delta_bits / 2
    lane = width + barrel + spec.y_bits + width / 4
    rom = spec.param_bits * -(-(channels // spec.lanes) // ROM_BITS_PER_LUT)
    return spec.lanes * (lane + rom)


def _window_cost(parts: UnitParts) -> tuple[float, int, float]:
    if parts.window is None:
        return 0.0, 0, 0.0
    width = parts.window.word_elems * parts.x_bits
    if parts.ring_words * width <= RAM_LUT_BITS:
        return WINDOW_CONTROL_LUT + parts.ring_words * width / LUTRAM_BITS_PER_LUT, 0, 0.0
    return float(WINDOW_CONTROL_LUT), 0, _blocks(width, parts.ring_words)


def _blocks(width: int, depth: int) -> float:
    """36 kbit blocks in halves of 18 kbit: the widest port is 72 (36) bits, 512 deep."""
    by_width = -(-width // 36) * -(-depth // 512)
    by_bits = -(-width * depth * 2 // BRAM_BITS)
    return max(by_width if depth <= 512 else by_bits, 1) / 2
