"""The float twin is the network of plain Keras layers; the tapped QKeras is the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QDense
from qkeras.quantizers import (
    quantized_bits,
    quantized_hswish,
    quantized_relu,
    quantized_sigmoid,
    quantized_tanh,
)

from flow.analysis.fake_quantized import fake_quantized
from flow.analysis.twin import float_step, twin_values, weighed_and_quantized
from flow.frontend import from_keras
from flow.frontend.keras_reader import read_steps
from flow.graph import map_input, run_taps
from tests.analysis.hand_net import some_quick
from tests.frontend.random_models import random_model, random_samples
from tests.frontend.small_models import (
    activation,
    branched,
    chain,
    conv,
    dense,
    depthwise,
    quick,
    samples,
    with_weights,
)

L = tf.keras.layers


class Quantized:
    """The layers of `network` with quantizers."""

    conv = staticmethod(conv)
    depthwise = staticmethod(depthwise)
    dense = staticmethod(dense)

    @staticmethod
    def codes(x: Any, signed: bool = True) -> Any:
        return activation(8, signed=signed)(x)


class Plain:
    """The same in float."""

    conv = L.Conv2D
    depthwise = L.DepthwiseConv2D
    dense = L.Dense

    @staticmethod
    def codes(x: Any, signed: bool = True) -> Any:
        return x


def network(make: Any, x: Any) -> Any:
    """Padding, a residual addition, a concatenation, a squeeze and a product, pools."""
    x = make.codes(x)
    x = L.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = make.codes(L.ReLU()(make.conv(4, (3, 2), strides=2, name="a")(x)), signed=False)
    y = make.codes(L.ReLU(2.0)(make.depthwise(3, padding="same", name="b")(x)), signed=False)
    y = make.codes(make.conv(4, 1, name="c")(y))
    x = make.codes(L.Add()([x, y]))
    x = make.codes(L.Concatenate()([x, y]))
    squeezed = make.codes(L.GlobalAveragePooling2D()(x))
    gate = make.codes(make.dense(8, name="d")(squeezed))
    gate = make.codes(L.Activation("sigmoid")(gate), signed=False)
    x = make.codes(L.Multiply()([x, L.Reshape((1, 1, 8))(gate)]))
    x = L.MaxPooling2D(2)(x)
    return make.codes(make.dense(3, name="e")(L.Flatten()(x)))


@quick
def test_twin_is_the_plain_network_with_the_same_weights() -> None:
    shape = (7, 6, 2)
    model = with_weights(branched(shape, lambda x: network(Quantized, x)), seed=1)
    plain = branched(shape, lambda x: network(Plain, x))
    for name in "abcde":
        plain.get_layer(name).set_weights(model.get_layer(name).get_weights())
    real = samples(model, 5)
    twin = twin_values(read_steps(model), real)[-1].reshape(5, 3)
    np.testing.assert_allclose(twin, plain.predict(real, verbose=0), rtol=1e-5, atol=1e-5)
    assert np.abs(twin - model.predict(real, verbose=0)).max() > 0.01  # which has quantizers


@pytest.mark.parametrize(
    ("quantizer", "function"),
    [
        (quantized_sigmoid(12), lambda x: np.clip(0.5 * x + 0.5, 0, 1)),
        (quantized_sigmoid(12, use_real_sigmoid=True), lambda x: 1 / (1 + np.exp(-x))),
        (quantized_tanh(12), lambda x: np.clip(x, -1, 1)),
        (quantized_tanh(12, use_real_tanh=True), np.tanh),
        (quantized_hswish(12, 3, alpha=1), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ],
)
def test_table_is_its_function_in_the_twin(quantizer: Any, function: Any) -> None:
    first = QActivation(quantized_bits(8, 2, 1, alpha=1), name="first")
    last = QActivation(quantized_bits(12, 3, 1, alpha=1), name="last")
    model = chain((4,), [first, QActivation(quantizer, name="table"), last])
    step = read_steps(model)[1]
    x = np.linspace(-3.9, 3.9, 40).reshape(10, 1, 1, 4)
    np.testing.assert_allclose(float_step(step, [x]), function(x), atol=1e-6)
    _, own = weighed_and_quantized(step, [x])
    assert 0 < np.abs(own - float_step(step, [x])).max() <= 2.0**-8


@pytest.mark.parametrize(
    ("quantizer", "low", "high"),
    [
        (quantized_relu(6, 2), 0, np.inf),
        (quantized_relu(6, 2, relu_upper_bound=1.5, is_quantized_clip=False), 0, 1.5),
        (quantized_bits(6, 2, 1, alpha=1), -np.inf, np.inf),
        (quantized_bits(6, 2, 1, keep_negative=False, alpha=1), 0, np.inf),
    ],
)
def test_quantizer_without_negative_codes_is_a_relu(
    quantizer: Any, low: float, high: float
) -> None:
    layers = [
        QActivation(quantized_bits(8, 2, 1, alpha=1), name="first"),
        QDense(2, kernel_quantizer=quantized_bits(8, 2, 1, alpha=1), use_bias=False, name="dense"),
        QActivation(quantizer, name="last"),
    ]
    model = chain((2,), layers)
    model.get_layer("dense").set_weights([np.array([[1, -1], [2, 3]], np.float32)])
    x = np.array([[1.0, 0.25], [-2.0, 0.5], [3.0, 3.0]])
    twin = float_step(read_steps(model)[1], [x.reshape(3, 1, 1, 2)]).reshape(3, 2)
    np.testing.assert_array_equal(twin, np.clip(x @ [[1, -1], [2, 3]], low, high))


@pytest.mark.parametrize("seed", some_quick(range(24)))
def test_taps_of_qkeras_are_the_tensors_of_the_graph(seed: int) -> None:
    """Every tap of a random model, branches and all, holds the codes of its node."""
    model = random_model(seed)
    graph, steps = from_keras(model), read_steps(model)
    real = random_samples(model.input_shape[1:], 3, seed)
    taps = run_taps(graph, map_input(graph, real.reshape(-1, *graph.input_shape)))
    with fake_quantized(model, steps) as run:
        values = run(real)
    types = [graph.input_type, *(node.y for node in graph.nodes)]
    for name, tensor, value in zip(
        [graph.input_name, *(node.name for node in graph.nodes)], types, values, strict=True
    ):
        codes = value.astype(float).reshape(taps[name].shape) / 2.0**tensor.scale_exp
        # float32 sums may round to the neighbour, and pass that on; a wrong tensor is far away
        assert np.median(np.abs(codes + tensor.zero_point - taps[name])) < 1


@quick
def test_one_quantizer_behind_two_layers_is_tapped_twice() -> None:
    shared = QActivation(quantized_bits(8, 2, 1, alpha=1), name="shared")

    def build(x: Any) -> Any:
        x = QActivation(quantized_bits(8, 1, 1, alpha=1), name="first")(x)
        left, right = (shared(conv(2, 1, name=name)(x)) for name in ("left", "right"))
        return QActivation(quantized_bits(8, 3, 1, alpha=1))(L.Add(name="add")([right, left]))

    model = branched((2, 2, 1), build)
    for name, weight in (("left", 1.0), ("right", -1.0)):
        kernel = np.full((1, 1, 1, 2), weight, np.float32)
        model.get_layer(name).set_weights([kernel, np.zeros(2, np.float32)])
    steps = read_steps(model)
    with fake_quantized(model, steps) as run:
        values = dict(zip((step.name for step in steps), run(samples(model, 4)), strict=True))
    assert (values["left"] == -values["right"]).all()
    assert values["left"].sum() > 0 > values["right"].sum()


@quick
def test_softmax_inside_the_last_layer_is_left_to_the_host() -> None:
    layers = [activation(8), dense(3, activation="softmax", name="scores")]
    model = with_weights(chain((4,), layers))
    real = samples(model, 6)
    before = model(real).numpy()
    steps = read_steps(model)
    with fake_quantized(model, steps) as run:
        logits = run(real)[-1]
    np.testing.assert_allclose(tf.nn.softmax(logits), before, rtol=1e-5)
    assert np.abs(logits - before).max() > 0.1
    np.testing.assert_array_equal(model(real), before)
