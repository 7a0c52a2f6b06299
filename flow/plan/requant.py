"""Widths and constants of a requantisation kernel."""

from __future__ import annotations

from flow.graph.arithmetic import accumulator_bits, fold_requant, signed_bits
from flow.graph.types import Add, Concat, MatVec, Multiply, Rescale, Rounding
from flow.plan.hwplan import RequantSpec


def requant_spec(node: MatVec | Add | Multiply | Concat | Rescale, lanes: int) -> RequantSpec:
    """The requantisation of a node, `lanes` channels per beat; see `fold_requant`."""
    requant = fold_requant(node)
    shift_min = int(requant.shift.min())
    return RequantSpec(
        name=f"requant_{node.name}",
        lanes=lanes,
        acc_bits=accumulator_bits(node),
        pre_shift=requant.pre_shift,
        const_bits=signed_bits(int(requant.constant.min()), int(requant.constant.max())),
        shift_min=shift_min,
        delta_bits=int(requant.shift.max() - shift_min).bit_length(),
        zero_point=node.y.zero_point,
        y_bits=node.y.bits,
        y_signed=node.y.signed,
        lo=node.y.lo,
        hi=node.y.hi,
        mult_bits=0 if requant.mult is None else int(requant.mult.max()).bit_length(),
        half_even=node.rounding is Rounding.HALF_EVEN,
    )
