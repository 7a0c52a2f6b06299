"""MAC kernels: exact sums in the contract's element order, one beat per cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from flow.graph.arithmetic import accumulator_bits
from flow.graph.types import POINT, IntArray, Kind, MatVec, TensorType, Window
from flow.plan.hwplan import MacSpec
from rtl_sim.kernels.bench import Case, Played, assert_one_beat_per_cycle, beats, play_kernels
from rtl_sim.units.bench import assert_clean

pytestmark = pytest.mark.sim

OUTPUTS = 60  # beats; also the passes through the groups of output channels


@dataclass(frozen=True, slots=True)
class Shape:
    """One parametrisation; `groups` * pe output channels share one set of random weights."""

    name: str
    x_bits: int
    x_signed: bool
    w_bits: int
    pe: int
    simd: int
    steps: int
    depthwise: bool = False
    groups: int = 3
    use_dsp: bool = True


SHAPES = (
    Shape("conv", 16, True, 16, 1, 40, 1),
    Shape("depthwise", 8, False, 8, 16, 1, 9, depthwise=True),
    Shape("pointwise8", 8, False, 4, 1, 64, 1),
    Shape("pointwise4", 4, False, 4, 2, 16, 4),
    Shape("dense", 16, False, 8, 1, 1, 64),
    Shape("widest", 16, False, 16, 2, 3, 5),
    Shape("signed_odd", 5, True, 3, 3, 7, 2),
    Shape("power_of_two_steps", 8, True, 8, 2, 2, 8),
    Shape("scalar", 8, True, 8, 1, 1, 1),
    Shape("depthwise_one_step", 6, True, 5, 4, 1, 1, depthwise=True),
    Shape("one_bit", 1, False, 1, 2, 5, 3),
    Shape("planes8", 8, False, 4, 1, 64, 1, use_dsp=False),
    Shape("planes4", 4, False, 4, 2, 16, 4, use_dsp=False),
    Shape("planes_of_signed_x", 3, True, 8, 2, 7, 2, use_dsp=False),
    Shape("planes_of_unsigned_x", 2, False, 6, 1, 9, 3, use_dsp=False),
    Shape("planes_one_bit", 1, False, 1, 2, 5, 3, use_dsp=False),
    Shape("depthwise_lut", 4, False, 4, 4, 1, 9, depthwise=True, use_dsp=False),
)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(shape, seed) for seed, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def played(cases: list[Case]) -> Played:
    return play_kernels("kernel_mac", cases)


def test_mac_is_exact_under_every_stall_profile(played: Played) -> None:
    assert_clean(played.profiles)


@pytest.mark.parametrize("index", range(len(SHAPES)), ids=lambda i: SHAPES[i].name)
def test_mac_takes_one_beat_per_cycle(cases: list[Case], played: Played, index: int) -> None:
    assert_one_beat_per_cycle(cases[index], played.kernels[index], played.profiles[0])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_stimuli_reach_both_ends_of_the_accumulator(shape: Shape) -> None:
    spec, sums = _reference(shape, SHAPES.index(shape))
    needed = max(abs(int(sums.min()) + 1), abs(int(sums.max()))).bit_length() + 1
    assert needed == spec.acc_bits


def make_case(shape: Shape, seed: int) -> Case:
    """Random stimuli whose outputs include the smallest and the largest possible sum."""
    spec, x, w, sums = _stimuli(shape, seed)
    return Case(
        spec,
        {
            "x": beats(x.reshape(OUTPUTS * shape.steps, -1), shape.x_bits),
            "w": beats(w.reshape(OUTPUTS * shape.steps, -1), shape.w_bits),
            "acc": beats(sums, spec.acc_bits),
        },
        shape.use_dsp,
    )


def _reference(shape: Shape, seed: int) -> tuple[MacSpec, IntArray]:
    spec, _, _, sums = _stimuli(shape, seed)
    return spec, sums


def _stimuli(shape: Shape, seed: int) -> tuple[MacSpec, IntArray, IntArray, IntArray]:
    """Return x [outputs, steps, pe or simd], w [outputs, steps, pe, simd], sums [outputs, pe]."""
    rng = np.random.default_rng(seed)
    w_hi = (1 << (shape.w_bits - 1)) - 1
    weights = rng.integers(
        -w_hi - 1, w_hi, (shape.groups, shape.steps, shape.pe, shape.simd), endpoint=True
    )
    weights[0, :, 0] = -w_hi - 1
    x_type = _x_type(shape)
    x_elements = shape.pe if shape.depthwise else shape.simd
    x = rng.integers(x_type.lo, x_type.hi, (OUTPUTS, shape.steps, x_elements), endpoint=True)
    groups = np.arange(OUTPUTS) % shape.groups
    for index, group in enumerate(groups[: shape.groups * 2 * shape.pe]):
        _aim_at_an_end(x[index], weights[group], x_type, index // shape.groups, shape.depthwise)
    w = weights[groups]
    operand = x[:, :, :, None] if shape.depthwise else x[:, :, None, :]
    sums = (operand * w).sum(axis=(1, 3))
    return _spec(shape, weights, x_type), x, w, sums


def _aim_at_an_end(
    x: IntArray, weights: IntArray, x_type: TensorType, turn: int, depthwise: bool
) -> None:
    """Choose x so that channel turn // 2 has its largest sum (turn even) or its smallest (odd)."""
    channel, smallest = turn // 2, turn % 2 == 1
    own = weights[:, channel, 0] if depthwise else weights[:, channel, :]
    chosen = np.where((own > 0) ^ smallest, x_type.hi, x_type.lo)
    if depthwise:
        x[:, channel] = chosen
    else:
        x[:] = chosen


def _x_type(shape: Shape) -> TensorType:
    lo = -(1 << (shape.x_bits - 1)) if shape.x_signed else 0
    return TensorType(shape.x_bits, shape.x_signed, 0, 0, lo, lo + (1 << shape.x_bits) - 1)


def _spec(shape: Shape, weights: IntArray, x_type: TensorType) -> MacSpec:
    """Accumulator width as the planner finds it: from a node that holds these weights."""
    channels = shape.groups * shape.pe
    by_channel = weights.transpose(1, 3, 0, 2).reshape(shape.steps * shape.simd, channels)
    fan_in = len(by_channel)
    depthwise = shape.depthwise
    node = MatVec(
        name=shape.name,
        source="input",
        kind=Kind.DEPTHWISE if depthwise else Kind.DENSE,
        in_shape=(fan_in, 1, channels) if depthwise else (1, 1, fan_in),
        out_shape=(1, 1, channels),
        window=Window(fan_in, 1, 1, 1, 0, 0) if depthwise else POINT,
        weights=by_channel.reshape(
            (fan_in, 1, channels) if depthwise else (1, 1, fan_in, channels)
        ),
        weight_bits=shape.w_bits,
        weight_exp=np.zeros(channels, np.int64),
        bias=np.zeros(channels, np.int64),
        bias_bits=1,
        bias_exp=np.zeros(channels, np.int64),
        x=x_type,
        y=TensorType(8, True, 0, 0, -128, 127),
    )
    return MacSpec(
        f"mac_{shape.name}",
        shape.x_bits,
        shape.x_signed,
        shape.w_bits,
        shape.pe,
        shape.simd,
        shape.steps,
        accumulator_bits(node),
        shape.depthwise,
    )
