"""The quantized DS-CNN: structure, folding, calibration, freezing, exact layers."""

import numpy as np
import pytest
import tensorflow as tf

from models import kws, ranges
from models.bits import network_bits
from models.folding import fold_batchnorm, transfer
from models.networks import build
from models.quantizers import CUSTOM_OBJECTS, NotCalibrated


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return (np.random.default_rng(0).normal(size=(8, 49, 10, 1)) * 20).astype(np.float32)


@pytest.fixture(scope="module")
def float_model() -> tf.keras.Model:
    """A BatchNorm network with the layers, names and shapes of the float DS-CNN."""
    tf.keras.utils.set_random_seed(7)
    layers = tf.keras.layers
    inputs = tf.keras.Input(kws.INPUT_SHAPE)
    x = layers.Conv2D(64, (10, 4), (2, 2), "same", name="conv2d")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for block in range(kws.BLOCKS):
        name = "depthwise_conv2d" + (f"_{block}" if block else "")
        x = layers.DepthwiseConv2D((3, 3), padding="same", name=name)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(64, (1, 1), padding="same", name=f"conv2d_{block + 1}")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    model = tf.keras.Model(inputs, layers.Dense(12, name="dense")(x))
    rng = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights([rng.uniform(0.5, 2.0, shape), *rng.normal(size=(2, *shape)),
                               rng.uniform(0.5, 2.0, shape)])  # fmt: skip
    return model


@pytest.fixture(scope="module")
def student(float_model: tf.keras.Model, clips: np.ndarray) -> tf.keras.Model:
    model = build(network_bits("kws"))
    transfer(model, fold_batchnorm(float_model))
    ranges.calibrate(model, clips)
    ranges.freeze(model)
    return model


def test_folded_network_equals_the_float_one(
    float_model: tf.keras.Model, clips: np.ndarray
) -> None:
    model = build(network_bits("kws", "flat16"))
    transfer(model, fold_batchnorm(float_model))
    ranges.calibrate(model, clips)
    expected = float_model(clips, training=False).numpy()
    error = np.abs(model(clips).numpy() - expected).max()
    assert error < 5e-3 * np.abs(expected).max()


def test_depthwise_exponents_are_per_channel(student: tf.keras.Model) -> None:
    layer = student.get_layer("depthwise_conv2d")
    _, exponents = layer.depthwise_quantizer_internal.export(layer.depthwise_kernel.numpy())
    assert exponents.shape == (1, 1, 64, 1)
    assert len(np.unique(exponents)) > 1


def test_every_layer_works_on_exported_integers(student: tf.keras.Model, clips: np.ndarray) -> None:
    """Each quantizer, fed exact sums in float64, gives exactly its exported codes."""
    probe = tf.keras.Model(student.inputs, [layer.output for layer in student.layers])
    tensors = dict(zip((la.name for la in student.layers), probe(clips), strict=True))
    for layer in ranges.activation_layers(student):
        exported = layer.quantizer.export()
        real = tensors[layer.input._keras_history.layer.name].numpy().astype(np.float64)
        expected = exported.dequantize(exported.quantize(real))
        np.testing.assert_array_equal(layer.quantizer(real).numpy(), expected)
        np.testing.assert_array_equal(tensors[layer.name].numpy(), expected)


def test_saved_model_gives_the_same_bits(
    tmp_path, student: tf.keras.Model, clips: np.ndarray
) -> None:
    student.save(tmp_path / "kws.h5")
    loaded = tf.keras.models.load_model(
        tmp_path / "kws.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    np.testing.assert_array_equal(student(clips).numpy(), loaded(clips).numpy())
    for (name, quantizer, variable), (_, again, other) in zip(
        ranges.weight_quantizers(student), ranges.weight_quantizers(loaded), strict=True
    ):
        assert quantizer.exponents == again.exponents is not None, name
        np.testing.assert_array_equal(variable.numpy(), other.numpy())


def test_freezing_an_uncalibrated_model_names_the_layer() -> None:
    with pytest.raises(NotCalibrated, match="activation"):
        ranges.freeze(build(network_bits("kws")))
