"""What an analysis is for: the layer that costs most is named, a wrong integer is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from flow.analysis import Analysis, analyse, document, propagation
from flow.errors import DataError
from flow.frontend import from_keras
from flow.graph import IntGraph, MatVec
from tests.analysis.hand_net import some_quick
from tests.frontend.random_models import random_model, random_samples
from tests.frontend.small_models import activation, chain, conv, quick, samples, with_weights

COUNT = 12


@quick
def network(coarse: str = "", input_bits: int = 12) -> tf.keras.Model:
    """Three convolutions of 10-bit weights, but for a coarse one."""
    layers: list[Any] = [activation(input_bits)]
    for name in ("first", "second", "third"):
        layer = conv(3, 2, bits=2 if name == coarse else 10, padding="same", name=name)
        layers += [layer, tf.keras.layers.ReLU(), activation(12, signed=False)]
    return with_weights(chain((4, 4, 2), layers))


def analysed(model: tf.keras.Model, graph: IntGraph | None = None, count: int = COUNT) -> Analysis:
    graph = graph or from_keras(model)
    real = samples(model, count)
    labels = np.zeros(count, np.int64)
    return analyse(model, graph, real, real.reshape(-1, *graph.input_shape), labels)


@pytest.mark.parametrize("coarse", ["first", "second", "third"])
def test_layer_with_coarse_weights_is_the_costliest(coarse: str) -> None:
    found = analysed(network(coarse))
    assert found.costliest is not None
    assert found.costliest.name == coarse
    by_name = {layer.name: layer for layer in found.errors}
    assert by_name[coarse].weights.db < 25 < by_name[coarse].own.db + 20
    assert all(by_name[name].weights.db > 40 for name in {"first", "second", "third"} - {coarse})


def test_coarse_input_is_the_costliest() -> None:
    costliest = analysed(network(input_bits=3)).costliest
    assert costliest is not None
    assert costliest.name == "input"


def test_wrong_integer_differs_from_there_on() -> None:
    model = network()
    graph = from_keras(model)
    assert [layer.differing for layer in analysed(model, graph).errors] == [0, 0, 0, 0]
    node = graph.nodes[1]
    assert isinstance(node, MatVec)
    weights = node.weights.copy()
    weights[0, 0, 0, 1] += 40
    nodes = (graph.nodes[0], replace(node, weights=weights), graph.nodes[2])
    first, before, wrong, after = analysed(model, replace(graph, nodes=nodes)).errors
    assert (first.differing, before.differing) == (0, 0)
    assert 0 < wrong.differing <= wrong.compared / 3  # one channel of three
    assert after.differing > 0
    assert wrong.integer.db < wrong.qkeras.db - 3


def test_batches_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network("second")
    whole = analysed(model)
    monkeypatch.setattr(propagation, "MAX_BATCH", 5)
    parts = analysed(model)
    for one, other in zip(whole.errors, parts.errors, strict=True):
        for key in ("weights", "own", "alone", "qkeras", "integer"):
            a, b = getattr(one, key), getattr(other, key)
            assert (a.signal, a.noise) == pytest.approx((b.signal, b.noise))
        assert (one.differing, one.compared) == (other.differing, other.compared)
        assert one.entropy_bits == other.entropy_bits
    assert whole.agreement == parts.agreement


def test_only_the_first_samples_are_followed_to_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network("second")
    monkeypatch.setattr(propagation, "ALONE_SAMPLES", (4, 7))
    few = analysed(model)
    monkeypatch.setattr(propagation, "MAX_BATCH", 5)  # the second batch counts in part
    for one, other in zip(few.errors, analysed(model).errors, strict=True):
        assert one.alone.noise == pytest.approx(other.alone.noise)
    assert few.alone_samples == 7
    seven = analysed(model, count=7)
    assert few.errors[0].alone.signal == pytest.approx(seven.errors[0].alone.signal)


def test_few_samples_of_a_large_network_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = from_keras(network())
    macs = sum(node.macs for node in graph.nodes)  # three layers: each run is half of it
    for allowed, samples_ in ((1, 4), (macs * 3 // 2 * 9, 9), (macs * 99, 32)):
        monkeypatch.setattr(propagation, "ALONE_MACS", allowed)
        assert propagation.alone_samples(graph) == samples_


@pytest.mark.parametrize("seed", some_quick(range(100, 124)))
def test_any_network_can_be_analysed(seed: int) -> None:
    model = random_model(seed)
    graph = from_keras(model)
    real = random_samples(model.input_shape[1:], 4, seed)
    raw = real.reshape(-1, *graph.input_shape)
    found = analyse(model, graph, real, raw, np.zeros(4, np.int64))
    assert [layer.name for layer in found.errors[1:]] == [node.name for node in graph.nodes]
    last = found.errors[-1]
    assert last.own == last.alone
    assert document(found, graph, {})["layers"][-1]["name"] == graph.output.name


def test_samples_of_another_shape_are_refused() -> None:
    model = network()
    graph = from_keras(model)
    real = np.zeros((2, 4, 4, 3), np.float32)
    with pytest.raises(DataError, match=r"have shape \(2, 4, 4, 3\), not \(n, 4, 4, 2\)"):
        analyse(model, graph, real, real, np.zeros(2, np.int64))
