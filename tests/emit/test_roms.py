"""ROM files, read back by the documented order alone, hold the graph's integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.emit.roms import hex_text, parameter_words, weight_words
from flow.graph import MatVec, fold_requant
from flow.plan import HwPlan, Override, Target, UnitPlan, plan
from tests.helpers import small_graph

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
GRAPH = small_graph()
FOLDS = [
    {},
    {"conv": Override(pe=2, simd=6), "deep": Override(pe=8), "point": Override(pe=4, simd=8),
     "dense": Override(pe=5, simd=3)},
    {"conv": Override(pe=8, simd=24), "deep": Override(pe=2), "point": Override(pe=12, simd=2),
     "dense": Override(pe=1, simd=12)},
]  # fmt: skip
NAMES = ["conv", "deep", "point", "dense"]


def layer(hw_plan: HwPlan, name: str) -> tuple[MatVec, UnitPlan]:
    node = next(node for node in GRAPH.nodes if node.name == name)
    assert isinstance(node, MatVec)
    return node, next(unit for unit in hw_plan.units if unit.name == name)


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def element(word: int, position: int, bits: int) -> int:
    return word >> (position * bits) & ((1 << bits) - 1)


def read_dense_weights(words: list[int], node: MatVec, unit: UnitPlan) -> np.ndarray:
    """Words by group of PE outputs, then by step; in a word [pe][simd]; K is [kh, kw, cin]."""
    assert unit.mac is not None
    _, kernel_w, channels, _ = node.weights.shape
    steps = node.weights[..., 0].size // unit.simd
    result = np.full(node.weights.shape, 1 << 40)
    for index, word in enumerate(words):
        group, step = divmod(index, steps)
        for p in range(unit.pe):
            for s in range(unit.simd):
                tap, channel = divmod(step * unit.simd + s, channels)
                code = element(word, p * unit.simd + s, unit.mac.w_bits)
                place = (*divmod(tap, kernel_w), channel, group * unit.pe + p)
                result[place] = signed(code, unit.mac.w_bits)
    return result


def read_depthwise_weights(words: list[int], node: MatVec, unit: UnitPlan) -> np.ndarray:
    """Words by group of PE channels, then by tap; in a word one element per channel."""
    assert unit.mac is not None
    kernel_h, kernel_w, _ = node.weights.shape
    result = np.full(node.weights.shape, 1 << 40)
    for index, word in enumerate(words):
        group, tap = divmod(index, kernel_h * kernel_w)
        for p in range(unit.pe):
            place = (*divmod(tap, kernel_w), group * unit.pe + p)
            result[place] = signed(element(word, p, unit.mac.w_bits), unit.mac.w_bits)
    return result


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("name", NAMES)
def test_weight_words_hold_every_weight_once(name: str, fold: dict[str, Override]) -> None:
    node, unit = layer(plan(GRAPH, TARGET, 1 << 20, fold), name)
    words = list(weight_words(node, unit))
    assert len(words) == node.weights.size // (unit.pe * unit.simd)
    read = read_depthwise_weights if name == "deep" else read_dense_weights
    np.testing.assert_array_equal(read(words, node, unit), node.weights)


@pytest.mark.parametrize("ii_cycles", [180, 1 << 20])
@pytest.mark.parametrize("name", NAMES)
def test_parameter_words_hold_constant_and_shift_of_every_channel(
    name: str, ii_cycles: int
) -> None:
    node, unit = layer(plan(GRAPH, TARGET, ii_cycles), name)
    spec = unit.requant
    assert spec is not None
    folded = fold_requant(node)
    constants, shifts = [], []
    for word in parameter_words(node, spec):
        for lane in range(spec.lanes):
            entry = element(word, lane, spec.param_bits)
            constants.append(signed(entry & ((1 << spec.const_bits) - 1), spec.const_bits))
            shifts.append(spec.shift_min + (entry >> spec.const_bits))
    assert constants == folded.constant.tolist()
    assert shifts == folded.shift.tolist()
    assert len(set(shifts)) > 1


def test_several_lanes_share_a_parameter_word() -> None:
    node, unit = layer(plan(GRAPH, TARGET, 180), "conv")
    assert unit.requant is not None
    wide = replace(unit.requant, lanes=4)
    one, four = parameter_words(node, unit.requant), parameter_words(node, wide)
    assert unit.requant.lanes == 1
    assert len(four) == 2
    joined = [sum(word << (i * wide.param_bits) for i, word in enumerate(one[j : j + 4]))
              for j in (0, 4)]  # fmt: skip
    assert list(four) == joined


def test_hex_text_is_one_word_a_line_in_whole_digits() -> None:
    assert hex_text([1, 0x1FF], 9) == "001\n1ff\n"
    assert hex_text([5], 1) == "5\n"
