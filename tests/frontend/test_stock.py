"""Models of QKeras' own quantizers become the same integers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from qkeras import (
    QActivation,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDepthwiseConv2D,
    QDepthwiseConv2DBatchnorm,
    QGlobalAveragePooling2D,
)
from qkeras.quantizers import quantized_bits, quantized_relu

from flow.errors import Mismatch
from flow.frontend import from_keras
from flow.frontend._keras_values import quantized_codes, round_to_odd
from flow.frontend.equality import check_equality
from flow.graph import Kind, MatVec, Rounding, Table, map_input, run_taps
from models.quantizers import CUSTOM_OBJECTS, NotFrozen, freeze_auto
from tests.frontend.small_models import activation, branched, chain, checked, samples, with_weights

L = tf.keras.layers
SHAPE = (5, 4, 3)


def weight(bits: int, alpha: Any = 1, integer: int = 0) -> quantized_bits:
    return quantized_bits(bits, integer, 1, alpha=alpha)


def conv(filters: int, kernel: Any, alpha: Any = 1, bits: int = 4, **more: Any) -> QConv2D:
    return QConv2D(
        filters, kernel, kernel_quantizer=weight(bits, alpha), bias_quantizer=weight(8, 1, 2),
        **more,
    )  # fmt: skip


def dense(units: int, alpha: Any = 1, bits: int = 6, **more: Any) -> QDense:
    return QDense(
        units, kernel_quantizer=weight(bits, alpha), bias_quantizer=weight(8, alpha), **more
    )


def stock_chain(alpha: Any) -> tf.keras.Model:
    layers = [
        QActivation("quantized_bits(8,2,0)"),
        conv(6, 3, alpha, padding="same", activation="quantized_relu(4,2)"),
        QDepthwiseConv2D(3, strides=2, padding="same", depthwise_quantizer=weight(4, alpha),
                         bias_quantizer=weight(8, alpha)),
        QActivation("quantized_bits(6,2,1)"),
        conv(5, 1, alpha, use_bias=False), L.ReLU(3.0), QActivation("quantized_bits(5,2)"),
        L.MaxPooling2D(2, padding="same"), L.Flatten(),
        dense(7, alpha, activation="quantized_relu(6,3)"), L.Dropout(0.1),
        dense(4, alpha), QActivation("quantized_bits(8,3)"), L.Softmax(),
    ]  # fmt: skip
    return with_weights(chain(SHAPE, layers), scale=0.4)


@pytest.mark.parametrize("alpha", [None, 1, "auto_po2"])
def test_a_stock_chain_is_exact(alpha: Any) -> None:
    graph = checked(stock_chain(alpha))
    assert graph.input_map.rounding is Rounding.HALF_EVEN
    for node in graph.nodes:
        if isinstance(node, MatVec):
            assert node.rounding is Rounding.HALF_EVEN
            assert (node.weight_mult == 1).all()
    assert graph.notes == ()


def test_scales_that_are_no_powers_of_two_are_exact_once_frozen() -> None:
    model = stock_chain("auto")
    with pytest.raises(Exception, match=r"freeze_auto\(model\) first") as caught:
        from_keras(model)
    assert str(caught.value).count("has alpha='auto'") == 5
    freeze_auto(model)
    graph = checked(model)
    mults = np.concatenate([n.weight_mult for n in graph.nodes if isinstance(n, MatVec)])
    assert (mults > 1).mean() > 0.5


def test_a_single_unfrozen_layer_is_named() -> None:
    layers = [activation(6), conv(3, 1, "auto", name="one"), activation(6)]
    with pytest.raises(NotFrozen, match="layer 'one': its kernel has alpha='auto'"):
        from_keras(with_weights(chain(SHAPE, layers)))


def test_ties_are_met_and_rounded_to_even() -> None:
    """Weights and inputs on coarse grids put half of all sums on a tie."""
    layers = [
        QActivation("quantized_bits(4,3)"),
        conv(8, 1, bits=2),
        QActivation("quantized_bits(6,4)"),
    ]
    model = with_weights(chain(SHAPE, layers))
    graph = checked(model)
    half_up = replace(graph, nodes=(replace(graph.nodes[0], rounding=Rounding.HALF_UP),))
    real = samples(model, 20)
    taps = run_taps(half_up, map_input(half_up, real))
    with pytest.raises(Mismatch) as caught:
        check_equality(model, half_up, taps)
    assert caught.value.different > caught.value.compared / 20


def test_the_input_is_rounded_to_even_too() -> None:
    model = with_weights(chain(SHAPE, [QActivation("quantized_bits(4,2)"), conv(2, 1)]))
    graph = from_keras(model)
    real = (np.arange(60, dtype=np.float32).reshape(1, *SHAPE) - 30) / 8
    codes = map_input(graph, real)
    np.testing.assert_array_equal(codes, np.clip(np.rint(real * 2), -8, 7))
    check_equality(model, graph, run_taps(graph, codes), real)
    half_up = replace(graph, input_map=replace(graph.input_map, rounding=Rounding.HALF_UP))
    wrong = map_input(half_up, real)
    with pytest.raises(Mismatch, match="layer 'codes'"):
        check_equality(model, graph, run_taps(graph, wrong), real)


@pytest.mark.parametrize("name", ["binary", "ternary"])
@pytest.mark.parametrize("alpha", [None, "1", "'auto_po2'", "'auto'"])
def test_binary_and_ternary_kernels(name: str, alpha: str | None) -> None:
    kernel = f"{name}({'' if alpha is None else f'alpha={alpha}'})"
    layer = QConv2D(4, 3, kernel_quantizer=kernel, bias_quantizer="quantized_bits(8,0)")
    model = with_weights(chain(SHAPE, [QActivation("quantized_relu(4,2)"), layer, activation(6)]))
    assert len(freeze_auto(model)) == (alpha == "'auto'")
    node = checked(model).output
    assert isinstance(node, MatVec)
    assert set(np.unique(node.weights)) == ({-1, 1} if name == "binary" else {-1, 0, 1})
    assert node.weight_bits == 2


def test_a_bias_without_a_quantizer_is_exact() -> None:
    layer = QConv2D(3, 3, kernel_quantizer=weight(4), name="one")
    node = checked(with_weights(chain(SHAPE, [activation(6), layer, activation(7)]))).output
    assert isinstance(node, MatVec)
    bias = layer.bias.numpy().astype(np.float64)
    np.testing.assert_array_equal(np.ldexp(node.bias.astype(float), node.bias_exp), bias)


@pytest.mark.parametrize("alpha", [1, "auto_po2"])
@pytest.mark.parametrize("bias", [weight(16, 1, 3), None])
@pytest.mark.parametrize("mode", ["ema_stats_folding", "batch_stats_folding"])
def test_folded_batch_normalization_is_exact(alpha: Any, bias: Any, mode: str) -> None:
    layers = [
        QActivation("quantized_bits(8,2,0)"),
        QConv2DBatchnorm(6, 3, kernel_quantizer=weight(6, alpha), bias_quantizer=bias,
                         folding_mode=mode, use_bias=bias is None),
        QActivation("quantized_relu(6,3)"),
        QDepthwiseConv2DBatchnorm(2, depthwise_quantizer=weight(6, alpha), bias_quantizer=bias,
                                  folding_mode=mode),
        activation(8),
    ]  # fmt: skip
    model = with_weights(chain(SHAPE, layers))
    graph = checked(model)
    assert [node.kind for node in graph.nodes] == [Kind.CONV, Kind.DEPTHWISE]
    real = samples(model, 200)
    free = model(real, training=False).numpy().astype(np.float64)
    taps = run_taps(graph, map_input(graph, real))
    integers = np.ldexp(taps[graph.output.name] - graph.output.y.zero_point,
                        graph.output.y.scale_exp)  # fmt: skip
    assert (free != integers).mean() < 0.01  # Keras itself, free-running, in float32


def test_a_stock_residual_network() -> None:
    def build(raw: Any) -> Any:
        x = QActivation("quantized_bits(8,2)")(raw)
        x = QActivation("quantized_relu(5,2)")(conv(4, 3, padding="same")(x))
        y = QActivation("quantized_relu(4,1)")(conv(4, 3, "auto_po2", padding="same")(x))
        y = QActivation("quantized_bits(6,2)")(conv(4, 1)(y))
        x = QActivation("quantized_relu(6,3)")(L.Add(name="add")([x, y]))
        gate = QGlobalAveragePooling2D(activation="quantized_bits(8,2)")(x)
        gate = QActivation("quantized_bits(8,2)")(dense(4)(gate))
        gate = L.Reshape((1, 1, 4))(QActivation("quantized_sigmoid(6)")(gate))
        x = QActivation("quantized_relu(6,3)")(L.Multiply()([x, gate]))
        return dense(3)(QActivation("quantized_bits(8,2)")(QGlobalAveragePooling2D()(x)))

    graph = checked(with_weights(branched(SHAPE, build), scale=0.5))
    assert all(len(np.unique(tap)) > 3 for tap in run_taps(
        graph, map_input(graph, samples_of(graph)))  .values())  # fmt: skip


def samples_of(graph: Any) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 3, (30, *graph.input_shape)).astype(np.float32)


@pytest.mark.parametrize(
    "quantizer",
    ["quantized_tanh(6)", "quantized_tanh(4,symmetric=True,use_real_tanh=True)",
     "quantized_sigmoid(6)", "quantized_sigmoid(5,True,use_real_sigmoid=True)",
     "quantized_hswish(6,2)"],
)  # fmt: skip
def test_functions_that_quantize_are_tables(quantizer: str) -> None:
    layers = [QActivation("quantized_bits(6,2)"), QActivation(quantizer, name="f"), conv(2, 1)]
    node = checked(with_weights(chain(SHAPE, layers))).nodes[0]
    assert isinstance(node, Table)
    assert len(node.table) == 64
    assert len(set(node.table)) > 8


def test_bits_that_stock_auto_po2_loses_are_noted() -> None:
    lossy = QConv2D(2, 1, kernel_quantizer=weight(16, "auto_po2", 16), name="one",
                    bias_quantizer=weight(31, "auto_po2", 31))  # fmt: skip
    graph = checked(with_weights(chain(SHAPE, [activation(6), lossy, activation(7)])))
    kernel, bias = graph.notes
    assert kernel.startswith("layer 'one': its kernel, quantized_bits(16,16,alpha='auto_po2'): ")
    assert bias == (
        "layer 'one': its bias, quantized_bits(31,31,alpha='auto_po2'): every code is 0, because "
        "its step cannot be below 2**8; integer=0 keeps more."
    )


def test_a_stock_model_loaded_from_h5_gives_the_same_integers(tmp_path: Path) -> None:
    model = stock_chain("auto")
    freeze_auto(model)
    model.save(tmp_path / "stock.h5", save_format="h5")
    loaded = tf.keras.models.load_model(tmp_path / "stock.h5", CUSTOM_OBJECTS, compile=False)
    before, after = from_keras(model), checked(loaded)
    for one, other in zip(before.nodes, after.nodes, strict=True):
        assert one.y == other.y
        if isinstance(one, MatVec) and isinstance(other, MatVec):
            np.testing.assert_array_equal(one.weights, other.weights)
            np.testing.assert_array_equal(one.weight_mult, other.weight_mult)


def test_exact_values_are_not_rounded_twice() -> None:
    """2.5 is the nearest float32 of both, and a tie."""
    above, below = 2.5 + 2.0**-40, 2.5 - 2.0**-40
    for quantizer in (quantized_bits(8, 7, alpha=1), quantized_relu(8, 8)):
        assert quantized_codes(quantizer, np.array([above, 2.5, below])).tolist() == [3, 2, 2]
        assert quantized_codes(quantizer, np.array([above + 1, 3.5, below + 1])).tolist() == [
            4,
            4,
            3,
        ]


def test_rounding_to_odd_never_crosses_a_threshold() -> None:
    value = np.array([1 + 2.0**-30, 1 + 2.0**-24, 1 - 2.0**-30, -1 - 2.0**-40, 3.0, 0.0])
    got = round_to_odd(value)
    np.testing.assert_array_equal(np.sign(got - 1), np.sign(value - 1))
    np.testing.assert_array_equal(np.sign(got + 1), np.sign(value + 1))
    assert got[4:].tolist() == [3.0, 0.0]


@settings(max_examples=16, deadline=None, derandomize=True)
@given(
    x_bits=st.integers(2, 16),
    w_bits=st.integers(2, 16),
    y_bits=st.integers(2, 16),
    integers=st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 6)),
    alpha=st.sampled_from([1, "auto_po2", "auto"]),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    is_depthwise=st.booleans(),
    relu=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_stock_widths_and_scales_are_exact(
    x_bits: int, w_bits: int, y_bits: int, integers: tuple[int, int, int], alpha: Any,
    kernel: tuple[int, int], stride: int, is_depthwise: bool, relu: bool, seed: int,
) -> None:  # fmt: skip
    i, j, k = integers
    quantizer = weight(w_bits, alpha, j)
    more = {"strides": stride, "padding": "same", "bias_quantizer": weight(w_bits, alpha, j)}
    layer = (
        QDepthwiseConv2D(kernel, depthwise_quantizer=quantizer, **more) if is_depthwise
        else QConv2D(3, kernel, kernel_quantizer=quantizer, **more)
    )  # fmt: skip
    last = f"quantized_relu({y_bits},{k})" if relu else f"quantized_bits({y_bits},{k},{seed % 2})"
    layers = [QActivation(f"quantized_bits({x_bits},{i})"), layer, QActivation(last)]
    model = with_weights(chain(SHAPE, layers), seed)
    freeze_auto(model)
    checked(model, frames=10)
