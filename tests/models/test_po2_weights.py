"""The weight quantizer: exact export, no epsilon, any width to 31 bits."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from qkeras import QConv2D, QDense, QDepthwiseConv2D

from models.quantizers import CUSTOM_OBJECTS, QuantizerError, quantized_bits_po2


def real(codes: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    return np.ldexp(codes.astype(np.float64), exponents)


@settings(max_examples=80, deadline=None)
@given(
    bits=st.integers(2, 31),
    scale_axis=st.sampled_from([-1, 2, None, "element"]),
    rule=st.sampled_from(["least_squares", "ceil"]),
    spread=st.sampled_from([1e-12, 1e-6, 0.05, 1.0, 1e6]),
    seed=st.integers(0, 2**32 - 1),
)
def test_export_equals_forward_and_is_exact_in_float32(
    bits: int, scale_axis: int | str | None, rule: str, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    w = (rng.normal(size=(3, 2, 4, 5)) * spread).astype(np.float32)
    w[..., 0] = 0.0
    quantizer = quantized_bits_po2(bits, scale_axis, rule)
    codes, exponents = quantizer.export(w)
    assert codes.shape == w.shape and codes.dtype == np.int64
    assert np.broadcast_shapes(exponents.shape, w.shape) == w.shape
    assert np.abs(codes).max() <= 2 ** (bits - 1) - 1
    values = real(codes, exponents)
    np.testing.assert_array_equal(values.astype(np.float32).astype(np.float64), values)
    np.testing.assert_array_equal(quantizer(w).numpy().astype(np.float64), values)
    np.testing.assert_array_equal(quantizer(w.astype(np.float64)).numpy(), values)


@settings(max_examples=40, deadline=None)
@given(bits=st.integers(2, 24), seed=st.integers(0, 2**32 - 1))
def test_quantising_twice_changes_nothing(bits: int, seed: int) -> None:
    w = np.random.default_rng(seed).normal(size=(6, 5)).astype(np.float32)
    once = real(*quantized_bits_po2(bits).export(w))
    np.testing.assert_array_equal(real(*quantized_bits_po2(bits).export(once)), once)


@pytest.mark.parametrize("bits", [16, 31])
@pytest.mark.parametrize("scale_axis", ["element", None])
def test_wide_bias_survives(bits: int, scale_axis: str | None) -> None:
    bias = (np.random.default_rng(3).normal(size=64) * 0.1).astype(np.float32)
    codes, exponents = quantized_bits_po2(bits, scale_axis).export(bias)
    assert (codes != 0).all()
    np.testing.assert_allclose(real(codes, exponents), bias, atol=2.0 ** (2 - bits) * 0.5)
    if bits == 31 and scale_axis == "element":
        np.testing.assert_array_equal(real(codes, exponents), bias)


def test_saturated_wide_bias_is_exact_in_float32() -> None:
    quantizer = quantized_bits_po2(31, "element")
    quantizer.freeze(np.array([0.1, 0.2, -0.3]))
    bias = np.array([5.0, 0.2, -7.0], np.float32)
    codes, exponents = quantizer.export(bias)
    assert codes[0] == -codes[2] == (2**24 - 1) * 2**6
    np.testing.assert_array_equal(quantizer(bias).numpy().astype(float), real(codes, exponents))


def test_codes_round_half_away_from_zero() -> None:
    codes, exponents = quantized_bits_po2(8, None, "ceil").export(
        np.array([127.0, 0.5, 1.5, -0.5, -1.5, 0.49])
    )
    assert exponents.ravel() == [0]
    assert codes.tolist() == [127, 1, 2, -1, -2, 0]


def test_ceil_covers_the_largest_weight_exactly_at_the_edge() -> None:
    quantizer = quantized_bits_po2(4, None, "ceil")
    edge = np.float64(7.0)
    assert quantizer.export(np.array([edge]))[1] == 0
    assert quantizer.export(np.array([np.nextafter(edge, 8.0)]))[1] == 1


def test_least_squares_never_loses_to_ceil() -> None:
    rng = np.random.default_rng(5)
    w = rng.standard_t(3, size=(500, 20))
    squares = {
        rule: np.square(real(*quantized_bits_po2(3, -1, rule).export(w)) - w).sum(0)
        for rule in ("least_squares", "ceil")
    }
    assert (squares["least_squares"] <= squares["ceil"]).all()
    assert (squares["least_squares"] < squares["ceil"]).any()


def test_depthwise_axis_gives_one_exponent_per_channel() -> None:
    w = np.ones((3, 3, 4, 1)) * np.array([1.0, 2.0, 4.0, 8.0])[None, None, :, None]
    _, exponents = quantized_bits_po2(8, 2).export(w)
    assert exponents.shape == (1, 1, 4, 1)
    assert np.diff(exponents.ravel()).tolist() == [1, 1, 1]


def test_gradient_is_straight_through() -> None:
    w = tf.constant([0.1, -3.0, 0.77])
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = tf.reduce_sum(quantized_bits_po2(3, None)(w) * [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(tape.gradient(y, w).numpy(), [1.0, 2.0, 3.0])


def test_frozen_exponents_stay_when_weights_change() -> None:
    quantizer = quantized_bits_po2(4)
    w = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    quantizer.freeze(w)
    before = quantizer.export(w)[1]
    codes, exponents = quantizer.export(w * 100)
    np.testing.assert_array_equal(exponents, before)
    np.testing.assert_array_equal(real(codes, exponents), quantizer(w * 100).numpy())
    with pytest.raises(QuantizerError, match=r"3 frozen exponents do not fit .*\(8, 5\)"):
        quantizer.export(np.ones((8, 5)))


@pytest.mark.parametrize("options", [{"bits": 1}, {"bits": 32}, {"rule": "x"}, {"scale_axis": "y"}])
def test_arguments_outside_their_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(QuantizerError, match="quantized_bits_po2"):
        quantized_bits_po2(**options)


@pytest.mark.parametrize("frozen", [True, False])
def test_saving_keeps_axes_exponents_and_outputs(tmp_path, frozen: bool) -> None:
    inputs = tf.keras.Input((6, 6, 2))
    bias = {"bias_quantizer": quantized_bits_po2(31, "element")}
    x = QConv2D(3, 3, kernel_quantizer=quantized_bits_po2(4), name="conv", **bias)(inputs)
    depthwise = quantized_bits_po2(8, 2)
    x = QDepthwiseConv2D(3, depthwise_quantizer=depthwise, name="depthwise", **bias)(x)
    x = tf.keras.layers.Flatten()(x)
    model = tf.keras.Model(inputs, QDense(2, kernel_quantizer=quantized_bits_po2(16), **bias)(x))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) * 3 for w in model.get_weights()])
    layer = model.get_layer("depthwise")
    if frozen:
        depthwise.freeze(layer.depthwise_kernel.numpy())
    model.save(tmp_path / "model.h5")
    loaded = tf.keras.models.load_model(
        tmp_path / "model.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    x = rng.normal(size=(4, 6, 6, 2)).astype(np.float32)
    np.testing.assert_array_equal(model(x).numpy(), loaded(x).numpy())
    again = loaded.get_layer("depthwise").depthwise_quantizer_internal
    assert again.get_config() == depthwise.get_config()
    assert again.export(layer.depthwise_kernel.numpy())[1].shape == (1, 1, 3, 1)


def test_training_does_not_clip_large_weights() -> None:
    layer = QDense(1, kernel_quantizer=quantized_bits_po2(16), name="dense")
    model = tf.keras.Sequential([tf.keras.Input((1,)), layer])
    layer.set_weights([np.array([[5.0]]), np.array([7.0])])
    model.compile("sgd", "mse")
    model.fit(np.array([[1.0]]), np.array([[12.0]]), verbose=0)
    assert layer.get_weights()[0] == 5.0
