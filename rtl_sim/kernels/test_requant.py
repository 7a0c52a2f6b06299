"""Requantisation kernels: equal to `requantise` bit by bit, at every end of every range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from flow.graph.arithmetic import Requant, requantise, signed_bits
from flow.graph.types import IntArray, TensorType
from flow.plan.hwplan import RequantSpec
from rtl_sim.harness import PROFILES
from rtl_sim.kernels.bench import (
    Beats,
    Case,
    Played,
    assert_one_beat_per_cycle,
    beats,
    play_kernels,
)
from rtl_sim.units.bench import assert_clean

pytestmark = pytest.mark.sim

BEATS = 240


@dataclass(frozen=True, slots=True)
class Shape:
    """One parametrisation; `constant_bits` bounds the random constants, shifts are lo..hi."""

    name: str
    lanes: int
    acc_bits: int
    constant_bits: int
    shifts: tuple[int, int]
    y: TensorType
    pre_shift: int = 0


def code(
    bits: int, signed: bool, zero_point: int = 0, lo: int | None = None, hi: int | None = None
) -> TensorType:
    low = -(1 << (bits - 1)) if signed else 0
    top = low + (1 << bits) - 1
    return TensorType(
        bits, signed, 0, zero_point, low if lo is None else lo, top if hi is None else hi
    )


SHAPES = (
    Shape("u4", 1, 20, 22, (6, 13), code(4, False)),
    Shape("s8_four_lanes", 4, 24, 24, (9, 12), code(8, True)),
    Shape("symmetric", 2, 20, 20, (8, 11), code(8, True, lo=-127)),
    Shape("one_shift", 2, 18, 16, (7, 7), code(8, False)),
    Shape("no_shift", 1, 17, 17, (0, 0), code(16, True)),
    Shape("pre_shift", 2, 16, 20, (0, 3), code(16, True), pre_shift=3),
    Shape("zero_point_relu", 2, 20, 20, (7, 9), code(8, False, zero_point=17, lo=17)),
    Shape("zero_point_negative", 1, 20, 20, (5, 10), code(8, True, zero_point=-128)),
    Shape("relu6", 1, 22, 20, (10, 12), code(8, False, hi=96)),
    Shape("constant_31_bits", 1, 20, 31, (14, 17), code(8, True)),
    Shape("widest", 1, 38, 34, (20, 27), code(16, False)),
    Shape("y_32_bits", 1, 44, 40, (10, 13), code(32, False)),
    Shape("shifted_away", 1, 12, 12, (30, 33), code(4, True)),
    Shape("narrow", 3, 2, 3, (0, 1), code(2, True, lo=-1)),
)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(shape, seed) for seed, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def played(cases: list[Case]) -> Played:
    return play_kernels("kernel_requant", cases)


def test_requant_is_exact_under_every_stall_profile(played: Played) -> None:
    assert_clean(played.profiles)


@pytest.mark.parametrize("index", range(len(SHAPES)), ids=lambda i: SHAPES[i].name)
def test_requant_takes_one_beat_per_cycle(cases: list[Case], played: Played, index: int) -> None:
    assert_one_beat_per_cycle(cases[index], played.kernels[index], played.profiles[0])


@pytest.mark.parametrize("shape", SHAPES[:-2], ids=lambda shape: shape.name)
def test_the_stimuli_saturate_at_both_ends_and_hit_the_values_beside_them(shape: Shape) -> None:
    seed = SHAPES.index(shape)
    codes = set(_expected(shape, *_stimuli(shape, seed)).ravel().tolist())
    assert {shape.y.lo, shape.y.lo + 1, shape.y.hi - 1, shape.y.hi} <= codes


def test_the_bench_names_the_beat_of_a_wrong_constant(cases: list[Case], played: Played) -> None:
    wrong_beat = 101
    shape = SHAPES[0]
    acc, constant, shift = _stimuli(shape, 0)
    codes = _expected(shape, acc, constant, shift)
    unsaturated = (codes[wrong_beat:] > shape.y.lo) & (codes[wrong_beat:] < shape.y.hi)
    wrong_beat += int(np.argmax(unsaturated[:, 0]))
    constant[wrong_beat, 0] += 1 << int(shift[wrong_beat, 0])
    broken = dict(cases[0].streams) | {"p": _parameters(shape, constant, shift)}
    spoiled = [replace(cases[0], streams=broken), *cases[1:]]
    result = play_kernels("kernel_requant_spoiled", spoiled, PROFILES[:2])
    for profile in result.profiles:
        assert not profile.clean
        assert [tap.mismatches for tap in profile.taps] == [1] + [0] * (len(cases) - 1)
        assert profile.taps[0].first_bad_index == wrong_beat


def make_case(shape: Shape, seed: int) -> Case:
    """Random parameters; accumulators at both ends and around each edge of saturation."""
    acc, constant, shift = _stimuli(shape, seed)
    return Case(
        _spec(shape),
        {
            "acc": beats(acc, shape.acc_bits),
            "p": _parameters(shape, constant, shift),
            "y": beats(_expected(shape, acc, constant, shift), shape.y.bits),
        },
    )


def _spec(shape: Shape) -> RequantSpec:
    lowest, highest = shape.shifts
    return RequantSpec(
        f"requant_{shape.name}",
        shape.lanes,
        shape.acc_bits,
        shape.pre_shift,
        shape.constant_bits,
        lowest,
        (highest - lowest).bit_length(),
        shape.y.zero_point,
        shape.y.bits,
        shape.y.signed,
        shape.y.lo,
        shape.y.hi,
    )


def _stimuli(shape: Shape, seed: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return acc, constant and shift, each [beats, lanes]."""
    rng = np.random.default_rng(seed)
    size = (BEATS, shape.lanes)
    constant = _extreme_or_random(rng, shape.constant_bits, size)
    lowest, highest = shape.shifts
    shift = rng.integers(lowest, highest, size, endpoint=True)
    acc = _extreme_or_random(rng, shape.acc_bits, size)
    edge = rng.choice(
        [shape.y.lo, shape.y.lo + 1, shape.y.hi - 1, shape.y.hi, shape.y.hi + 1], size
    )
    target = ((edge - shape.y.zero_point) << shift) + rng.integers(-1, 1, size, endpoint=True)
    turn = rng.integers(0, 3, size)  # 0: leave random, 1: aim by acc, 2: aim by the constant
    aimed_acc = (target - constant) >> shape.pre_shift
    acc = np.where((turn == 1) & _fits(aimed_acc, shape.acc_bits), aimed_acc, acc)
    aimed_constant = target - (acc << shape.pre_shift)
    aim_constant = (turn == 2) & _fits(aimed_constant, shape.constant_bits)
    return acc, np.where(aim_constant, aimed_constant, constant), shift


def _fits(values: IntArray, bits: int) -> NDArray[np.bool_]:
    return (values >= -(1 << (bits - 1))) & (values < 1 << (bits - 1))


def _extreme_or_random(rng: np.random.Generator, bits: int, size: tuple[int, int]) -> IntArray:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    assert signed_bits(low, high) == bits
    values = rng.integers(low, high, size, endpoint=True)
    narrow = values >> rng.integers(0, bits, size)
    extremes = rng.choice([low, low + 1, -1, 0, min(1, high), high], size)
    return np.where(rng.random(size) < 0.2, extremes, narrow)


def _expected(shape: Shape, acc: IntArray, constant: IntArray, shift: IntArray) -> IntArray:
    return requantise(acc, Requant(shape.pre_shift, constant, shift, shape.y))


def _parameters(shape: Shape, constant: IntArray, shift: IntArray) -> Beats:
    spec = _spec(shape)
    delta = shift - spec.shift_min
    elements = (constant & ((1 << spec.const_bits) - 1)) | (delta << spec.const_bits)
    return beats(elements, spec.param_bits)
