"""QKeras' own quantizers as integers: exactly what their forward pass gives."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from qkeras import QConv2D, QConv2DBatchnorm, QDense, QDepthwiseConv2D
from qkeras.quantizers import binary, quantized_bits, quantized_relu, ternary

from models.quantizers import (
    CUSTOM_OBJECTS,
    NotFrozen,
    QuantizerError,
    freeze_auto,
    quantized_bits_scaled,
    stock,
)
from models.quantizers.scaled import rounded_scale

RNG = np.random.default_rng


def weights(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return RNG(seed).normal(size=shape).astype(np.float32) * 0.3


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    bits=st.integers(1, 12),
    integer=st.integers(0, 6),
    signed=st.booleans(),
    symmetric=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_activation_codes_are_the_forward_pass(
    bits: int, integer: int, signed: bool, symmetric: bool, seed: int
) -> None:
    bits += signed
    quantizer = quantized_bits(bits, integer, int(symmetric), keep_negative=signed, alpha=1)
    codes = stock.activation_codes(quantizer)
    step = 2.0**codes.scale_exp
    rng = RNG(seed)
    ties = (rng.integers(2 * codes.lo - 3, 2 * codes.hi + 4, 50) + 0.5 * (seed % 2)) * step / 2
    x = np.concatenate([ties, rng.normal(size=50) * codes.hi * step]).astype(np.float32)
    forward = stock.without_ste(quantizer)(tf.constant(x)).numpy().astype(np.float64)
    np.testing.assert_array_equal(codes.dequantize(codes.quantize(x)), forward)
    top = 2 ** (bits - signed)
    assert (codes.lo, codes.hi) == ((symmetric - top) if signed else 0, top - 1)


@pytest.mark.parametrize(("bits", "integer"), [(1, 0), (4, 2), (8, 8), (22, 3)])
def test_relu_codes_are_the_forward_pass(bits: int, integer: int) -> None:
    quantizer = quantized_relu(bits, integer)
    codes = stock.activation_codes(quantizer)
    x = np.arange(-5, 400, dtype=np.float32) * np.float32(2.0 ** (codes.scale_exp - 2))
    forward = stock.without_ste(quantizer)(tf.constant(x)).numpy().astype(np.float64)
    np.testing.assert_array_equal(codes.dequantize(codes.quantize(x)), forward)
    assert not codes.signed


def test_an_upper_bound_counts_only_where_qkeras_counts_it() -> None:
    ignored = quantized_relu(4, 2, relu_upper_bound=1.5)
    counted = quantized_relu(4, 2, relu_upper_bound=1.5, is_quantized_clip=False)
    x = tf.constant([0.0, 1.4, 1.7, 9.0])
    for quantizer, hi in ((ignored, 15), (counted, 6)):
        assert stock.activation_codes(quantizer).hi == hi
        assert stock.without_ste(quantizer)(x).numpy().max() == hi / 4


def test_the_straight_through_form_of_qkeras_misses_its_own_grid() -> None:
    """Why `use_ste` is switched off to read a quantizer."""
    quantizer = quantized_bits(8, 0, 1, alpha=1)
    x = tf.constant([2.0**24 + 2])
    assert quantizer(x).numpy() != 127 / 128
    assert stock.without_ste(quantizer)(x).numpy() == 127 / 128
    assert quantizer.use_ste


@pytest.mark.parametrize("alpha", [None, 1, 0.25, "auto_po2"])
@pytest.mark.parametrize(("bits", "integer"), [(2, 0), (4, 0), (4, 4), (8, 2), (16, 0)])
@pytest.mark.parametrize("shape", [(3, 3, 2, 4), (6, 5), (7,)])
def test_codes_times_steps_are_the_effective_weights(
    alpha: Any, bits: int, integer: int, shape: tuple[int, ...]
) -> None:
    quantizer = quantized_bits(bits, integer, 1, alpha=alpha)
    w = weights(shape)
    read = stock.weight_codes(quantizer, w, "w")
    effective = stock.without_ste(quantizer)(tf.constant(w)).numpy().astype(np.float64)
    np.testing.assert_array_equal(np.ldexp(read.codes.astype(float), read.exponents), effective)
    assert (read.mults == 1).all()
    assert np.abs(read.codes).max() < 2 ** (bits - 1)


def test_the_effective_step_is_the_scale_times_what_the_nominal_format_says() -> None:
    quantizer = quantized_bits(8, 3, 1, alpha="auto_po2")
    w = weights((5, 4))
    quantizer(tf.constant(w))
    expected = quantizer.scale.numpy() * 2.0 ** (3 - 8 + 1)
    np.testing.assert_array_equal(stock.weight_steps(quantizer, w), expected)


@pytest.mark.parametrize(
    "quantizer",
    [binary(), binary(alpha=1), binary(alpha=0.5), binary(alpha="auto_po2"), binary(use_01=True),
     ternary(), ternary(alpha=1), ternary(alpha="auto_po2"), ternary(alpha=2.0, threshold=0.1),
     quantized_bits(1, 0, 1, alpha=1)],
    ids=str,
)  # fmt: skip
def test_binary_and_ternary_weights(quantizer: Any) -> None:
    w = weights((3, 3, 2, 4))
    w.flat[0] = 0.0
    read = stock.weight_codes(quantizer, w, "w")
    forward = quantizer(tf.constant(w)).numpy()
    np.testing.assert_allclose(np.ldexp(read.codes.astype(float), read.exponents), forward, 1e-6)
    assert set(np.unique(read.codes)) <= {-1, 0, 1}
    assert read.bits == 2
    if isinstance(quantizer, ternary):
        assert len(np.unique(read.codes)) == 3


@pytest.mark.parametrize("quantizer", [quantized_bits(4, 0, 1, alpha="auto"), binary(alpha=0.3)])
def test_scales_that_are_no_powers_of_two_must_be_frozen(quantizer: Any) -> None:
    with pytest.raises(NotFrozen) as caught:
        stock.weight_codes(quantizer, weights((5, 4)), "layer 'one': its kernel")
    assert str(caught.value) == (
        f"layer 'one': its kernel has alpha={quantizer.alpha!r}: its scales are no powers of two.\n"
        "  Call models.quantizers.freeze_auto(model) first: it rounds every scale to an integer "
        "below 2**15 times a power of two."
    )


@pytest.mark.parametrize(
    ("bits", "integer", "lost"),
    [(31, 31, "every code is 0"), (16, 16, "codes use "), (8, 0, None), (31, 0, None)],
)
def test_bits_that_stock_auto_po2_loses_are_reported(
    bits: int, integer: int, lost: str | None
) -> None:
    quantizer = quantized_bits(bits, integer, 1, alpha="auto_po2")
    w = weights((40,))
    report = stock.lost_bits(quantizer, stock.weight_codes(quantizer, w, "w").codes, w)
    assert (report is None) == (lost is None)
    if lost:
        assert lost in report
        assert f"its step cannot be below 2**{integer - 23}; integer=0 keeps more" in report
    assert stock.lost_bits(quantizer, np.zeros(4, np.int64), np.zeros(4)) is None


@settings(max_examples=200, deadline=None)
@given(step=st.floats(1e-20, 1e20))
def test_a_rounded_scale_is_near_and_its_multiplier_odd(step: float) -> None:
    mult, exponent = (int(v) for v in rounded_scale(np.array(step)))
    assert 0 < mult < 2**15
    assert mult % 2 == 1
    scale = mult * Fraction(2) ** exponent
    assert abs(scale / Fraction(step) - 1) <= Fraction(1, 2**15)


def small_auto() -> tf.keras.Model:
    def auto(bits: int) -> quantized_bits:
        return quantized_bits(bits, 0, 1, alpha="auto")

    model = tf.keras.Sequential(
        [
            tf.keras.Input((4, 4, 2)),
            QConv2D(3, 2, kernel_quantizer=auto(4), bias_quantizer=auto(8), name="conv"),
            QDepthwiseConv2D(2, depthwise_quantizer=auto(16), use_bias=False, name="deep"),
            tf.keras.layers.Flatten(),
            QDense(5, kernel_quantizer=binary(alpha="auto"),
                   bias_quantizer=quantized_bits(8, 0, 1, alpha="auto_po2"), name="dense"),
        ]
    )  # fmt: skip
    for seed, layer in enumerate(model.layers):
        layer.set_weights([weights(w.shape, seed) for w in layer.get_weights()])
    return model


def test_freezing_keeps_codes_and_moves_scales_a_little() -> None:
    model = small_auto()
    x = RNG(5).normal(size=(20, 4, 4, 2)).astype(np.float32)
    before = model(x).numpy()
    stock_kernel = model.get_layer("conv").kernel_quantizer_internal
    kernel = model.get_layer("conv").kernel.numpy()
    codes = np.rint(stock.weight_values(stock_kernel, kernel)
                    / stock.weight_steps(stock_kernel, kernel))  # fmt: skip

    assert freeze_auto(model) == ["conv/kernel", "conv/bias", "deep/kernel", "dense/kernel"]

    conv = model.get_layer("conv")
    frozen = conv.kernel_quantizer_internal.export(conv.kernel.numpy())
    np.testing.assert_array_equal(frozen.codes, codes)
    assert (frozen.mults > 1).any()
    np.testing.assert_allclose(model(x).numpy(), before, rtol=0, atol=2e-3 * np.abs(before).max())
    effective = conv.kernel_quantizer_internal(tf.constant(conv.kernel.numpy(), tf.float64)).numpy()
    np.testing.assert_array_equal(
        effective, frozen.codes * np.ldexp(frozen.mults.astype(float), frozen.exponents)
    )
    assert freeze_auto(model) == []


def test_a_frozen_model_survives_its_file(tmp_path: Any) -> None:
    model = small_auto()
    freeze_auto(model)
    model.save(tmp_path / "frozen.h5", save_format="h5")
    again = tf.keras.models.load_model(
        tmp_path / "frozen.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    x = RNG(5).normal(size=(4, 4, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(again(x).numpy(), model(x).numpy())
    assert isinstance(again.get_layer("deep").depthwise_quantizer_internal, quantized_bits_scaled)


@pytest.mark.parametrize("alpha", ["auto", "auto_po2"])
def test_folded_batch_normalization_is_frozen_with_its_codes(alpha: str) -> None:
    kernel, bias = (quantized_bits(6, 0, 1, alpha=one) for one in (alpha, "auto"))
    layer = QConv2DBatchnorm(3, 2, kernel_quantizer=kernel, bias_quantizer=bias, name="folded")
    model = tf.keras.Sequential([tf.keras.Input((4, 4, 2)), layer])
    layer.set_weights([np.abs(weights(w.shape, 3)) if w.ndim else w for w in layer.get_weights()])
    x = RNG(5).normal(size=(20, 4, 4, 2)).astype(np.float32)
    before, folded = model(x).numpy(), layer.get_folded_weights()[0].numpy()
    codes = np.rint(stock.weight_values(kernel, folded) / stock.weight_steps(kernel, folded))

    assert freeze_auto(model) == ["folded/kernel", "folded/bias"]

    frozen = layer.kernel_quantizer_internal.export(layer.get_folded_weights()[0].numpy())
    np.testing.assert_array_equal(frozen.codes, codes)
    np.testing.assert_allclose(model(x).numpy(), before, rtol=0, atol=1e-3 * np.abs(before).max())
    assert freeze_auto(model) == []


def test_folding_without_a_centre_is_refused() -> None:
    auto = quantized_bits(4, 0, 1, alpha="auto")
    layer = QConv2DBatchnorm(2, 1, kernel_quantizer=auto, name="folded")
    model = tf.keras.Sequential([tf.keras.Input((4, 4, 2)), layer])
    layer.batchnorm.center = False
    with pytest.raises(QuantizerError, match="layer 'folded' has center=False"):
        freeze_auto(model)


def test_a_scaled_quantizer_refuses_other_scales() -> None:
    with pytest.raises(QuantizerError, match=r"mults 1\.\.32768 lie outside"):
        quantized_bits_scaled(4, [1, 2**15], [0, 0], [2])
    quantizer = quantized_bits_scaled(4, [3], [-2], [1])
    np.testing.assert_array_equal(quantizer(tf.constant([0.7, -9.0, 1.2])), [0.75, -5.25, 1.5])
    assert quantizer.export([0.7, -9.0, 1.2]).codes.tolist() == [1, -7, 2]
    assert (quantizer.max(), quantizer.min()) == (5.25, -5.25)
