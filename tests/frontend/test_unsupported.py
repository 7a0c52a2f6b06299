"""What cannot become integers is refused by name, all of it at once; the messages are pinned."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QBatchNormalization, QConv2D, QGlobalAveragePooling2D

from flow.errors import FlowError, RangeError, UnsupportedLayer
from flow.frontend import from_keras
from flow.frontend._reader import QUANTIZE_INPUT
from flow.frontend.keras_reader import read_steps
from models.quantizers import NotCalibrated, freeze_norms, quantized_bits_po2
from tests.frontend.small_models import (
    activation,
    branched,
    chain,
    conv,
    dense,
    frozen,
    with_weights,
)

L = tf.keras.layers
SHAPE = (4, 4, 2)


UNCALIBRATED = re.compile("the ranges of quantizers .* were never calibrated.")


def problems(model: tf.keras.Model) -> list[str]:
    """The listed problems, without the common heading and what is true of most models here."""
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    heading, *listed = str(caught.value).split("\n  - ")
    assert heading == f"model {model.name!r} cannot become integers:"
    return [problem for problem in listed if not UNCALIBRATED.fullmatch(problem)]


def between_quantizers(*layers: Any) -> tf.keras.Model:
    return chain(SHAPE, [activation(4), *layers, activation(4)])


def test_an_unknown_layer() -> None:
    (problem,) = problems(between_quantizers(L.Cropping2D(1, name="one")))
    assert problem.startswith("layer 'one' is a Cropping2D; supported: QConv1D, QConv2D, ")


@pytest.mark.parametrize(
    ("layer", "remedy"),
    [
        (L.Conv2D(2, 1, name="one"), "a Conv2D; use QConv2D."),
        (L.Dense(2, name="one"), "a Dense; use QDense."),
        (
            L.LayerNormalization(name="one"),
            "a LayerNormalization; its scale changes with each input; use BatchNormalization.",
        ),
    ],
)
def test_a_layer_whose_remedy_is_known(layer: Any, remedy: str) -> None:
    assert problems(between_quantizers(layer)) == [f"layer 'one' is {remedy}"]


def test_inputs_of_a_merge_without_quantizers() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        return activation(6)(L.Add(name="join")([conv(2, 1, name="one")(x), raw]))

    assert problems(branched(SHAPE, build)) == [
        "layer 'join' reads 'one' without a quantizer between them; add a QActivation.",
        f"layer 'join' reads the unquantized input; {QUANTIZE_INPUT}.",
    ]


def test_an_unquantised_layer_that_two_quantizers_read() -> None:
    def build(raw: Any) -> Any:
        x = conv(2, 1, name="one")(activation(4)(raw))
        return activation(6)(L.Add()([activation(4, name="a")(x), activation(4, name="b")(x)]))

    assert problems(branched(SHAPE, build)) == [
        "layer 'one' is read by 'a' and by 'b'; let the second read the first's codes."
    ]


def test_a_second_quantizer_of_the_input() -> None:
    def build(raw: Any) -> Any:
        return activation(6)(L.Add()([activation(4)(raw), activation(5, name="again")(raw)]))

    assert problems(branched(SHAPE, build)) == [
        "quantizer 'again' is a second one of the input; quantize it once."
    ]


def test_shapes_that_do_not_merge() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        y = activation(4)(L.GlobalAveragePooling2D(keepdims=True)(x))
        return activation(6)(L.Add(name="join")([x, y]))

    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(with_weights(branched(SHAPE, build)))
    assert str(caught.value) == (
        "layer 'join' adds tensors of shapes (4, 4, 2), (1, 1, 2); equal ones are supported."
    )


def test_joining_different_types_without_a_quantizer() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        return conv(2, 1)(L.Concatenate(name="join")([x, activation(3)(x)]))

    with pytest.raises(UnsupportedLayer, match="layer 'join' joins tensors of different scales"):
        from_keras(with_weights(branched(SHAPE, build)))


def test_several_problems_of_types_are_reported_together() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        both = L.Concatenate(name="join")([x, activation(3)(x)])
        return L.MaxPooling2D(2, name="max")(L.ZeroPadding2D(1)(both))

    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(with_weights(branched(SHAPE, build)))
    assert str(caught.value) == (
        "model 'small' cannot become integers:\n"
        "  - layer 'join' joins tensors of different scales or ranges; add a QActivation behind "
        "it.\n"
        "  - layer 'max': its max pool reads padded zeros, which may win over negative values; "
        "pad behind a ReLU, or use padding='same'."
    )


def test_joining_along_another_axis() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        return conv(2, 1)(L.Concatenate(axis=1, name="join")([x, x]))

    assert problems(branched(SHAPE, build)) == [
        "layer 'join' joins along axis 1; the channels' is supported."
    ]


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (L.AveragePooling2D(2, name="one"), "'one' (AveragePooling2D) reads padded values"),
        (L.UpSampling2D(2, name="one"), "'one' (UpSampling2D) reads padded values"),
    ],
)
def test_padding_before_other_layers(layer: Any, what: str) -> None:
    (problem,) = problems(between_quantizers(L.ZeroPadding2D(1), layer))
    assert problem == f"layer {what}; zeros can be padded before a convolution or a max pool."


def test_padding_between_a_layer_and_its_quantizer() -> None:
    assert problems(between_quantizers(conv(2, 1, name="one"), L.ZeroPadding2D(1, name="pad"))) == [
        "layer 'pad' (ZeroPadding2D) stands between 'one' and its quantizer; "
        "move it behind the QActivation."
    ]


MORE_THAN_CHANNELS = (
    " (Permute) moves more than channels; supported is a channel shuffle: "
    "Reshape((h, w, g, c // g)), Permute((1, 2, 4, 3)), Reshape((h, w, c))."
)


@pytest.mark.parametrize(
    "layers",
    [
        (L.Permute((2, 1, 3), name="swap"),),
        (L.Permute((3, 1, 2), name="swap"),),  # channels first
        (L.Reshape((16, 2)), L.Permute((2, 1), name="swap")),
        (L.Reshape((4, 2, 2, 2)), L.Permute((1, 3, 2, 4), name="swap")),  # columns change places
        (L.Reshape((2, 2, 4, 2)), L.Permute((3, 4, 2, 1), name="swap")),
    ],
)
def test_a_permute_of_more_than_channels(layers: tuple[Any, ...]) -> None:
    assert problems(between_quantizers(*layers)) == [f"layer 'swap'{MORE_THAN_CHANNELS}"]


def test_a_permute_of_the_raw_input_or_of_sums() -> None:
    idiom = [L.Reshape((4, 4, 2, 1, 1)), L.Permute((1, 2, 4, 3, 5), name="swap"), L.Flatten()]
    assert problems(chain(SHAPE, [*idiom, activation(4), dense(2), activation(4)])) == [
        f"layer 'swap' reads the unquantized input; {QUANTIZE_INPUT}."
    ]
    reads = [conv(4, 1, name="one"), L.Permute((1, 2, 3), name="swap")]
    assert problems(between_quantizers(*reads)) == [
        "layer 'swap' (Permute) stands between 'one' and its quantizer; "
        "move it behind the QActivation."
    ]


def test_a_softmax_that_is_not_the_last_layer() -> None:
    model = chain(
        SHAPE, [activation(4), conv(2, 1), L.Softmax(name="soft"), activation(4, name="q")]
    )
    assert problems(model) == [
        "layer 'q' reads 'soft', which only the host computes; it must be the last layer."
    ]


def test_bilinear_upsampling() -> None:
    model = between_quantizers(L.UpSampling2D(2, interpolation="bilinear", name="one"))
    assert problems(model) == ["layer 'one' has interpolation='bilinear'; 'nearest' is supported."]


def test_an_average_quantizer_of_another_kind() -> None:
    pool = QGlobalAveragePooling2D(average_quantizer="binary(alpha=1)", name="p")
    assert problems(between_quantizers(pool)) == [
        "layer 'p': average_quantizer is binary; quantized_bits with alpha=1 is supported."
    ]


def test_an_operator_of_python() -> None:
    def build(raw: Any) -> Any:
        x = activation(4)(raw)
        return activation(4)(x + x)

    assert problems(branched(SHAPE, build)) == [
        "layer 'tf.__operators__.add' is a TFOpLambda; an operator of Python or TensorFlow; use a "
        "layer (Add, Multiply, Concatenate)."
    ]


def test_a_layer_with_several_outputs() -> None:
    def build(raw: Any) -> Any:
        x = L.Reshape((4, 8))(activation(4)(raw))
        sequence, _, _ = L.LSTM(3, return_sequences=True, return_state=True, name="memory")(x)
        return activation(4)(sequence)

    (problem,) = problems(branched(SHAPE, build))
    assert problem == (
        "layer 'memory' is a LSTM; it keeps a state from step to step; use QConv1D along the steps."
    )


@pytest.mark.parametrize("weights", ["kernel", "bias"])
def test_weights_that_are_not_finite(weights: str) -> None:
    model = frozen(SHAPE, [activation(4), conv(2, 1, name="one"), activation(4)])
    variable = getattr(model.get_layer("one"), weights)
    variable.assign(np.full(variable.shape, np.nan))
    assert problems(model) == [
        f"layer 'one': its {weights} holds NaN or infinity; train the model again."
    ]


def test_a_table_of_wide_codes() -> None:
    model = frozen(SHAPE, [activation(17), L.Activation("swish", name="f"), activation(4)])
    with pytest.raises(UnsupportedLayer, match="layer 'f' is a table of 17-bit codes; 16 bits are"):
        from_keras(model)


def test_exact_sums_that_are_too_wide() -> None:
    model = frozen(SHAPE, [activation(16), conv(2, 1, bits=16, name="last")])
    with pytest.raises(RangeError) as caught:
        from_keras(model)
    assert re.fullmatch(
        r"layer 'last' has no quantizer behind it, and its exact sums need \d+ bits, more than "
        r"32\.\n  Add a QActivation after it, or quantize its bias coarser\.",
        str(caught.value),
    )


def test_two_inputs() -> None:
    inputs = [tf.keras.Input(SHAPE) for _ in range(2)]
    x = activation(4, name="a")(inputs[0])
    y = conv(2, 1, name="one", activation="softplus")(inputs[1])
    assert problems(tf.keras.Model(inputs, L.Add(name="join")([x, y]), name="two")) == [
        "model 'two' has 2 inputs and 1 outputs; one of each is supported.",
        f"layer 'one' reads the unquantized input; {QUANTIZE_INPUT}.",
        "layer 'one' has activation='softplus'; make it a layer of its own.",
        "layer 'join' reads 'one' without a quantizer between them; add a QActivation.",
    ]


def test_each_of_two_inputs_may_have_a_quantizer() -> None:
    inputs = [tf.keras.Input(SHAPE) for _ in range(2)]
    joined = L.Add()([activation(4)(inputs[0]), activation(4)(inputs[1])])
    assert problems(tf.keras.Model(inputs, activation(4)(joined), name="two")) == [
        "model 'two' has 2 inputs and 1 outputs; one of each is supported."
    ]


def test_two_outputs() -> None:
    inputs = tf.keras.Input(SHAPE)
    x = conv(2, 1, name="one")(activation(4)(inputs))
    outputs = [L.AveragePooling2D(2, name="pool")(x), L.ZeroPadding2D(1)(activation(4)(x))]
    assert problems(tf.keras.Model(inputs, outputs, name="two")) == [
        "model 'two' has 1 inputs and 2 outputs; one of each is supported.",
        "layer 'pool' reads 'one' without a quantizer between them; add a QActivation.",
        "layer 'pool' has no quantizer behind it; add a QActivation after it.",
        "model 'two' ends with padding.",
    ]


def test_two_outputs_of_one_layer_are_no_further_problem() -> None:
    inputs = tf.keras.Input(SHAPE)
    x = conv(2, 1)(activation(4)(inputs))
    assert problems(tf.keras.Model(inputs, [x, L.Softmax()(x)], name="two")) == [
        "model 'two' has 1 inputs and 2 outputs; one of each is supported."
    ]


def test_a_model_inside_the_model() -> None:
    inner = chain(SHAPE, [conv(2, 1), activation(4)], name="inner")
    layers = [conv(2, 1, name="first"), activation(4), inner, L.Cropping2D(1, name="crop")]
    model, first, crop = problems(chain(SHAPE, layers))
    assert model == "layer 'inner' is a model (Functional); put its layers into the model itself."
    assert first == f"layer 'first' reads the unquantized input; {QUANTIZE_INPUT}."
    assert crop.startswith("layer 'crop' is a Cropping2D; ")


def test_a_layer_that_is_used_twice() -> None:
    shared = conv(2, 1, name="shared")
    last = activation(4, name="last")
    assert problems(chain(SHAPE, [activation(4), shared, activation(4), shared, last])) == [
        "layer 'shared' is used more than once; make a layer for each."
    ]


def test_an_unquantized_input() -> None:
    assert problems(chain(SHAPE, [conv(2, 1, name="first"), activation(4)])) == [
        f"layer 'first' reads the unquantized input; {QUANTIZE_INPUT}."
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


def test_an_activation_argument() -> None:
    model = between_quantizers(conv(2, 1, name="one", activation="softplus"))
    assert problems(model) == ["layer 'one' has activation='softplus'; make it a layer of its own."]


@pytest.mark.parametrize(
    ("quantizer", "problem"),
    [
        (None, "is NoneType; supported: quantized_bits_po2, quantized_bits, binary, ternary"),
        ("quantized_po2(4)", "is quantized_po2; supported: quantized_bits_po2, quantized_bits, "
         "binary, ternary"),
        ("stochastic_binary()", "is stochastic_binary, which draws its values by chance; use "
         "binary"),
        ("quantized_bits(4,0,1,use_stochastic_rounding=True)",
         "rounds stochastically; use_stochastic_rounding=False is supported"),
        ("quantized_bits(4,0,1,qnoise_factor=0.5)",
         "has qnoise_factor=0.5: it does not quantize wholly; 1.0 is supported"),
        ("quantized_bits(1,0,1,alpha='auto')", "has bits=1 with alpha='auto'; use binary"),
        ("quantized_bits(4,-1,1)", "has integer=-1; QKeras computes with 0 or more"),
        ("quantized_bits(4.5,0,1)", "has bits=4.5; whole numbers are supported"),
    ],
)  # fmt: skip
def test_weight_quantizers_without_exact_integers(quantizer: str | None, problem: str) -> None:
    layer = QConv2D(2, 1, name="one", kernel_quantizer=quantizer, bias_quantizer=None)
    assert problems(between_quantizers(layer)) == [f"layer 'one': kernel_quantizer {problem}."]


@pytest.mark.parametrize(
    ("quantizer", "problem"),
    [
        ("quantized_bits(4,0,1,alpha='auto_po2')", "has alpha='auto_po2': a scale for each input; "
         "use alpha=1, or quantized_bits_featuremap, which learns one"),
        ("quantized_bits(4,0,1,alpha=2.0)", "has alpha=2.0; 1 is supported"),
        ("quantized_bits(1,0,1)", "has bits=1; 2 to 22 are supported"),
        ("quantized_bits(23,0,1)", "has bits=23; 2 to 22 are supported"),
        ("quantized_bits(4,-1,1)", "has integer=-1; QKeras computes with 0 or more"),
        ("quantized_relu(4,-1)", "has integer=-1; QKeras computes with 0 or more"),
        ("quantized_bits(4.5,0,1)", "has bits=4.5; whole numbers are supported"),
        ("quantized_relu(4,2,negative_slope=0.25)", "has negative_slope=0.25; 0 is supported"),
        ("quantized_relu(4,2,use_sigmoid=1)", "has use_sigmoid=1; 0 is supported"),
        ("quantized_relu(4,2,qnoise_factor=0.25)",
         "has qnoise_factor=0.25: it does not quantize wholly; 1.0 is supported"),
        ("quantized_relu(4,2,relu_upper_bound=2.3,is_quantized_clip=False)",
         "has relu_upper_bound=2.3, which is no multiple of its step"),
        ("quantized_relu_po2(4)", "is a quantized_relu_po2; supported: quantized_bits_featuremap, "
         "quantized_bits, quantized_relu, quantized_tanh, quantized_sigmoid, quantized_hswish, "
         "binary, ternary"),
        ("stochastic_ternary()", "is a stochastic_ternary, which draws its values by chance; "
         "use ternary"),
        ("bernoulli()", "is a bernoulli, which draws its values by chance; use binary"),
        ("binary(alpha='auto')", "has alpha='auto': a scale for each input; use alpha=1, or "
         "quantized_bits_featuremap, which learns one"),
        ("binary()", "(binary) must read codes; put a quantized_bits or "
         "quantized_bits_featuremap before it"),
        ("quantized_tanh(4)", "(quantized_tanh) must read codes; put a quantized_bits or "
         "quantized_bits_featuremap before it"),
    ],
)  # fmt: skip
def test_activation_quantizers_without_exact_integers(quantizer: str, problem: str) -> None:
    layers = [activation(4), conv(2, 1), QActivation(quantizer, name="one")]
    assert problems(chain(SHAPE, layers)) == [f"quantizer 'one' {problem}."]


def test_an_activation_scale_that_is_no_power_of_two() -> None:
    model = frozen(SHAPE, [activation(4), conv(2, 1), activation(4, alpha="auto", name="b")])
    assert problems(model) == [
        "quantizer 'b' has alpha='auto'; the hardware path supports alpha='auto_po2'."
    ]


def test_dilation() -> None:
    model = between_quantizers(conv(2, 2, name="one", dilation_rate=2))
    assert problems(model) == ["layer 'one' has dilation_rate=(2, 2); 1 is supported."]


def test_a_leaky_relu() -> None:
    model = between_quantizers(conv(2, 1), L.ReLU(negative_slope=0.125, name="leaky"))
    assert problems(model) == [
        "layer 'leaky': ReLU with negative_slope=0.125, threshold=0.0; both must be 0."
    ]


def test_a_model_without_layers() -> None:
    assert problems(chain(SHAPE, [L.Dropout(0.5)])) == ["model 'small' has no quantized layer."]


def test_all_problems_are_reported_at_once() -> None:
    layers = [
        L.BatchNormalization(name="norm"),
        conv(2, 2, name="one", dilation_rate=2, activation="softplus"),
        activation(4, alpha="auto", name="auto"),
        L.AveragePooling2D(2, name="pool"),
    ]
    assert problems(chain((6, 6, 2), layers)) == [
        "layer 'norm' (BatchNormalization) has gains that are no integers times powers of two; "
        "call models.quantizers.freeze_norms(model) first.",
        f"layer 'norm' reads the unquantized input; {QUANTIZE_INPUT}.",
        "layer 'one' has dilation_rate=(2, 2); 1 is supported.",
        "layer 'one' reads 'norm' without a quantizer between them; add a QActivation.",
        "layer 'one' has activation='softplus'; make it a layer of its own.",
        "quantizer 'auto' has alpha='auto'; the hardware path supports alpha='auto_po2'.",
        "layer 'pool' has no quantizer behind it; add a QActivation after it.",
    ]


def test_two_outputs_do_not_hide_what_is_wrong_with_layers() -> None:
    inputs = tf.keras.Input(SHAPE)
    x = conv(2, 2, name="one", dilation_rate=2)(activation(4, alpha="auto", name="a")(inputs))
    outputs = [L.Permute((2, 1, 3), name="swap")(x), x]
    wide, auto, dilated, swap, one = problems(tf.keras.Model(inputs, outputs, name="two"))
    assert one.startswith("layer 'one' has no quantizer behind it; add a QActivation between ")
    assert wide.startswith("model 'two' has 1 inputs and 2 outputs;")
    assert auto.startswith("quantizer 'a' has alpha='auto';")
    assert dilated.startswith("layer 'one' has dilation_rate=(2, 2);")
    assert swap.startswith("layer 'swap' (Permute) moves more than channels;")


def test_what_was_never_calibrated_is_told_with_the_other_problems() -> None:
    model = chain(SHAPE, [activation(4, name="a"), L.Permute((2, 1, 3), name="swap")])
    with pytest.raises(UnsupportedLayer) as caught:
        from_keras(model)
    assert str(caught.value).endswith("\n  - the ranges of quantizers 'a' were never calibrated.")
    with pytest.raises(UnsupportedLayer) as caught:
        read_steps(model, ranges_follow=True)
    assert "calibrated" not in str(caught.value)


def test_batch_normalization_of_sums_that_are_not_a_layers() -> None:
    layers = [L.AveragePooling2D(2, name="pool"), L.BatchNormalization(name="norm")]
    model = between_quantizers(*layers)
    freeze_norms(model)
    assert problems(model)[:1] == [
        "layer 'norm' reads 'pool' without a quantizer between them; add a QActivation."
    ]


def test_batch_normalization_with_quantizers_that_qkeras_cannot_compute() -> None:
    norm = QBatchNormalization(gamma_quantizer="quantized_relu(4,-1)", name="norm")
    model = between_quantizers(conv(2, 1), norm)
    assert freeze_norms(model) == []
    assert problems(model) == [
        "layer 'norm' (QBatchNormalization) has a gamma_quantizer that has integer=-1; QKeras "
        "computes with 0 or more."
    ]


def test_batch_normalization_of_rows() -> None:
    (problem,) = problems(between_quantizers(L.BatchNormalization(axis=1, name="norm")))
    assert problem == (
        "layer 'norm' (BatchNormalization) normalizes axes [1]; the channels' is supported."
    )


def test_batch_normalization_with_statistics_that_are_not_finite() -> None:
    model = between_quantizers(conv(2, 1), L.BatchNormalization(name="norm"))
    model.get_layer("norm").moving_mean.assign([np.nan, 0])
    assert freeze_norms(model) == []
    (problem, *_) = problems(model)
    assert problem == (
        "layer 'norm' (BatchNormalization) holds NaN or infinity; train the model again."
    )


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


def test_flattening_without_any_quantizer() -> None:
    layers = [
        activation(4), L.AveragePooling2D(2, name="pool"), L.Flatten(name="flat"),
        L.Reshape((4, 2)), dense(3, name="last"), L.Flatten(name="end"),
    ]  # fmt: skip
    assert problems(chain(SHAPE, layers)) == [
        "layer 'last' reads 'pool' without a quantizer between them; "
        "add a QActivation between 'pool' and 'flat'.",
        "layer 'last' has no quantizer behind it; add a QActivation between 'last' and 'end'.",
    ]


def test_flattening_between_a_layer_and_its_quantizer() -> None:
    model = frozen((2, 4, 1), [activation(4), conv(3, 2, name="one"), L.Flatten(name="f"),
                               activation(4)])  # fmt: skip
    with pytest.raises(UnsupportedLayer, match=r"layer 'f' \(Flatten\) stands between 'one' and"):
        from_keras(model)


def test_tensors_of_another_rank() -> None:
    model = chain((4, 4, 4, 2), [activation(4), dense(3, name="one"), activation(4)])
    model_tensor, layer_tensor = problems(model)
    assert model_tensor == (
        "'small' has a tensor of shape (4, 4, 4, 2); [h, w, c], [w, c] and [c] of known sizes are "
        "supported."
    )
    assert layer_tensor.startswith("'one' has a tensor of shape (4, 4, 4, 3); ")


def test_a_tensor_of_unknown_size() -> None:
    (problem, *_) = problems(chain((None, 4, 2), [activation(4), conv(3, 1), activation(4)]))
    assert problem.startswith("'small' has a tensor of shape (None, 4, 2); ")


def test_ranges_that_were_never_calibrated() -> None:
    model = chain(SHAPE, [activation(4, name="a"), conv(2, 1), activation(4, name="b")])
    with pytest.raises(NotCalibrated) as caught:
        from_keras(model)
    assert isinstance(caught.value, FlowError)
    assert str(caught.value) == (
        "the ranges of quantizers 'a', 'b' were never calibrated.\n"
        "  Call models.ranges.calibrate(model, samples) and freeze(model) first, or train."
    )
