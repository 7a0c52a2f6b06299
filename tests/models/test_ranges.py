"""Calibration: every quantizer sees what those before it let through, in any network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models import ranges
from tests.frontend.small_models import activation, branched, conv, depthwise, quick, samples

SHAPE = (7, 6, 3)


def residual(x: Any) -> Any:
    """Two branches, two scales, and an operator of TensorFlow."""
    x = activation(5, name="first")(x)
    y = activation(3, name="left")(conv(4, 3, padding="same", name="a")(x))
    z = activation(4, name="right")(depthwise(3, padding="same", name="b")(x))
    z = activation(6, name="mixed")(conv(4, 1, name="c")(z))
    y = activation(4, name="sum")(tf.keras.layers.Add()([y, z]))
    return activation(2, name="product")(tf.keras.layers.Multiply()([y, z]) * 0.75)


@quick
def one_by_one(model: tf.keras.Model, x: np.ndarray) -> None:
    """The definition: calibrate each layer on what the network before it gives."""
    for layer in ranges.activation_layers(model):
        layer.quantizer.calibrate(tf.keras.Model(model.inputs, layer.input)(x).numpy())


@pytest.mark.parametrize("batch", [11, 250])
def test_calibration_in_one_pass_is_calibration_one_by_one(batch: int) -> None:
    tf.keras.utils.set_random_seed(5)
    model, twin = branched(SHAPE, residual), branched(SHAPE, residual)
    twin.set_weights(model.get_weights())
    x = samples(model, 12) * np.float32(2.0) ** np.arange(12, dtype=np.float32)[:, None, None, None]
    ranges.calibrate(model, x, batch)  # the last sample, alone in its batch, decides the ranges
    one_by_one(twin, x)
    found, expected = (
        {layer.name: layer.quantizer.export() for layer in ranges.activation_layers(one)}
        for one in (model, twin)
    )
    assert found == expected
    assert set(found) == {"first", "left", "right", "mixed", "sum", "product"}


def test_a_layer_that_is_used_twice_is_calibrated_on_its_last_use() -> None:
    shared = activation(4, name="shared")

    def build(x: Any) -> Any:
        return shared(conv(2, 1, name="c")(shared(x)))

    model = branched(SHAPE, build)
    x = samples(model, 9)
    ranges.calibrate(model, x)
    first = shared.quantizer.export()
    shared.quantizer.calibrate(x)
    again = model.get_layer("c")(shared.quantizer(tf.constant(x))).numpy()
    shared.quantizer.calibrate(again)
    assert shared.quantizer.export() == first
