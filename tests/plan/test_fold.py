"""Folds: what divides, what meets the interval, and how many cycles that takes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import PlanError
from flow.graph import AveragePool, Kind, MatVec, Window
from flow.graph.types import Node
from flow.plan.fold import Fold, Override, fold, stream_elems
from tests.helpers import random_matvec, small_graph, tensor

ANY_II = 1 << 30


def conv(**more: object) -> MatVec:
    """K = 3 * 3 * 4 = 36, 8 outputs, 6 x 4 pixels."""
    arguments = {"cout": 8, "kernel": (3, 3)} | more
    return random_matvec(
        np.random.default_rng(0), "conv", "codes", Kind.CONV, (6, 4, 4), tensor(8, True, -5),
        **arguments,
    )  # fmt: skip


def node_of(name: str) -> Node:
    return next(node for node in small_graph().nodes if node.name == name)


def mac_beats(node: Node, chosen: Fold) -> int:
    """Beats that the multiplier array takes per frame, counted one by one."""
    height, width, channels = node.out_shape
    channelwise = isinstance(node, AveragePool) or node.kind is Kind.DEPTHWISE
    fan_in = node.window.taps if channelwise else node.fan_in
    loops = [
        range(height), range(width), range(0, channels, chosen.pe), range(0, fan_in, chosen.simd)
    ]  # fmt: skip
    return sum(1 for _ in product(*loops))


def window_words(node: Node, chosen: Fold) -> int:
    """Words that leave the window generator per frame, counted one by one."""
    if not chosen.windowed:
        return 0
    height, width, channels = node.out_shape
    channelwise = isinstance(node, AveragePool) or node.kind is Kind.DEPTHWISE
    gathered_whole = not channelwise and chosen.simd == node.fan_in
    groups = range(1) if channelwise or gathered_whole else range(0, channels, chosen.pe)
    taps = product(range(node.window.kernel_h), range(node.window.kernel_w))
    words = range(0, node.in_shape[2], chosen.word_elems)
    return sum(1 for _ in product(range(height), range(width), groups, taps, words))


def input_words(node: Node, chosen: Fold, in_elems: int) -> int:
    """Transfers per frame at the narrowest place in front of the window, counted one by one."""
    height, width, channels = node.in_shape
    elements = height * width * channels
    return sum(1 for _ in range(0, elements, min(in_elems, chosen.word_elems)))


@pytest.mark.parametrize("name", ["conv", "deep", "point", "pool", "dense"])
@pytest.mark.parametrize("ii_cycles", [200, 360, 720, ANY_II])
def test_cycles_equal_a_count_one_by_one(name: str, ii_cycles: int) -> None:
    node = node_of(name)
    for in_elems in (n for n in (1, 2, 4) if node.in_shape[2] % n == 0):
        try:
            chosen = fold(node, in_elems, ii_cycles)
        except PlanError:
            assert (name, in_elems) == ("conv", 1)
            continue
        outputs = int(np.prod(node.out_shape)) // chosen.lanes
        assert chosen.cycles.compute == mac_beats(node, chosen)
        assert chosen.cycles.window == window_words(node, chosen)
        assert chosen.cycles.input_beats == input_words(node, chosen, in_elems)
        assert chosen.cycles.output_beats == outputs
        assert chosen.cycles.bound == max(
            mac_beats(node, chosen), window_words(node, chosen),
            input_words(node, chosen, in_elems), outputs,
        )  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    channels=st.integers(1, 12),
    cout=st.integers(1, 12),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    depthwise=st.booleans(),
    ii_cycles=st.integers(1, 4000),
    data=st.data(),
)
def test_every_fold_divides_meets_the_interval_and_counts_right(
    channels: int, cout: int, kernel: tuple[int, int], stride: tuple[int, int], depthwise: bool,
    ii_cycles: int, data: st.DataObject,
) -> None:  # fmt: skip
    node = random_matvec(
        np.random.default_rng(0), "n", "codes", Kind.DEPTHWISE if depthwise else Kind.CONV,
        (5, 4, channels), tensor(6, True, -3), cout=cout, kernel=kernel, stride=stride,
    )  # fmt: skip
    in_elems = data.draw(st.sampled_from([n for n in range(1, 13) if channels % n == 0]))
    try:
        chosen = fold(node, in_elems, ii_cycles)
    except PlanError as error:
        assert "Raise the cycles per frame" in str(error)
        return
    assert node.out_shape[2] % chosen.pe == 0
    assert node.fan_in % chosen.simd == 0
    assert chosen.pe % chosen.lanes == 0
    assert chosen.word_elems % in_elems == 0 or in_elems % chosen.word_elems == 0
    assert chosen.cycles.bound <= ii_cycles
    assert chosen.cycles.compute == mac_beats(node, chosen)
    assert chosen.cycles.window == window_words(node, chosen)
    assert chosen.cycles.input_beats == input_words(node, chosen, in_elems)


def test_a_narrow_word_in_front_of_a_window_counts_as_input_cycles() -> None:
    node = conv(kernel=(1, 1), stride=(2, 2), cout=1)
    chosen = fold(node, 4, ANY_II, Override(simd=1))
    assert (chosen.word_elems, chosen.cycles.input_beats) == (1, 6 * 4 * 4)
    assert fold(node, 4, 24).word_elems == 4


def test_lanes_are_the_fewest_that_keep_up() -> None:
    outputs = 6 * 4 * 8
    for ii_cycles, lanes in ((outputs, 1), (outputs - 1, 2), (outputs // 4, 4)):
        chosen = fold(conv(kernel=(1, 1)), 4, ii_cycles, Override(pe=8))
        assert chosen.lanes == lanes


def test_the_fewest_multipliers_win() -> None:
    assert fold(conv(), 4, ANY_II).multipliers == 1
    compute = 6 * 4 * 8 * 36
    for ii_cycles in (compute, compute // 2, compute // 5, compute // 17):
        chosen = fold(conv(), 4, ii_cycles)
        assert chosen.multipliers >= -(-compute // ii_cycles)
        assert chosen.multipliers < 2 * -(-compute // ii_cycles)


def test_overrides_of_pe_and_simd_are_kept() -> None:
    assert fold(conv(), 4, ANY_II, Override(pe=4)).pe == 4
    assert fold(conv(), 4, ANY_II, Override(simd=6)).simd == 6
    both = fold(conv(), 4, ANY_II, Override(pe=2, simd=12))
    assert (both.pe, both.simd) == (2, 12)


def test_an_override_of_both_takes_the_words_that_meet_the_interval() -> None:
    fast = fold(conv(), 4, 432, Override(pe=8, simd=36))
    assert (fast.word_elems, fast.cycles.bound) == (2, 432)
    assert fold(conv(), 4, ANY_II, Override(pe=8, simd=36)).word_elems == 1


def test_an_override_of_both_may_be_slower_than_the_interval() -> None:
    slow = fold(conv(), 4, 100, Override(pe=1, simd=4))
    assert slow.cycles.bound == 6 * 4 * 8 * 9


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (Override(pe=3),
         "layer 'conv': PE=3 does not divide output channels=8 in a way that the streams "
         "support.\n  Choose one of 1, 2, 4, 8: models.<model>.layers.conv.pe in config.yaml, or "
         "layers={'conv': {'pe': ...}} in an hls4ml script."),
        (Override(simd=5),
         "layer 'conv': SIMD=5 does not divide K=36 in a way that the streams support.\n"
         "  Choose one of 1, 2, 3, 4, 6, 9, 12, 18, 36: models.<model>.layers.conv.simd in "
         "config.yaml, or layers={'conv': {'simd': ...}} in an hls4ml script."),
        (Override(pe=16, simd=5),
         "layer 'conv': PE=16 does not divide output channels=8 in a way that the streams "
         "support.\n  Choose one of 1, 2, 4, 8: models.<model>.layers.conv.pe in config.yaml, or "
         "layers={'conv': {'pe': ...}} in an hls4ml script."),
    ],
)  # fmt: skip
def test_an_override_that_does_not_divide_lists_the_choices(
    override: Override, message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        fold(conv(), 4, ANY_II, override)
    assert str(caught.value) == message


def test_depthwise_layers_take_one_tap_per_cycle() -> None:
    with pytest.raises(PlanError, match=r"layer 'deep': SIMD=3 .*\n  Choose one of 1: models"):
        fold(node_of("deep"), 1, ANY_II, Override(simd=3))


def test_an_interval_that_no_fold_reaches_names_the_fastest() -> None:
    with pytest.raises(PlanError) as caught:
        fold(node_of("conv"), 1, 40)
    assert str(caught.value) == (
        "layer 'conv' cannot reach an initiation interval of 40 cycles; its fastest fold "
        "(PE=8, SIMD=2) needs 180.\n  Raise the cycles per frame: target_ii_cycles in config.yaml, "
        "--cycles, or ii_cycles in an hls4ml script."
    )


def test_a_pool_is_folded_by_channels() -> None:
    pool = replace(
        node_of("pool"), in_shape=(4, 4, 6), out_shape=(2, 2, 6), window=Window(2, 2, 2, 2, 0, 0)
    )
    assert fold(pool, 6, ANY_II).pe == 1
    assert fold(pool, 6, 40).pe == 3
    assert fold(pool, 6, 40).multipliers == 3


def test_input_streams_are_wider_than_their_average_need() -> None:
    assert stream_elems(6, 600, 750) == 1
    assert stream_elems(6, 600, 749) == 2
    assert stream_elems(6, 600, 300) == 3
    assert stream_elems(6, 600, 1) == 6
