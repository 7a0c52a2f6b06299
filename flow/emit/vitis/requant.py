"""Types and constants of `requantise` in shift_arith.h, and its tables by channel."""

from __future__ import annotations

import numpy as np

from flow.emit.kernels import requant_widths
from flow.emit.vitis.cpp import Table, integer
from flow.graph.arithmetic import Requant
from flow.plan.hwplan import RequantSpec


def requant_types(spec: RequantSpec) -> dict[str, str]:
    """C++ types by role."""
    sum_bits, out_bits = requant_widths(spec)
    return {
        "acc_t": integer(spec.acc_bits, True),
        "const_t": integer(spec.const_bits, True),
        "mult_t": integer(max(spec.mult_bits, 1), False),
        "sum_t": integer(sum_bits, True),
        "out_t": integer(out_bits, True),
        "y_t": integer(spec.y_bits, spec.y_signed),
    }


def requant_constants(spec: RequantSpec) -> dict[str, int]:
    """What all channels share."""
    return {
        "pre_shift": spec.pre_shift,
        "shift_min": spec.shift_min,
        "per_channel_shift": spec.delta_bits > 0,
        "scaled": spec.mult_bits > 0,
        "half_even": spec.half_even,
        "zero_point": spec.zero_point,
        "lo": spec.lo,
        "hi": spec.hi,
    }


def one_channel(folded: Requant) -> dict[str, int]:
    """The constants of a requantisation that is the same for all channels."""
    tie = folded.tie is not None and bool(folded.tie[0])
    return {"constant": int(folded.constant[0]), "tie": tie}


def requant_tables(name: str, spec: RequantSpec, folded: Requant, lanes: int) -> tuple[Table, ...]:
    """Tables [beat][lane] of each channel's constant, shift, factor and tie.

    Those that `requant_constants` says nobody reads are zeros.
    """
    unused = np.zeros_like(folded.constant)
    mult = unused if folded.mult is None else folded.mult
    tie = unused if folded.tie is None else folded.tie.astype(np.int64)
    columns = (
        ("constants", f"rom_sint<{spec.const_bits}>", folded.constant,
         "bias, rounding and input zero point of each channel"),
        ("shifts", f"rom_uint<{max(spec.delta_bits, 1)}>", folded.shift - spec.shift_min,
         "each channel's shift above the least" if spec.delta_bits
         else "all channels share a shift"),
        ("mults", f"rom_uint<{max(spec.mult_bits, 1)}>", mult,
         "factor of each channel's scale" if spec.mult_bits else "all scales are powers of two"),
        ("ties", "rom_uint<1>", tie,
         "channels in which half-even rounding can meet a tie" if spec.half_even
         else "ties are rounded up"),
    )  # fmt: skip
    return tuple(
        Table(f"{name}_{suffix}", f"shift::{element}", values.reshape(-1, lanes), note)
        for suffix, element, values, note in columns
    )
