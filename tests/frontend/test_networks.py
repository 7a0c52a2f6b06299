"""All six networks with random weights: their integers equal QKeras, their bits the thesis'."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from flow.errors import Mismatch
from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.graph import IntGraph, graph_hash, map_input, run_taps
from flow.graph.types import Table
from models import weights
from models.bits import FLAT_WIDTHS, graph_bits, network_bits
from models.networks import NETWORKS, random_inputs
from models.ranges import activation_layers
from models.raw import RAW_INPUTS

FRAMES = 2
SEED = 11
QUICK = ("ad", "ic", "vww")  # of kws the trained weights are compared elsewhere
QUICK_FLAT = (("ad", "flat16"), ("ic", "flat4"))
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("kws", "vww_effnet", "vww_mbv2")]


@cache
def network(name: str, quant: str) -> tuple[Any, IntGraph]:
    """Model and graph, made once."""
    model = models.untrained(name, quant, SEED)
    return model, from_keras(model, RAW_INPUTS.get(name))


def raw_samples(name: str, graph: IntGraph, count: int = FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Raw samples and the float input that they stand for, both [n, h, w, c]."""
    raw, shape = RAW_INPUTS.get(name), (count, *graph.input_shape)
    if raw is None:
        real = random_inputs(name, count, seed=12).reshape(shape)
        return real, real
    rng = np.random.default_rng(12)
    samples = rng.integers(raw.lo, raw.hi + 1, shape).astype(raw.dtype)
    return samples, raw.to_real(samples)


def compared(name: str, quant: str) -> None:
    model, graph = network(name, quant)
    raw, real = raw_samples(name, graph)
    taps = run_taps(graph, map_input(graph, raw))
    layers = check_equality(model, graph, taps, real)
    assert [(layer.name, layer.compared) for layer in layers] == [
        (tensor, codes.size) for tensor, codes in taps.items()
    ]
    assert len(layers) == len(list(activation_layers(model)))  # one tensor for each quantizer
    varied = [len(np.unique(codes)) > 1 for codes in taps.values()]
    assert all(varied), [tensor for tensor, one in zip(taps, varied, strict=True) if not one]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_integers_equal_qkeras_at_every_layer(name: str) -> None:
    compared(name, "mpq")


@pytest.mark.parametrize(
    ("name", "quant"),
    [
        pytest.param(name, quant, marks=[] if (name, quant) in QUICK_FLAT else pytest.mark.slow)
        for name in NETWORKS
        for quant in FLAT_WIDTHS
    ],
)
def test_flat_networks_are_exact_too(name: str, quant: str) -> None:
    compared(name, quant)
    _, graph = network(name, quant)
    assert {node.y.bits for node in graph.nodes} == {FLAT_WIDTHS[quant]}


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_bits_of_the_graph_are_those_of_the_thesis(name: str) -> None:
    bits = network_bits(name)
    p_bits, a_bits = graph_bits(network(name, "mpq")[1])
    assert p_bits == bits.verification["p_bits"]
    assert a_bits + bits.host_bits == bits.verification["a_bits"]


@pytest.mark.parametrize(
    "name", ["ic", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ad", "vww_effnet"))]
)
def test_a_saved_network_gives_the_same_integers(name: str, tmp_path: Path) -> None:
    model, graph = network(name, "mpq")
    weights.save(model, {"model": name, "quant": "mpq"}, tmp_path)
    loaded = from_keras(weights.load(name, "mpq", tmp_path), RAW_INPUTS.get(name))
    assert graph_hash(loaded) == graph_hash(graph)


def test_one_wrong_weight_of_a_network_is_found() -> None:
    model, graph = network("ic", "mpq")
    raw, real = raw_samples("ic", graph)
    node = next(node for node in graph.nodes if node.name == "conv2d_5")  # a shortcut's
    weights = node.weights.copy()
    weights[0, 0, 3, 7] ^= 64
    wrong = replace(graph, nodes=tuple(
        replace(node, weights=weights) if one is node else one for one in graph.nodes
    ))  # fmt: skip
    with pytest.raises(Mismatch, match="layer 'conv2d_5'"):
        check_equality(model, graph, run_taps(wrong, map_input(wrong, raw)), real)


def test_a_seed_decides_all_integers() -> None:
    _, first = network("ad", "mpq")
    again, other = (from_keras(models.untrained("ad", "mpq", seed)) for seed in (SEED, SEED + 1))
    for one, two, three in zip(first.nodes, again.nodes, other.nodes, strict=True):
        assert (one.x, one.y) == (two.x, two.y)
        for field in ("weights", "weight_exp", "bias", "bias_exp"):
            np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
        assert (one.weights != three.weights).any()


@pytest.mark.slow
def test_swish_and_sigmoid_of_vww_effnet_are_tables() -> None:
    _, graph = network("vww_effnet", "mpq")
    functions = [node.function for node in graph.nodes if isinstance(node, Table)]
    assert (functions.count("swish"), functions.count("sigmoid")) == (49, 16)


def test_every_network_is_covered() -> None:
    assert {*QUICK, *(one.values[0] for one in SLOW)} == set(NETWORKS)
