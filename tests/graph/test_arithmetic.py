"""The folded form equals the textbook form on random layers, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import RangeError
from flow.graph import arithmetic
from flow.graph.reference import accumulate, run_taps
from flow.graph.types import AveragePool, Kind, MatVec, TensorType, Window
from tests.helpers import random_codes, small_graph, tensor


def layer(draw_seed: int, ex: int, ew: int, ey: int, eb: int, zp_x: int, zp_y: int) -> MatVec:
    rng = np.random.default_rng(draw_seed)
    return MatVec(
        name="layer",
        source="codes",
        kind=Kind.DENSE,
        in_shape=(1, 1, 6),
        out_shape=(1, 1, 4),
        window=Window(1, 1, 1, 1, 0, 0),
        weights=rng.integers(-127, 128, (1, 1, 6, 4)),
        weight_bits=8,
        weight_exp=ew + rng.integers(-3, 4, 4),
        bias=rng.integers(-(1 << 20), 1 << 20, 4),
        bias_bits=31,
        bias_exp=eb + rng.integers(-2, 3, 4),
        x=TensorType(8, True, ex, zp_x, -127, 127),
        y=TensorType(8, True, ey, zp_y, -127, 127),
    )


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    ex=st.integers(-8, 2),
    ew=st.integers(-10, 0),
    ey=st.integers(-12, 6),
    eb=st.integers(-24, -4),
    zp_x=st.integers(-90, 90),
    zp_y=st.integers(-90, 90),
)
def test_folded_requantisation_equals_textbook(seed, ex, ew, ey, eb, zp_x, zp_y):
    node = layer(seed, ex, ew, ey, eb, zp_x, zp_y)
    rng = np.random.default_rng(seed + 1)
    acc = accumulate(node, rng.integers(-127, 128, (8, 1, 1, 6)))
    folded = arithmetic.requantise(acc, arithmetic.fold_requant(node))
    np.testing.assert_array_equal(folded, arithmetic.requantise_textbook(acc, node))


def test_half_up_rounds_ties_towards_plus_infinity():
    node = layer(0, 0, 0, 1, 0, 0, 0)
    exact = MatVec(
        **{
            **{name: getattr(node, name) for name in node.__slots__},
            "weight_exp": np.zeros(4, np.int64),
            "bias": np.zeros(4, np.int64),
            "bias_exp": np.zeros(4, np.int64),
        }
    )
    acc = np.array([[-3, -1, 1, 3]])
    got = arithmetic.requantise(acc, arithmetic.fold_requant(exact))
    np.testing.assert_array_equal(got, [[-1, 0, 1, 2]])


def test_exponents_too_far_apart_are_refused():
    with pytest.raises(RangeError, match="folded constant"):
        arithmetic.fold_requant(layer(0, -30, -30, 6, -4, 0, 0))


@settings(max_examples=100, deadline=None)
@given(
    height=st.integers(1, 25),
    width=st.integers(1, 9),
    k=st.integers(-4, 9),
    signed=st.booleans(),
    bits=st.integers(2, 10),
    zero_point=st.integers(0, 3),
)
def test_pool_division_by_reciprocal_equals_definition(height, width, k, signed, bits, zero_point):
    x = tensor(bits, signed, 0)
    x = TensorType(bits, signed, 0, min(zero_point, x.hi), x.lo, x.hi)
    y = TensorType(16, True, -k, 5, -32767, 32767)
    node = AveragePool(
        "pool",
        "codes",
        (height, width, 1),
        (1, 1, 1),
        Window(height, width, 1, 1, 0, 0),
        x,
        y,
    )
    fold = arithmetic.fold_pool(node)
    count = height * width
    rng = np.random.default_rng(count)
    sums = np.unique(
        np.concatenate(
            [
                [count * x.lo, count * x.hi],
                rng.integers(count * x.lo, count * x.hi + 1, 200),
            ]
        )
    )
    for total in sums.tolist():
        centred = total - x.zero_point * count
        num, den = (2 * centred << k, 2 * count) if k >= 0 else (2 * centred, 2 * count << -k)
        by_definition = (num + den // 2) // den + 5
        numerator = (total << fold.pre_shift) + fold.constant
        assert numerator >= 0
        assert ((numerator * fold.reciprocal) >> fold.shift) + fold.offset == by_definition
        assert arithmetic.pool_average(np.array([total]), node)[0] == np.clip(
            by_definition, y.lo, y.hi
        )


def test_accumulators_stay_inside_their_declared_width():
    graph = small_graph(3)
    codes = random_codes(graph, 16)
    taps = run_taps(graph, codes)
    for node in graph.nodes:
        if isinstance(node, MatVec):
            x = taps[node.source].reshape((-1, *node.in_shape))
            low, high = arithmetic.accumulator_range(node)
            acc = accumulate(node, x)
            assert low <= acc.min() and acc.max() <= high
            bits = arithmetic.accumulator_bits(node)
            assert -(1 << (bits - 1)) <= low and high < (1 << (bits - 1))


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-129, 0, 9)],
)
def test_signed_bits(low, high, bits):
    assert arithmetic.signed_bits(low, high) == bits
