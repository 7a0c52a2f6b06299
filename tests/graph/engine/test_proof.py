"""Narrow arithmetic is chosen where it is exact and refused one bit beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.graph import Kind, MatVec, TensorType, Window, run_node
from flow.graph.arithmetic import Requant
from flow.graph.engine import _library
from flow.graph.engine._proof import limb_shift, offset, rescaling, stored_range
from flow.graph.engine._steps import step_of
from flow.graph.types import IntArray
from tests.graph.engine.harness import run_step

POINT = Window(1, 1, 1, 1, 0, 0)
INT16_TOP = (1 << 15) - 1
SIGNED = TensorType(16, True, 0, 0, -(1 << 15), (1 << 15) - 1)
UNSIGNED = TensorType(16, False, 0, 0, 0, (1 << 16) - 1)
EXACT = TensorType(32, True, 0, 0, -(1 << 31), (1 << 31) - 1)


def columns(*values: int) -> IntArray:
    return np.array(values, np.int64)[:, None]


@pytest.mark.parametrize(("low", "high", "less"), [
    (-(1 << 15), (1 << 15) - 1, 0), (0, (1 << 15) - 1, 0), (0, 1 << 15, 1 << 15),
    (0, (1 << 16) - 1, 1 << 15), (-1, (1 << 16) - 1, None), (5, (1 << 16) + 4, 5 + (1 << 15)),
    (-(1 << 15) - 1, 0, -1),
])  # fmt: skip
def test_codes_are_stored_where_16_bits_hold_them(low: int, high: int, less: int | None) -> None:
    tensor = TensorType(20, True, 0, max(low, 0), low, high)
    assert offset(tensor) == less
    if less is not None:
        first, last = stored_range(tensor)
        assert -(1 << 15) <= first <= last < 1 << 15
        assert (first + less, last + less) == (low, high)


def test_one_limb_up_to_the_last_integer_of_int32() -> None:
    top = 1 << 15
    fits = columns(*[INT16_TOP] * 2, 1)  # 2 * 32767 * -32768 - 32768 = -2**31 + 32768
    assert limb_shift(fits, -top, 0) == 0
    assert limb_shift(columns(*[INT16_TOP] * 2, 1, 1), -top, 0) == 0  # exactly -2**31
    assert limb_shift(columns(*[INT16_TOP] * 2, 1, 1, 1), -top, 0) != 0
    # on the other side 2**31 itself is one too many
    assert limb_shift(columns(*[-INT16_TOP] * 2, -1), -top, 0) == 0
    assert limb_shift(columns(*[-INT16_TOP] * 2, -1, -1), -top, 0) != 0


def test_a_sum_in_between_counts_though_the_last_one_is_small() -> None:
    weights = columns(*[INT16_TOP] * 3, *[-INT16_TOP] * 3)  # all products cancel at the end
    assert limb_shift(weights, -(1 << 15), 0) != 0


def test_limbs_cover_the_code_and_are_refused_when_they_overflow_too() -> None:
    shift = limb_shift(columns(*[INT16_TOP] * 100), 0, INT16_TOP)
    assert shift is not None and shift > 0
    assert 100 * INT16_TOP * ((1 << shift) - 1) < 1 << 31
    assert 100 * INT16_TOP * (INT16_TOP >> shift) < 1 << 31
    assert limb_shift(columns(*[INT16_TOP] * 1000), -(1 << 15), INT16_TOP) is None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_sum_of_any_products_leaves_int32(data: st.DataObject) -> None:
    low = data.draw(st.integers(-(1 << 15), INT16_TOP - 1))
    high = data.draw(st.integers(low + 1, INT16_TOP))
    weights = data.draw(st.lists(st.integers(-INT16_TOP, INT16_TOP), min_size=1, max_size=40))
    shift = limb_shift(columns(*weights), low, high)
    if shift is None:
        return
    limbs = [(low, high)] if shift == 0 else [(0, (1 << shift) - 1), (low >> shift, high >> shift)]
    for first, last in limbs:
        ends = [(w * first, w * last) for w in weights]
        assert sum(max(*pair, 0) for pair in ends) < 1 << 31
        assert sum(min(*pair, 0) for pair in ends) >= -(1 << 31)


def requant(constant: int, shift: int = 3) -> Requant:
    return Requant(0, np.array([constant]), np.array([shift]), TensorType(8, True, 0, 0, -128, 127))


def wide(constant: int, low: int, high: int, **more: object) -> bool:
    found = rescaling(replace(requant(constant), **more), [0], [(low, high)])
    assert found is not None
    return found.wide


def test_requantisation_is_int32_up_to_its_last_integer() -> None:
    top = (1 << 31) - 1
    assert not wide(1000, -5, top - 1000)
    assert wide(1001, -5, top - 1000)
    assert not wide(-1000, -(1 << 31) + 1000, 0)
    assert wide(-1001, -(1 << 31) + 1000, 0)
    assert not wide(0, 0, top // 3, mult=np.array([3]))
    assert wide(0, 0, top // 3 + 1, mult=np.array([3]))
    assert not wide(0, 0, top >> 4, pre_shift=4)
    assert wide(0, 0, (top >> 4) + 1, pre_shift=4)
    assert not wide(0, 0, 1, shift=np.array([31]))
    assert wide(0, 0, 1, shift=np.array([32]))


def test_what_int64_cannot_hold_is_left_to_the_reference() -> None:
    top = (1 << 63) - 1
    assert rescaling(requant(0), [0], [(0, top)]) is not None
    assert rescaling(requant(1), [0], [(0, top)]) is None
    assert rescaling(requant(0), [2], [(0, top - 1)]) is None


@pytest.mark.parametrize("x", [SIGNED, UNSIGNED], ids=["signed", "unsigned"])
@pytest.mark.parametrize("weight", [INT16_TOP, -INT16_TOP])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("taps", [1, 2, 4, 9, 63])
def test_extreme_weights_meet_extreme_codes(
    x: TensorType, weight: int, depthwise: bool, taps: int
) -> None:
    """The largest sums that these widths can make, exactly."""
    channels = 2
    shape = (taps, 1, channels) if depthwise else (taps, 1, 1, channels)
    zeros = np.zeros(channels, np.int64)
    y = TensorType(32, True, 6, 0, EXACT.lo, EXACT.hi)
    node = MatVec(
        "node", "codes", Kind.DEPTHWISE if depthwise else Kind.CONV,
        (taps, 1, channels if depthwise else 1), (1, 1, channels), replace(POINT, kernel_h=taps),
        np.full(shape, weight), 16, zeros, zeros, 1, zeros, x, y,
    )  # fmt: skip
    library = _library.load()
    step = step_of(node, library)
    assert step is not None
    rng = np.random.default_rng(0)
    codes = rng.choice([x.lo, x.hi], (6, *node.in_shape))
    codes[0], codes[1] = x.lo, x.hi
    expected = run_node(node, codes)
    assert abs(int(expected[0].flat[0])) + abs(int(expected[1].flat[0])) >= taps << 24
    np.testing.assert_array_equal(run_step(node, step, library, [codes]), expected)


def test_a_small_sum_of_two_limbs_is_put_together_all_the_same() -> None:
    """Only sums in between leave int32 here, for no code is near 0."""
    x = TensorType(16, True, 0, 30_000, 20_000, INT16_TOP)
    weights = np.array([INT16_TOP] * 3 + [-INT16_TOP] * 3).reshape(1, 1, 6, 1)
    node = MatVec(
        "node", "codes", Kind.DENSE, (1, 1, 6), (1, 1, 1), POINT, weights, 16,
        *(np.zeros(1, np.int64) for _ in range(2)), 1, np.zeros(1, np.int64), x, EXACT,
    )  # fmt: skip
    library = _library.load()
    step = step_of(node, library)
    assert step is not None and step.argument.plane.limb_shift
    codes = np.random.default_rng(0).integers(x.lo, x.hi + 1, (20, 1, 1, 6))
    np.testing.assert_array_equal(run_step(node, step, library, [codes]), run_node(node, codes))


def test_layers_that_are_too_wide_have_no_kernel() -> None:
    library = _library.load()
    node = MatVec(
        "node", "codes", Kind.DENSE, (1, 1, 1000), (1, 1, 1), POINT,
        np.full((1, 1, 1000, 1), INT16_TOP), 16, *(np.zeros(1, np.int64) for _ in range(2)), 1,
        np.zeros(1, np.int64), SIGNED, replace(EXACT, scale_exp=12),
    )  # fmt: skip
    assert step_of(node, library) is None
    assert step_of(replace(node, weights=node.weights // 100), library) is not None
    assert step_of(replace(node, weights=node.weights * 0 + (1 << 15)), library) is None
    assert step_of(replace(node, x=EXACT, weights=node.weights * 0 + 1), library) is None
