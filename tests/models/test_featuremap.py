"""The activation quantizer against its formula, written out here in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from qkeras import QActivation

from models.quantizers import (
    CUSTOM_OBJECTS,
    NotCalibrated,
    NotFrozen,
    QuantizerError,
    quantized_bits_featuremap,
)


def calibrated(samples: list[float], bits: int = 8, **options: object) -> quantized_bits_featuremap:
    quantizer = quantized_bits_featuremap(bits, **options)
    quantizer.calibrate(np.array(samples))
    return quantizer


def formula(x: np.ndarray, exponent: int, lo: int, hi: int, zero_point: int = 0) -> np.ndarray:
    """clip(floor(x/s + 1/2) + zero_point, lo, hi) * s for inputs where float64 is exact."""
    codes = np.clip(np.floor(x / 2.0**exponent + 0.5) + zero_point, lo, hi)
    return (codes - zero_point) * 2.0**exponent


def test_ties_round_up_and_out_of_range_saturates() -> None:
    quantizer = calibrated([-127.0, 127.0])
    x = np.array([-3.5, -2.5, -0.5, 0.5, 1.5, 2.5, 500.0, -500.0])
    expected = [-3.0, -2.0, 0.0, 1.0, 2.0, 3.0, 127.0, -127.0]
    assert quantizer.export().scale_exp == 0
    np.testing.assert_array_equal(quantizer(x.astype(np.float32)).numpy(), expected)
    np.testing.assert_array_equal(quantizer(x).numpy(), formula(x, 0, -127, 127))


def test_value_just_below_a_tie_rounds_down_in_float32() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0.0))
    assert calibrated([127.0])(np.array([below])).numpy() == 0.0


@pytest.mark.parametrize(
    ("options", "lo", "hi"),
    [
        ({}, -127, 127),
        ({"keep_negative": 0}, 0, 255),
        ({"symmetric": 0}, -128, 127),
        ({"keep_negative": 0, "symmetric": 0}, 0, 255),
    ],
)
def test_code_range_follows_sign_and_symmetry(options: dict[str, int], lo: int, hi: int) -> None:
    exported = calibrated([0.0, 10.0], **options).export()
    assert (exported.lo, exported.hi) == (lo, hi)
    assert exported.signed is (lo < 0)


@pytest.mark.parametrize("samples", [[5.0, 6.0, 7.0], [-7.0, -6.0, -5.0], [-1.0, 3.0]])
def test_asymmetric_range_contains_zero(samples: list[float]) -> None:
    quantizer = calibrated(samples, symmetric=0)
    exported = quantizer.export()
    assert exported.lo <= exported.zero_point <= exported.hi
    assert quantizer(tf.constant([0.0])).numpy() == 0.0
    values = quantizer(tf.constant(samples)).numpy()
    np.testing.assert_allclose(values, samples, atol=exported.scale)


def test_symmetric_zero_point_is_zero() -> None:
    assert calibrated([5.0, 6.0]).export().zero_point == 0
    assert calibrated([5.0, 6.0], keep_negative=0).export().zero_point == 0


def test_calibration_prefers_the_least_squared_error() -> None:
    rng = np.random.default_rng(1)
    samples = np.append(rng.normal(size=100_000), 40.0)  # one outlier
    quantizer = quantized_bits_featuremap(4)
    quantizer.calibrate(samples)
    errors = {
        exponent: np.square(formula(samples, exponent, -7, 7) - samples).sum()
        for exponent in range(-5, 4)
    }
    assert quantizer.export().scale_exp == min(errors, key=errors.__getitem__) == -1


def test_all_zero_samples_calibrate() -> None:
    assert calibrated([0.0, 0.0])(tf.constant([0.0])).numpy() == 0.0


@pytest.mark.parametrize("samples", [[], [np.nan], [np.inf, 1.0]])
def test_calibration_refuses_unusable_samples(samples: list[float]) -> None:
    with pytest.raises(QuantizerError, match="cannot calibrate on"):
        calibrated(samples)


def test_never_calibrated_names_the_quantizer_and_the_remedy() -> None:
    quantizer = quantized_bits_featuremap(8, name="activation_3")
    for action in (quantizer.export, quantizer.freeze):
        with pytest.raises(
            NotCalibrated, match=r"activation_3: .*never calibrated(.|\n)*calibrate"
        ):
            action()
    assert issubclass(NotCalibrated, ValueError)
    x = np.array([0.3, -7.7], np.float32)
    np.testing.assert_array_equal(quantizer(x).numpy(), x)


def test_auto_must_be_frozen_before_export() -> None:
    quantizer = calibrated([-1.0, 0.7], alpha="auto")
    with pytest.raises(NotFrozen, match="freeze"):
        quantizer.export()


@pytest.mark.parametrize("options", [{"bits": 1}, {"bits": 25}, {"alpha": "magic"}])
def test_arguments_outside_their_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(QuantizerError, match="quantized_bits_featuremap"):
        quantized_bits_featuremap(**options)


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(2, 16),
    spread=st.floats(1e-6, 1e6),
    keep_negative=st.integers(0, 1),
    symmetric=st.integers(0, 1),
    alpha=st.sampled_from(["auto_po2", "auto"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_export_equals_forward(
    bits: int, spread: float, keep_negative: int, symmetric: int, alpha: str, seed: int
) -> None:
    samples = np.random.default_rng(seed).normal(size=200) * spread
    quantizer = quantized_bits_featuremap(
        bits, keep_negative=keep_negative, symmetric=symmetric, alpha=alpha
    )
    quantizer.calibrate(samples)
    quantizer.freeze()
    exported = quantizer.export()
    assert 0 < exported.scale_mult < 2**15
    assert alpha == "auto" or exported.scale_mult == 1
    x = np.concatenate([samples * 2, [0.0]])
    real = exported.dequantize(exported.quantize(x))
    np.testing.assert_array_equal(quantizer(x).numpy(), real)
    assert exported.dequantize(np.array(exported.zero_point)) == 0.0
    if alpha == "auto_po2":  # x / 2**e is exact in float32, too
        narrow = x.astype(np.float32)
        real = exported.dequantize(exported.quantize(narrow.astype(np.float64)))
        np.testing.assert_array_equal(quantizer(narrow).numpy(), real)


def test_freezing_changes_no_po2_value() -> None:
    quantizer = calibrated([-1.0, 0.7])
    x = np.linspace(-2, 2, 101)
    before = quantizer(x).numpy()
    quantizer.freeze()
    np.testing.assert_array_equal(quantizer(x).numpy(), before)


def test_gradients_are_those_of_trained_thresholds() -> None:
    quantizer = calibrated([-7.0, 7.0], bits=4)
    x = tf.constant([1.3, 2.5, 9.0, -9.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(quantizer(x))
    dx, dlog2 = tape.gradient(y, [x, quantizer.log2_step])
    np.testing.assert_array_equal(dx.numpy(), [1.0, 1.0, 0.0, 0.0])
    expected = np.log(2.0) * ((1 - 1.3) + (3 - 2.5) + 7 - 7)
    np.testing.assert_allclose(dlog2.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("alpha", ["auto_po2", "auto"])
@pytest.mark.parametrize("frozen", [True, False])
def test_saving_keeps_the_learned_state(tmp_path, alpha: str, frozen: bool) -> None:
    quantizer = quantized_bits_featuremap(5, symmetric=0, alpha=alpha)
    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, QActivation(quantizer, name="activation")(inputs))
    quantizer.calibrate(np.array([-0.9, 2.3]))
    quantizer.log2_step.assign_sub(0.3)
    if frozen:
        quantizer.freeze()
    model.save(tmp_path / "model.h5")
    loaded = tf.keras.models.load_model(
        tmp_path / "model.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_array_equal(model(x).numpy(), loaded(x).numpy())
    again = loaded.get_layer("activation").quantizer
    np.testing.assert_array_equal(again.codes.numpy(), quantizer.codes.numpy())
    assert again.log2_step.numpy() == quantizer.log2_step.numpy()
    assert again.get_config() == quantizer.get_config()
