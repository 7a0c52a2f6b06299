"""Channels whose weights cannot change any output become constants, and stay equal to QKeras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.errors import RangeError
from flow.frontend import from_keras
from flow.frontend._constant_channels import constant_channels
from flow.frontend.equality import check_equality
from flow.graph import map_input, run_taps
from flow.graph.arithmetic import fold_requant
from flow.graph.types import MatVec, Rounding
from models import ranges
from tests.frontend.small_models import activation, chain, conv, dense, depthwise, samples

DEAD = [1, 3]
CASES = {
    "conv": (conv(5, 3, padding="same", name="layer"), (6, 6, 3)),
    "depthwise": (depthwise(3, padding="same", name="layer"), (6, 6, 5)),
    "dense": (dense(5, name="layer"), (7,)),
}


def with_dead_channels(name: str):
    """A frozen model, of whose layer two channels have weights of 1e-30."""
    layer, shape = CASES[name]
    model = chain(shape, [activation(8), layer, activation(8)])
    rng = np.random.default_rng(3)
    kernel, bias = layer.get_weights()
    kernel = rng.normal(0, 0.5, kernel.shape)
    kernel[(..., DEAD, 0) if name == "depthwise" else (..., DEAD)] *= 1e-30
    layer.set_weights([kernel, rng.normal(0, 0.5, bias.shape)])
    ranges.calibrate(model, samples(model, 32, 0))
    ranges.freeze(model)
    return model


@pytest.mark.parametrize("name", CASES)
def test_dead_channels_are_constants_equal_to_qkeras(name: str) -> None:
    model = with_dead_channels(name)
    graph = from_keras(model)
    (node,) = (one for one in graph.nodes if isinstance(one, MatVec))
    assert not node.weights[..., DEAD].any()
    assert node.weights[..., [0, 2, 4]].any(axis=tuple(range(node.weights.ndim - 1))).all()
    assert f"layer '{node.name}': 2 of 5 output channels are constant: their weights are too" in (
        " ".join(graph.notes)
    )
    real = samples(model, 8, 1)
    real = real.reshape(len(real), *graph.input_shape)
    taps = run_taps(graph, map_input(graph, real))
    assert all(layer.compared for layer in check_equality(model, graph, taps, real))


def node_of(bias: int, *, rounding: Rounding = Rounding.HALF_UP, exponent: int = -100) -> MatVec:
    """One channel: y on a grid of 1, bias in halves."""
    graph = from_keras(with_dead_channels("dense"))
    (node,) = (one for one in graph.nodes if isinstance(one, MatVec))
    y = replace(node.y, scale_exp=0)
    return replace(
        node, weights=np.ones_like(node.weights), weight_exp=np.full(5, exponent),
        bias=np.full(5, bias), bias_exp=np.full(5, -1), y=y, rounding=rounding,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bias", "constant"),
    [(0, True), (2, True), (1, False), (-3, False)],  # 1 and -3: a sum below 0 rounds down
)
def test_a_channel_at_the_edge_of_a_rounding_is_left_and_refused(bias: int, constant: bool) -> None:
    notes: list[str] = []
    node = constant_channels(node_of(bias), notes)
    assert bool(notes) == constant
    assert node.weights.any() != constant
    if constant:
        assert fold_requant(node).constant.tolist() == [(bias + 1) // 2] * 5
    else:
        with pytest.raises(RangeError, match="lie too far apart"):
            fold_requant(node)


def test_clipping_makes_a_channel_constant_where_rounding_does_not() -> None:
    """A ReLU cuts both codes between which a bias of -3/2 stands."""
    notes: list[str] = []
    node = node_of(-3)
    relu = replace(node, y=replace(node.y, lo=node.y.zero_point))
    assert not constant_channels(relu, notes).weights.any()
    assert notes


def test_near_exponents_are_left_as_they_are() -> None:
    notes: list[str] = []
    node = node_of(0, exponent=-30)
    assert constant_channels(node, notes) is node
    assert not notes


def test_half_to_even_needs_that_no_sum_is_a_tie() -> None:
    """Input codes from 0: the least sum is 0, at which a bias of 1/2 is a tie."""
    notes: list[str] = []
    for rounding, constant in ((Rounding.HALF_UP, True), (Rounding.HALF_EVEN, False)):
        node = node_of(1, rounding=rounding)
        unsigned = replace(node.x, signed=False, lo=0, zero_point=0)
        found = constant_channels(replace(node, x=unsigned), notes)
        assert found.weights.any() != constant
