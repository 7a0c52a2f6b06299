"""Every quantizer and layer that QKeras exports, in every role: exact, or refused by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qkeras
import tensorflow as tf
from qkeras import (
    QLSTM,
    QActivation,
    QAdaptiveActivation,
    QAveragePooling2D,
    QBatchNormalization,
    QBidirectional,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDepthwiseConv2D,
    QSeparableConv1D,
    QSeparableConv2D,
)
from qkeras.quantizers import BaseQuantizer

from flow.errors import UnsupportedLayer
from flow.frontend._layers import REMEDIES, SUPPORTED
from flow.frontend.user_model import load_user_model
from tests.frontend.small_models import chain, checked
from tests.frontend.test_user_model import saved

SHAPE = (4, 4, 2)
WIDE, WEIGHTS = "quantized_bits(8,2)", "quantized_bits(4,0,1)"

QUANTIZERS = {
    "bernoulli": "bernoulli()",
    "binary": "binary(alpha=1)",
    "quantized_bits": "quantized_bits(5,1)",
    "quantized_hswish": "quantized_hswish(6,2)",
    "quantized_po2": "quantized_po2(4,2)",
    "quantized_relu": "quantized_relu(4,2)",
    "quantized_relu_po2": "quantized_relu_po2(4,2)",
    "quantized_sigmoid": "quantized_sigmoid(5)",
    "quantized_tanh": "quantized_tanh(5)",
    "quantized_ulaw": "quantized_ulaw(4,1)",
    "stochastic_binary": "stochastic_binary()",
    "stochastic_ternary": "stochastic_ternary()",
    "ternary": "ternary(alpha=1)",
}
OF_WEIGHTS = {"binary", "quantized_bits", "ternary"}
RANDOM = {"bernoulli", "stochastic_binary", "stochastic_ternary"}
OF_SUMS = {"quantized_bits", "quantized_relu"}
TABLES = {"binary", "quantized_hswish", "quantized_sigmoid", "quantized_tanh", "ternary"}


def conv(**more: Any) -> QConv2D:
    options = {"kernel_quantizer": WEIGHTS, "bias_quantizer": WIDE, "padding": "same", **more}
    return QConv2D(2, 2, **options)


def quantized(layer: Any) -> list[Any]:
    """The layer between codes."""
    return [layer, QActivation(WIDE)]


def kernel(quantizer: str, name: str) -> list[Any]:
    return quantized(conv(kernel_quantizer=quantizer, name=name))


def bias(quantizer: str, name: str) -> list[Any]:
    return quantized(conv(bias_quantizer=quantizer, name=name))


def depthwise(quantizer: str, name: str) -> list[Any]:
    return quantized(
        QDepthwiseConv2D(
            2, padding="same", depthwise_quantizer=quantizer, bias_quantizer=WIDE, name=name
        )
    )


def dense(quantizer: str, name: str) -> list[Any]:
    return quantized(QDense(2, kernel_quantizer=quantizer, bias_quantizer=WIDE, name=name))


def folded(quantizer: str, name: str) -> list[Any]:
    options = {"kernel_quantizer": quantizer, "bias_quantizer": WIDE, "padding": "same"}
    return quantized(QConv2DBatchnorm(2, 2, **options, name=name))


def gamma(quantizer: str, name: str) -> list[Any]:
    return quantized(QBatchNormalization(gamma_quantizer=quantizer, name=name))


def average(quantizer: str, name: str) -> list[Any]:
    return quantized(QAveragePooling2D(1, average_quantizer=quantizer, name=name))


def behind_sums(quantizer: str, name: str) -> list[Any]:
    return [*quantized(conv()), conv(), QActivation(quantizer, name=name)]


def behind_codes(quantizer: str, name: str) -> list[Any]:
    return [*quantized(conv()), QActivation(quantizer, name=name)]


def argument(quantizer: str, name: str) -> list[Any]:
    return [*quantized(conv()), conv(activation=quantizer, name=name)]


UNBUILDABLE = set(QUANTIZERS) - {"binary", "quantized_bits", "quantized_relu", "stochastic_binary"}
ROLES: dict[str, tuple[Callable[[str, str], list[Any]], set[str]]] = {
    "kernel": (kernel, OF_WEIGHTS),
    "bias": (bias, OF_WEIGHTS),
    "depthwise": (depthwise, OF_WEIGHTS),
    "dense": (dense, OF_WEIGHTS),
    "folded": (folded, OF_WEIGHTS),
    "gamma": (gamma, set(QUANTIZERS) - RANDOM),  # read off its values
    "average": (average, {"quantized_bits"}),
    "behind_sums": (behind_sums, OF_SUMS),
    "behind_codes": (behind_codes, OF_SUMS | TABLES),
    "argument": (argument, OF_SUMS),
}


SLOW = ("bias", "depthwise", "dense", "folded", "argument")  # much as kernel, behind_sums


def test_no_quantizer_is_left_out() -> None:
    exported = {
        name
        for name, value in vars(qkeras).items()
        if inspect.isclass(value) and issubclass(value, BaseQuantizer)
    }
    assert exported - {"BaseQuantizer"} == set(QUANTIZERS)


@pytest.mark.parametrize(
    "role",
    [pytest.param(role, marks=pytest.mark.slow if role in SLOW else ()) for role in ROLES],
)
def test_each_quantizer_is_exact_or_refused_by_name(role: str, tmp_path: Path) -> None:
    make, supported = ROLES[role]
    tried = set(QUANTIZERS) - (UNBUILDABLE if role == "average" else set())

    def model(kinds: set[str]) -> tf.keras.Model:
        layers = [make(QUANTIZERS[kind], f"{role}_{kind}") for kind in sorted(kinds)]
        return chain(SHAPE, [QActivation(WIDE), *(one for more in layers for one in more)])

    refused = tried - supported
    if refused:
        with pytest.raises(UnsupportedLayer) as caught:
            load_user_model(saved(model(tried), tmp_path))
        problems = str(caught.value).split("\n  - ")[1:]
        found = {kind: [p for p in problems if f"'{role}_{kind}'" in p] for kind in tried}
        assert {kind for kind, listed in found.items() if listed} == refused
        assert all(kind in found[kind][0] for kind in refused)
    checked(load_user_model(saved(model(tried & supported), tmp_path)).model, frames=10)


def test_no_layer_of_qkeras_is_without_a_word() -> None:
    layers = {
        name
        for name, value in vars(qkeras).items()
        if name.startswith("Q") and inspect.isclass(value)
    }
    cells = {"QGRUCell", "QLSTMCell", "QSimpleRNNCell"}  # parts of layers
    assert layers - cells - {"QInitializer"} <= {*SUPPORTED, *REMEDIES}


def test_layers_without_integers_are_refused_by_name() -> None:
    quantizers = {"depthwise_quantizer": WEIGHTS, "pointwise_quantizer": WEIGHTS}
    memory = {"kernel_quantizer": WEIGHTS, "recurrent_quantizer": WEIGHTS, "bias_quantizer": WIDE}
    models = [
        ((5, 2), [
            QSeparableConv1D(2, 2, **quantizers, bias_quantizer=WIDE, name="a"),
            QLSTM(3, return_sequences=True, **memory, name="b"),
            QBidirectional(QLSTM(3, **memory), name="c"),
        ]),
        (SHAPE, [
            QAdaptiveActivation("quantized_bits", 6, name="a"),
            QSeparableConv2D(2, 2, **quantizers, bias_quantizer=WIDE, name="b"),
        ]),
    ]  # fmt: skip
    for shape, layers in models:
        with pytest.raises(UnsupportedLayer) as caught:
            from_layers(shape, layers)
        _, *problems = str(caught.value).split("\n  - ")
        assert [p for p in problems if "calibrated" not in p] == [
            f"layer {layer.name!r} is a {type(layer).__name__}; {REMEDIES[type(layer).__name__]}."
            for layer in layers
        ]


def from_layers(shape: tuple[int, ...], layers: list[Any]) -> None:
    from flow.frontend import from_keras

    from_keras(chain(shape, [QActivation(WIDE), *layers, QActivation(WIDE)]))
