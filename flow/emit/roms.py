"""ROM contents: weights in MAC order and requantisation parameters in output order."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from flow.errors import RangeError
from flow.graph.arithmetic import fold_requant
from flow.graph.types import IntArray, Kind, MatVec
from flow.plan.hwplan import RequantSpec, UnitPlan


def weight_words(node: MatVec, unit: UnitPlan) -> tuple[int, ...]:
    """One word per MAC beat: for each group of `pe` outputs, for each step, [pe][simd] elements.

    A depthwise layer has [channel group][tap] words of `pe` elements.
    """
    assert unit.mac is not None
    blocks = mac_blocks(node, unit.pe, unit.simd)
    return tuple(_pack(block, unit.mac.w_bits) for block in blocks.reshape(len(blocks), -1))


def mac_blocks(node: MatVec, pe: int, simd: int) -> IntArray:
    """Weights as [groups * steps, pe, simd]; depthwise [groups * taps, pe, 1]."""
    channels = node.out_shape[2]
    if node.kind is Kind.DEPTHWISE:
        taps = node.weights.reshape(-1, channels // pe, pe)
        return taps.transpose(1, 0, 2).reshape(-1, pe, 1)
    flat = node.weights.reshape(-1, simd, channels // pe, pe)
    return flat.transpose(2, 0, 3, 1).reshape(-1, pe, simd)


def parameter_words(node: MatVec, spec: RequantSpec) -> tuple[int, ...]:
    """One word per requantisation beat: `lanes` elements of (constant, shift above the least)."""
    requant = fold_requant(node)
    elements = [
        (int(constant) & _mask(spec.const_bits)) | (int(shift) - spec.shift_min) << spec.const_bits
        for constant, shift in zip(requant.constant, requant.shift, strict=True)
    ]
    groups = np.array(elements, dtype=object).reshape(-1, spec.lanes)
    return tuple(_pack(group, spec.param_bits) for group in groups)


def hex_text(words: Iterable[int], width: int) -> str:
    """`$readmemh` text, one word per line."""
    digits = -(-width // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def _pack(elements: Iterable[int], bits: int) -> int:
    word = 0
    for position, element in enumerate(elements):
        value = int(element)
        if not -(1 << (bits - 1)) <= value < (1 << bits):
            raise RangeError(
                f"{value} does not fit the {bits} bits that the plan has for it.\n"
                "  The plan belongs to another network; plan again."
            )
        word |= (value & _mask(bits)) << (position * bits)
    return word


def _mask(bits: int) -> int:
    return (1 << bits) - 1
