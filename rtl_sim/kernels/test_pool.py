"""Average-pool kernels: equal to true division, at every sum of small pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from flow.graph.arithmetic import fold_pool, pool_average, signed_bits
from flow.graph.types import AveragePool, TensorType, Window
from flow.plan.hwplan import PoolSpec
from rtl_sim.kernels.bench import Case, Played, assert_one_beat_per_cycle, beats, play_kernels
from rtl_sim.units.bench import assert_clean

pytestmark = pytest.mark.sim

OUTPUTS = 40


@dataclass(frozen=True, slots=True)
class Shape:
    """One parametrisation; `steps` is the window's number of positions."""

    name: str
    pe: int
    steps: int
    x: TensorType
    y: TensorType


def code(
    bits: int, signed: bool, scale_exp: int, zero_point: int = 0, lo: int | None = None
) -> TensorType:
    low = -(1 << (bits - 1)) if signed else 0
    return TensorType(
        bits, signed, scale_exp, zero_point, low if lo is None else lo, low + (1 << bits) - 1
    )


SHAPES = (
    Shape("kws", 1, 125, code(4, False, -3), code(16, False, -15)),
    Shape("same_scale", 4, 64, code(8, False, -6), code(8, False, -6)),
    Shape("saturating", 2, 49, code(8, False, -4), code(8, False, -6)),
    Shape("coarser", 1, 36, code(8, False, -6), code(4, False, -2)),
    Shape("signed", 2, 25, code(8, True, -6), code(8, True, -6)),
    Shape("signed_symmetric", 1, 9, code(8, True, -6, lo=-127), code(8, True, -7, lo=-127)),
    Shape(
        "zero_points", 3, 6, code(8, True, -5, zero_point=-20), code(8, False, -5, zero_point=31)
    ),
    Shape("one_step", 2, 1, code(6, True, -3), code(4, True, -1)),
    Shape("two_steps", 1, 2, code(8, False, 0), code(8, False, 0)),
    Shape("sixteen_bits", 1, 49, code(16, False, -8), code(16, True, -7)),
)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(shape, seed) for seed, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def played(cases: list[Case]) -> Played:
    return play_kernels("kernel_pool", cases)


def test_pool_is_exact_under_every_stall_profile(played: Played) -> None:
    assert_clean(played.profiles)


@pytest.mark.parametrize("index", range(len(SHAPES)), ids=lambda i: SHAPES[i].name)
def test_pool_takes_one_beat_per_cycle(cases: list[Case], played: Played, index: int) -> None:
    assert_one_beat_per_cycle(cases[index], played.kernels[index], played.profiles[0])


def make_case(shape: Shape, seed: int) -> Case:
    """Beats of all-lowest, all-highest, and random values around random means."""
    rng = np.random.default_rng(seed)
    size = (OUTPUTS, shape.steps, shape.pe)
    mean = rng.uniform(shape.x.lo, shape.x.hi, (OUTPUTS, 1, shape.pe))
    spread = rng.uniform(0, 1 << (shape.x.bits - 1), (OUTPUTS, 1, shape.pe))
    x = np.clip(np.floor(rng.normal(mean, spread, size)), shape.x.lo, shape.x.hi).astype(np.int64)
    x[0], x[1], x[2] = shape.x.lo, shape.x.hi, shape.x.zero_point
    x[3, 1:], x[4, 1:] = shape.x.lo, shape.x.hi  # one code beside the ends of the sum
    node = _node(shape)
    return Case(
        _spec(shape, node),
        {
            "x": beats(x.reshape(-1, shape.pe), shape.x.bits),
            "y": beats(pool_average(x.sum(axis=1), node), shape.y.bits),
        },
    )


def _node(shape: Shape) -> AveragePool:
    window = Window(shape.steps, 1, shape.steps, 1, 0, 0)
    return AveragePool(
        shape.name, "input", (shape.steps, 1, shape.pe), (1, 1, shape.pe), window, shape.x, shape.y
    )


def _spec(shape: Shape, node: AveragePool) -> PoolSpec:
    divide = fold_pool(node)
    lowest, highest = (shape.steps * end for end in (shape.x.lo, shape.x.hi))
    return PoolSpec(
        name=f"pool_{shape.name}",
        pe=shape.pe,
        steps=shape.steps,
        x_bits=shape.x.bits,
        x_signed=shape.x.signed,
        sum_bits=signed_bits(min(lowest, 0), highest),
        pre_shift=divide.pre_shift,
        constant=divide.constant,
        numerator_max=(highest << divide.pre_shift) + divide.constant,
        reciprocal=divide.reciprocal,
        shift=divide.shift,
        offset=divide.offset,
        y_bits=shape.y.bits,
        y_signed=shape.y.signed,
        lo=shape.y.lo,
        hi=shape.y.hi,
    )
