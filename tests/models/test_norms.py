"""Batch normalization is frozen to gains that are integers times powers of two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QBatchNormalization, QConv2D, QDense, QDepthwiseConv2D
from qkeras.quantizers import quantized_bits

from flow.errors import UnsupportedLayer
from flow.frontend import from_keras
from flow.graph.store import graph_hash
from models.quantizers import CUSTOM_OBJECTS, freeze_auto, freeze_norms, keep_settings
from models.quantizers.norms import gain_and_shift, is_frozen, rounded_gain
from tests.frontend.small_models import chain, checked, quick, samples

L = tf.keras.layers
SHAPE = (4, 4, 3)


@quick
def normalized(norm: Any, alpha: Any, **settings: Any) -> tf.keras.Model:
    """Normalization of sums, of codes, of depthwise sums and at the end, with random statistics."""

    def weight(bits: int, **more: Any) -> quantized_bits:
        return quantized_bits(bits, 0, alpha=alpha, **more)

    layers = [
        QActivation("quantized_bits(8,2)"),
        QConv2D(5, 3, kernel_quantizer=weight(4), bias_quantizer=quantized_bits(8, 2), name="conv"),
        norm(name="norm", **settings), L.ReLU(6.0), QActivation("quantized_relu(5,3)"),
        norm(**settings), QActivation("quantized_bits(7,3)"),
        QDepthwiseConv2D(2, depthwise_quantizer=weight(5, scale_axis=2),
                         bias_quantizer="binary(alpha=1)"),
        norm(**settings), QActivation("quantized_bits(7,3)"), L.Flatten(),
        QDense(4, kernel_quantizer=weight(4), use_bias=False), norm(**settings),
        QActivation("quantized_bits(9,5)"),
    ]  # fmt: skip
    model = chain(SHAPE, layers)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        values = [rng.normal(size=weight.shape) * 0.5 for weight in layer.get_weights()]
        layer.set_weights([
            np.abs(value) + 0.1 if "variance" in weight.name else value
            for weight, value in zip(layer.weights, values, strict=True)
        ])  # fmt: skip
    return model


@pytest.mark.parametrize(
    ("norm", "alpha", "settings"),
    [
        (L.BatchNormalization, 1, {}),
        (L.BatchNormalization, "auto", {"scale": False}),
        (L.BatchNormalization, "auto_po2", {"scale": False, "center": False}),
        (QBatchNormalization, 1, {"center": False}),
        (QBatchNormalization, "auto", {}),
    ],
)
def test_a_frozen_normalization_is_exact(norm: Any, alpha: Any, settings: dict[str, bool]) -> None:
    model = normalized(norm, alpha, **settings)
    assert len(freeze_norms(model)) == 4
    assert freeze_auto(model) == []  # scales of kernels went into the gains
    assert freeze_norms(model) == []
    checked(model)


def test_a_frozen_normalization_computes_what_the_model_did() -> None:
    model = normalized(L.BatchNormalization, "auto")
    x = samples(model, 200)
    inner = tf.keras.Model(model.inputs, model.get_layer("norm").output)
    before = inner(x, training=False).numpy()
    freeze_norms(model)
    after = inner(x, training=False).numpy()
    np.testing.assert_allclose(after, before, rtol=0, atol=2e-4 * np.abs(before).max())
    assert is_frozen(model.get_layer("norm"))
    assert not np.any(model.get_layer("conv").bias.numpy())


def test_negative_and_vanishing_gains() -> None:
    model = normalized(L.BatchNormalization, 1)
    norm = model.get_layer("norm")
    norm.gamma.assign([-1.0, 0.0, 1.0, -0.3, 0.7])
    freeze_norms(model)
    node = checked(model).nodes[0]
    assert (node.weight_mult > 0).all()
    assert not node.weights[..., 1].any()
    gain, _ = gain_and_shift(norm)
    assert np.sign(gain).tolist() == [-1, 0, 1, -1, 1]


@pytest.mark.parametrize(
    ("norm", "settings"), [(L.BatchNormalization, {"scale": False}), (QBatchNormalization, {})]
)
def test_a_frozen_normalization_survives_its_file(
    norm: Any, settings: dict[str, bool], tmp_path: Path
) -> None:
    model = normalized(norm, "auto", **settings)
    model._name = "small"
    freeze_norms(model)
    keep_settings(model).save(tmp_path / "small.h5", save_format="h5")
    again = tf.keras.models.load_model(tmp_path / "small.h5", CUSTOM_OBJECTS, compile=False)
    assert graph_hash(from_keras(again)) == graph_hash(from_keras(model))


def test_an_unfrozen_normalization_is_refused() -> None:
    with pytest.raises(UnsupportedLayer, match=r"layer 'norm' .* call models.quantizers.freeze_no"):
        from_keras(normalized(L.BatchNormalization, 1))


def test_a_bias_that_came_after_freezing_is_refused_and_frozen_again() -> None:
    model = normalized(L.BatchNormalization, 1)
    freeze_norms(model)
    model.get_layer("conv").bias.assign([1.0] * 5)
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    assert str(caught.value) == (
        "layer 'conv' and its batch normalization 'norm' are no integers together; call "
        "models.quantizers.freeze_norms(model) before freeze_auto(model)."
    )
    assert freeze_norms(model) == ["norm"]
    checked(model)


def test_a_rounded_gain_keeps_its_sign() -> None:
    mults, exponents = rounded_gain(np.array([0.0, -1.0, 3.0, -1 / 3]))
    assert mults[:3].tolist() == [0, -1, 3]
    assert exponents[:3].tolist() == [0, 0, 0]
    assert abs(float(mults[3]) * 2.0 ** float(exponents[3]) * 3 + 1) < 2**-15
    assert mults[3] % 2 == 1
