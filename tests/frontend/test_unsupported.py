"""What cannot become integers is refused by name, all of it at once; the messages are pinned."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from qkeras import QActivation, QConv2D

from flow.errors import FlowError, UnsupportedLayer
from flow.frontend import from_keras
from models.quantizers import NotCalibrated, quantized_bits_po2
from tests.frontend.small_models import activation, chain, conv, dense, frozen

L = tf.keras.layers
SHAPE = (4, 4, 2)
SUPPORTED = (
    "supported: QConv2D, QDepthwiseConv2D, QDense, ReLU, QActivation, AveragePooling2D, "
    "GlobalAveragePooling2D, Flatten, Reshape, Dropout."
)


def problems(model: tf.keras.Model) -> list[str]:
    """The listed problems, without the common heading."""
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    heading, *listed = str(caught.value).split("\n  - ")
    assert heading == f"model {model.name!r} cannot become integers:"
    return listed


def between_quantizers(*layers: Any) -> tf.keras.Model:
    return chain(SHAPE, [activation(4), *layers, activation(4)])


def test_an_unknown_layer() -> None:
    model = between_quantizers(L.MaxPooling2D(2, name="max"))
    assert problems(model) == [f"layer 'max' is a MaxPooling2D; {SUPPORTED}"]


def test_a_branch() -> None:
    inputs = tf.keras.Input(SHAPE)
    x = activation(4)(inputs)
    sides = [activation(4)(conv(2, 1)(x)) for _ in range(2)]
    outputs = activation(6)(L.Add(name="join")(sides))
    assert problems(tf.keras.Model(inputs, outputs, name="residual")) == [
        "layer 'join' is a Add with 2 inputs; networks with branches are not supported yet."
    ]


def test_two_inputs() -> None:
    inputs = [tf.keras.Input(SHAPE) for _ in range(2)]
    assert problems(tf.keras.Model(inputs, L.Add()(inputs), name="two")) == [
        "model 'two' has 2 inputs and 1 outputs; one of each is supported."
    ]


def test_two_outputs() -> None:
    inputs = tf.keras.Input(SHAPE)
    outputs = [activation(4)(inputs), activation(5)(inputs)]
    assert problems(tf.keras.Model(inputs, outputs, name="two")) == [
        "model 'two' has 1 inputs and 2 outputs; one of each is supported."
    ]


def test_a_model_inside_the_model() -> None:
    inner = chain(SHAPE, [conv(2, 1), activation(4)], name="inner")
    assert problems(chain(SHAPE, [activation(4), inner])) == [
        "layer 'inner' is a model (Functional); put its layers into the model itself."
    ]


def test_a_layer_that_is_used_twice() -> None:
    shared = conv(2, 1, name="shared")
    last = activation(4, name="last")
    assert problems(chain(SHAPE, [activation(4), shared, activation(4), shared, last])) == [
        "layer 'last' reads a layer that is used more than once; make a layer for each."
    ]


def test_an_unquantized_input() -> None:
    assert problems(chain(SHAPE, [conv(2, 1, name="first"), activation(4)])) == [
        "layer 'first' reads the unquantized input; add a QActivation before it."
    ]


def test_missing_quantizers_behind_layers_and_pools() -> None:
    layers = [
        activation(4), conv(2, 1, name="one"), L.ReLU(), conv(2, 1, name="two"),
        L.AveragePooling2D(2, name="pool"),
    ]  # fmt: skip
    assert problems(chain(SHAPE, layers)) == [
        "layer 'two' reads 'one' without a quantizer between them; add a QActivation.",
        "layer 'pool' reads 'two' without a quantizer between them; add a QActivation.",
        "layer 'pool' has no quantizer behind it; add a QActivation after it.",
    ]


@pytest.mark.parametrize(
    ("argument", "named"), [("relu", "relu"), ("quantized_relu(4)", "quantized_relu(4,0)")]
)
def test_an_activation_argument(argument: str, named: str) -> None:
    model = between_quantizers(conv(2, 1, name="one", activation=argument))
    assert problems(model) == [f"layer 'one' has activation={named!r}; make it a layer of its own."]


def test_stock_quantizers_of_kernel_and_bias() -> None:
    stock = QConv2D(
        2, 1, name="one", kernel_quantizer="quantized_bits(4,0,1)", bias_quantizer=None
    )  # fmt: skip
    assert problems(between_quantizers(stock)) == [
        "layer 'one': kernel_quantizer is quantized_bits; supported: quantized_bits_po2.",
        "layer 'one': bias_quantizer is NoneType; supported: quantized_bits_po2.",
    ]


def test_stock_activation_quantizers() -> None:
    layers = [
        QActivation("quantized_bits(4,0,1)", name="a"), conv(2, 1),
        QActivation("quantized_relu(4)", name="b"),
    ]  # fmt: skip
    assert problems(chain(SHAPE, layers)) == [
        "quantizer 'a' is a quantized_bits; supported: quantized_bits_featuremap.",
        "quantizer 'b' is a quantized_relu; supported: quantized_bits_featuremap.",
    ]


def test_an_activation_scale_that_is_no_power_of_two() -> None:
    model = frozen(SHAPE, [activation(4), conv(2, 1), activation(4, alpha="auto", name="b")])
    assert problems(model) == [
        "quantizer 'b' has alpha='auto'; the hardware path supports alpha='auto_po2'."
    ]


def test_a_quantizer_behind_a_quantizer() -> None:
    assert problems(between_quantizers(activation(5, name="again"), conv(2, 1))) == [
        "quantizer 'again' follows another quantizer; remove one of them."
    ]


def test_a_quantizer_behind_a_flattened_quantizer() -> None:
    assert problems(between_quantizers(L.Flatten(), activation(5, name="again"), dense(3))) == [
        "quantizer 'again' follows another quantizer; remove one of them."
    ]


def test_dilation() -> None:
    model = between_quantizers(conv(2, 2, name="one", dilation_rate=2))
    assert problems(model) == ["layer 'one' has dilation_rate=(2, 2); 1 is supported."]


def test_groups() -> None:
    model = between_quantizers(conv(2, 2, name="one", groups=2))
    assert problems(model) == ["layer 'one' has groups=2; 1 is supported."]


def test_a_leaky_relu() -> None:
    model = between_quantizers(conv(2, 1), L.ReLU(negative_slope=0.125, name="leaky"))
    assert problems(model) == [
        "layer 'leaky': ReLU with negative_slope=0.125, threshold=0.0; both must be 0."
    ]


def test_an_average_pool_with_padding() -> None:
    model = between_quantizers(L.AveragePooling2D(3, padding="same", name="pool"))
    assert problems(model) == [
        "layer 'pool': average pooling with padding='same'; 'valid' is supported."
    ]


def test_a_model_without_layers() -> None:
    assert problems(chain(SHAPE, [L.Dropout(0.5)])) == ["model 'small' has no quantized layer."]


def test_all_problems_are_reported_at_once() -> None:
    layers = [
        L.BatchNormalization(name="norm"),
        conv(2, 2, name="one", dilation_rate=2, activation="relu"),
        L.MaxPooling2D(2, name="max"),
        QActivation("quantized_bits(4,0,1)", name="stock"),
        L.AveragePooling2D(2, padding="same", name="pool"),
        activation(4, alpha="auto", name="auto"),
        dense(3, name="last"),
    ]
    assert problems(chain((6, 6, 2), layers)) == [
        f"layer 'norm' is a BatchNormalization; {SUPPORTED}",
        "layer 'one' reads the unquantized input; add a QActivation before it.",
        "layer 'one' has activation='relu'; make it a layer of its own.",
        "layer 'one' has dilation_rate=(2, 2); 1 is supported.",
        f"layer 'max' is a MaxPooling2D; {SUPPORTED}",
        "quantizer 'stock' is a quantized_bits; supported: quantized_bits_featuremap.",
        "layer 'pool': average pooling with padding='same'; 'valid' is supported.",
        "quantizer 'auto' has alpha='auto'; the hardware path supports alpha='auto_po2'.",
        "layer 'last' has no quantizer behind it; add a QActivation after it.",
    ]


def test_weight_steps_that_differ_within_an_output_channel() -> None:
    by_input = QConv2D(
        2, 1, name="one", use_bias=False, kernel_quantizer=quantized_bits_po2(4, 2)
    )  # fmt: skip
    model = frozen(SHAPE, [activation(4), by_input, activation(4)])
    by_input.kernel_quantizer_internal.exponents = (-3, -1)
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    assert str(caught.value) == (
        "layer 'one': its kernel's exponents differ within an output channel; "
        "choose the scale_axis of the output channels."
    )


def test_a_map_that_changes_its_shape_on_the_way() -> None:
    layers = [activation(4), L.Reshape((4, 2, 1)), conv(3, 2, name="one"), activation(4)]
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(frozen((2, 4, 1), layers))
    assert str(caught.value) == (
        "layer 'one' reads (4, 2, 1), but 'codes' gives (2, 4, 1); between them only flattening "
        "to a vector is supported."
    )


def test_flattening_between_a_layer_and_its_quantizer() -> None:
    model = frozen((2, 4, 1), [activation(4), conv(3, 2, name="one"), L.Flatten(name="f"),
                               activation(4)])  # fmt: skip
    with pytest.raises(UnsupportedLayer, match=r"layer 'f' \(Flatten\) stands between 'one' and"):
        from_keras(model)


def test_tensors_of_another_rank() -> None:
    model = frozen((4, 4), [activation(4), L.Flatten(), dense(3), activation(4)])
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    assert str(caught.value) == (
        "tensors of shape (4, 4) are not supported, only [h, w, c] or [c]."
    )


def test_ranges_that_were_never_calibrated() -> None:
    model = chain(SHAPE, [activation(4, name="a"), conv(2, 1), activation(4, name="b")])
    with pytest.raises(NotCalibrated) as caught:
        from_keras(model)
    assert isinstance(caught.value, FlowError)
    assert str(caught.value) == (
        "the ranges of quantizers 'a', 'b' were never calibrated.\n"
        "  Call models.ranges.calibrate(model, samples) and freeze(model) first, or train."
    )
