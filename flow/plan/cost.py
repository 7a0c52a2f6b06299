"""Resource estimates (7-series), fitted to what Yosys 0.70 makes of the kernels and units of kws.

These numbers steer the planner and appear as `est_*`; only synthesis results are `synth_*`. How
far they are off stands side by side in every report; `make bench` prints the sum of both.
"""

from __future__ import annotations

from dataclasses import dataclass

from flow.plan.hwplan import MacSpec, PoolSpec, RequantSpec, ResourceEstimate, WindowPlan

LUT_PER_PRODUCT_BIT = 1.6  # product in bit planes and its share of the sum: 31 LUT at 4x4,
LUT_PER_PRODUCT = 5.0  # 56 at 8x4
LUT_PER_TREE_BIT = 0.5  # adder tree behind DSPs, per bit of a product
LUT_PER_ACCUMULATOR_BIT = 1.2
DSP_LIMITS = (25, 18)  # signed operand widths of one DSP48E1
LUTRAM_BITS_PER_LUT = 32  # simple dual port RAM32M: 6 bits x 32 in 4 LUTs, rounded down for control
ROM_LUT_PER_BIT = 1.0  # one bit, 64 deep: one LUT6
ROM_DEPTH = 64
BRAM_BITS = 36 * 1024
ROM_LUT_DEPTH = 128  # deeper ROMs go to block RAM
RAM_LUT_BITS = 2048  # line buffers of so many bits or words stay in LUTRAM
RAM_LUT_WORDS = 64
WINDOW_CONTROL_LUT = 130  # address generator of a window
HALF_EVEN_LUT = 6  # of a lane: are the dropped bits zero, and what follows
LUT_PER_CHOICE = 1 / 3  # of a multiplexer's bit and further input: four inputs take a LUT6
STREAM_CONTROL_LUT = 40  # FIFO, counters and handshakes of a unit


@dataclass(frozen=True, slots=True)
class UnitParts:
    """What the cost of a unit depends on."""

    mac: MacSpec | None
    requant: RequantSpec | None
    pool: PoolSpec | None
    window: WindowPlan | None
    x_bits: int
    channels_out: int
    weight_depth: int
    fifo_bits: int


@dataclass(frozen=True, slots=True)
class ElementwiseParts:
    """What the cost of a unit without a MAC and a window depends on."""

    requants: tuple[RequantSpec, ...]
    adder_bits: int
    products: int  # in DSPs
    lut_products: int
    operand_bits: tuple[int, int]  # of a product, signed
    table_words: int
    table_bits: int  # of a word
    row_words: int  # of a buffer that repeats rows
    row_bits: int
    picked_words: int  # of a pixel from whose words every lane picks one element of `picked_bits`
    picked_lanes: int
    picked_bits: int
    fifo_bits: int


def estimate_elementwise(parts: ElementwiseParts) -> ResourceEstimate:
    """LUT, DSP and BRAM of one unit: sums of the terms below, never fitted to a synthesis."""
    wide, narrow = parts.operand_bits
    lut = STREAM_CONTROL_LUT + parts.fifo_bits / LUTRAM_BITS_PER_LUT + parts.adder_bits
    lut += sum(_requant_lut(spec, spec.lanes) for spec in parts.requants)
    lut += parts.lut_products * (LUT_PER_PRODUCT_BIT * wide * narrow + LUT_PER_PRODUCT)
    bram = 0.0
    if 0 < parts.table_words <= ROM_LUT_DEPTH:
        lut += _rom_lut(parts.table_bits, parts.table_words)
    elif parts.table_words:
        bram += _blocks(parts.table_bits, parts.table_words)
    if parts.row_words * parts.row_bits <= RAM_LUT_BITS:
        lut += parts.row_words * parts.row_bits / LUTRAM_BITS_PER_LUT
    else:
        bram += _blocks(parts.row_bits, parts.row_words)
    if parts.picked_words:
        lut += _picking_lut(parts.picked_words, parts.picked_lanes, parts.picked_bits)
    return ResourceEstimate(round(lut), parts.products * _dsp_blocks(wide, narrow), bram)


def _picking_lut(words: int, lanes: int, bits: int) -> float:
    """Each lane: two pixels of its own in LUTRAM, a multiplexer, a table of what it picks."""
    kept = 2 * words * lanes * bits / LUTRAM_BITS_PER_LUT
    multiplexer = bits * (lanes - 1) * LUT_PER_CHOICE
    table = _rom_lut((words - 1).bit_length() + (lanes - 1).bit_length(), words)
    return lanes * (kept + multiplexer + table)


def branch_cost(width: int, depth: int) -> tuple[float, float]:
    """LUT and BRAM of a FIFO that holds a copy of a stream."""
    if width * depth <= RAM_LUT_BITS:
        return width * depth / LUTRAM_BITS_PER_LUT, 0.0
    return 0.0, _blocks(width, depth)


def estimate(parts: UnitParts, products: str) -> ResourceEstimate:
    """LUT, DSP and BRAM of one unit."""
    lut, dsp, bram = _window_cost(parts)
    lut += parts.fifo_bits / LUTRAM_BITS_PER_LUT + STREAM_CONTROL_LUT
    if parts.mac is not None and parts.requant is not None:
        mac_lut, mac_dsp = mac_cost(parts.mac, products)
        lut, dsp = lut + mac_lut, dsp + mac_dsp
        word = parts.mac.pe * parts.mac.simd * parts.mac.w_bits
        if parts.weight_depth <= ROM_LUT_DEPTH:
            lut += _rom_lut(word, parts.weight_depth)
        else:
            bram += _blocks(word, parts.weight_depth)
        if parts.requant.lanes < parts.mac.pe:  # accumulators wait for their lane in a shifter
            lut += parts.mac.pe * parts.mac.acc_bits
        lut += _requant_lut(parts.requant, parts.channels_out)
        if parts.requant.mult_bits:
            factor = parts.requant.mult_bits + 1
            dsp += parts.requant.lanes * _dsp_blocks(parts.requant.acc_bits, factor)
    if parts.pool is not None:
        lut += parts.pool.pe * (2 * parts.pool.sum_bits + parts.pool.y_bits)
        dsp += parts.pool.pe * 2
    return ResourceEstimate(round(lut), dsp, bram)


def mac_cost(mac: MacSpec, products: str) -> tuple[float, int]:
    """LUT and DSP of the multiplier array, its adder tree and accumulators."""
    count = mac.pe * mac.simd
    accumulators = mac.pe * mac.acc_bits * LUT_PER_ACCUMULATOR_BIT if mac.steps > 1 else 0.0
    if products == "lut":
        per_product = LUT_PER_PRODUCT_BIT * mac.x_bits * mac.w_bits + LUT_PER_PRODUCT
        return count * per_product + accumulators, 0
    tree = mac.pe * (mac.simd - 1) * (mac.x_bits + mac.w_bits + 1) * LUT_PER_TREE_BIT
    return tree + accumulators, count * dsp_per_product(mac)


def dsp_per_product(mac: MacSpec) -> int:
    """DSP48E1 slices of one product of these widths."""
    return _dsp_blocks(mac.x_bits + (0 if mac.x_signed else 1), mac.w_bits)


def _dsp_blocks(first_bits: int, second_bits: int) -> int:
    wide, narrow = max(first_bits, second_bits), min(first_bits, second_bits)
    along, across = (
        max(1, -(-(bits - 1) // (limit - 1)))
        for bits, limit in zip((wide, narrow), DSP_LIMITS, strict=True)
    )
    return along * across


def _requant_lut(spec: RequantSpec, channels: int) -> float:
    width = max(spec.acc_bits + spec.pre_shift, spec.const_bits) + 1
    lane = width * (1 + spec.delta_bits / 3) + spec.y_bits
    lane += HALF_EVEN_LUT if spec.half_even else 0
    return spec.lanes * (lane + _rom_lut(spec.param_bits, channels // spec.lanes))


def _rom_lut(width: int, depth: int) -> float:
    return width * ROM_LUT_PER_BIT * depth / ROM_DEPTH


def _window_cost(parts: UnitParts) -> tuple[float, int, float]:
    if parts.window is None:
        return 0.0, 0, 0.0
    width, depth = parts.window.word_elems * parts.x_bits, parts.window.ring_words
    if parts.window.ram_style == "distributed":
        return WINDOW_CONTROL_LUT + depth * width / LUTRAM_BITS_PER_LUT, 0, 0.0
    return float(WINDOW_CONTROL_LUT), 0, _blocks(width, depth)


def _blocks(width: int, depth: int) -> float:
    """36 kbit blocks in halves of 18 kbit: the widest port is 72 (36) bits, 512 deep."""
    by_width = -(-width // 36) * -(-depth // 512)
    by_bits = -(-width * depth * 2 // BRAM_BITS)
    return max(by_width if depth <= 512 else by_bits, 1) / 2
