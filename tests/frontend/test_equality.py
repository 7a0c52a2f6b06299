"""The comparison of QKeras with integers must turn red for every kind of wrong graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from flow.errors import Mismatch
from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.graph import IntGraph, MatVec, Window, map_input, run_taps
from flow.graph.types import IntArray
from tests.frontend.small_models import activation, conv, dense, frozen, samples

LAYERS = ("q_first", "pool", "q_last")


@pytest.fixture(scope="module")
def model() -> tf.keras.Model:
    layers = [
        activation(8, symmetric=0), conv(4, 3, padding="same", name="q_first"),
        tf.keras.layers.ReLU(), activation(7, signed=False),
        tf.keras.layers.AveragePooling2D(2, name="pool"), activation(9),
        tf.keras.layers.Flatten(), dense(3, bits=8, name="q_last"), activation(10, symmetric=0),
    ]  # fmt: skip
    return frozen((6, 5, 2), layers)


@pytest.fixture(scope="module")
def graph(model: tf.keras.Model) -> IntGraph:
    return from_keras(model)


def compare(model: tf.keras.Model, graph: IntGraph) -> None:
    check_equality(model, graph, run_taps(graph, map_input(graph, samples(model, 30))))


def with_node(graph: IntGraph, name: str, change: Callable[[MatVec], MatVec]) -> IntGraph:
    """The graph with one changed node; the node behind it reads the changed type."""
    nodes = []
    for node in graph.nodes:
        new = change(node) if node.name == name else node
        nodes.append(new if not nodes else replace(new, x=nodes[-1].y))
    return replace(graph, nodes=tuple(nodes))


def changed(array: IntArray, index: int, value: int) -> IntArray:
    result = array.copy()
    result.flat[index] = value
    return result


def one_weight(node: MatVec) -> MatVec:
    return replace(node, weights=changed(node.weights, 0, node.weights.flat[0] + 1))


def one_bias(node: MatVec) -> MatVec:
    one_output_step = 1 << max(node.y.scale_exp - int(node.bias_exp[0]), 0)
    return replace(node, bias=changed(node.bias, 0, int(node.bias[0]) + one_output_step))


def one_weight_exponent(node: MatVec) -> MatVec:
    return replace(node, weight_exp=changed(node.weight_exp, 0, int(node.weight_exp[0]) + 1))


def one_bias_exponent(node: MatVec) -> MatVec:
    return replace(node, bias_exp=changed(node.bias_exp, 0, int(node.bias_exp[0]) - 1))


def output_exponent(node: MatVec) -> MatVec:
    return replace(node, y=replace(node.y, scale_exp=node.y.scale_exp + 1))


def output_zero_point(node: MatVec) -> MatVec:
    return replace(node, y=replace(node.y, zero_point=node.y.zero_point + 1))


def output_ceiling(node: MatVec) -> MatVec:
    return replace(node, y=replace(node.y, hi=node.y.zero_point + 1))


def test_the_unchanged_graph_is_equal(model: tf.keras.Model, graph: IntGraph) -> None:
    compare(model, graph)


@pytest.mark.parametrize("layer", ["q_first", "q_last"])
@pytest.mark.parametrize(
    "change",
    [one_weight, one_bias, one_weight_exponent, one_bias_exponent, output_exponent,
     output_zero_point, output_ceiling],
)  # fmt: skip
def test_one_wrong_integer_is_found_in_its_layer(
    model: tf.keras.Model, graph: IntGraph, layer: str, change: Callable[[MatVec], MatVec]
) -> None:
    with pytest.raises(Mismatch) as caught:
        compare(model, with_node(graph, layer, change))
    assert caught.value.layer == layer
    assert caught.value.different > 0
    assert "QKeras against the integer reference." in str(caught.value)


def test_a_wrong_pool_is_found(model: tf.keras.Model, graph: IntGraph) -> None:
    with pytest.raises(Mismatch, match="layer 'pool'"):
        compare(model, with_node(graph, "pool", output_exponent))


def test_a_wrong_padding_is_found(model: tf.keras.Model, graph: IntGraph) -> None:
    shifted = with_node(
        graph, "q_first", lambda node: replace(node, window=Window(3, 3, 1, 1, 0, 1))
    )
    with pytest.raises(Mismatch, match="layer 'q_first'"):
        compare(model, shifted)


def test_a_wrong_input_exponent_is_found(model: tf.keras.Model, graph: IntGraph) -> None:
    wrong = replace(graph.input_type, scale_exp=graph.input_type.scale_exp + 1)
    first, *rest = graph.nodes
    with pytest.raises(Mismatch, match="layer 'q_first'"):
        compare(model, replace(graph, input_type=wrong, nodes=(replace(first, x=wrong), *rest)))


@pytest.mark.parametrize("layer", LAYERS)
def test_one_wrong_tap_value_is_named_with_its_place_and_values(
    model: tf.keras.Model, graph: IntGraph, layer: str
) -> None:
    taps = run_taps(graph, map_input(graph, samples(model, 30)))
    right = int(taps[layer][-1].flat[-1])
    taps[layer][-1].flat[-1] = right + 1
    with pytest.raises(Mismatch) as caught:
        check_equality(model, graph, taps)
    size = taps[layer].size
    place = tuple(int(i) for i in np.subtract(taps[layer].shape, 1))
    assert str(caught.value).startswith(
        f"layer {layer!r}: 1 of {size} values differ; "
        f"first at {place}: expected {right}, got {right + 1}."
    )


def test_a_graph_with_a_layer_less_is_no_equality(model: tf.keras.Model, graph: IntGraph) -> None:
    taps = run_taps(graph, map_input(graph, samples(model, 2)))
    with pytest.raises(ValueError, match="shorter"):
        check_equality(model, replace(graph, nodes=graph.nodes[:-1]), taps)
