"""The six networks: shapes and widths of their tables, folding, the float models they come from."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from flow.errors import ConfigError
from models import networks, ranges
from models.bits import ActivationBits, NetworkBits, WeightBits, network_bits
from models.float_models import FILES, FOLDER, load_float
from models.folding import fold_batchnorm, transfer

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("ad", "ic", "kws", "vww")
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("vww_effnet", "vww_mbv2")]
# Parameters of the float networks. ad, ic, kws, vww: of the official models; the others are
# compared with Keras' own below.
PARAMETERS = {"ad": 269_992, "ic": 78_666, "kws": 24_908, "vww": 221_794}

_FREE = tf.autograph.experimental.do_not_convert


@cache
def built(name: str) -> tf.keras.Model:
    """The mixed-precision network, not calibrated."""
    return networks.build(network_bits(name))


@cache
def built_float(name: str) -> tf.keras.Model:
    """The float network with batch normalization."""
    return networks.build_float(name)


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_layers_are_those_of_the_table(name: str) -> None:
    bits, model = network_bits(name), built(name)
    found = {layer.name: _widths(layer) for layer in ranges.activation_layers(model)}
    found |= {layer.name: _widths(layer) for layer in model.layers if hasattr(layer, "bias")}
    assert found == {item.layer: item for item in bits.layers}


def _widths(layer: tf.keras.layers.Layer) -> ActivationBits | WeightBits:
    if hasattr(layer, "quantizer"):
        quantizer, elements = layer.quantizer, int(np.prod(layer.output_shape[1:]))
        signed = bool(quantizer.keep_negative)
        return ActivationBits(layer.name, quantizer.bits, signed, elements)
    kernel, bias = layer.get_weights()
    kind = type(layer).__name__
    prefix = "depthwise" if kind == "QDepthwiseConv2D" else "kernel"
    kinds = {"QConv2D": "conv2d", "QDepthwiseConv2D": "depthwise_conv2d", "QDense": "dense"}
    return WeightBits(
        layer.name,
        kinds[kind],
        getattr(layer, f"{prefix}_quantizer_internal").bits,
        layer.bias_quantizer_internal.bits,
        kernel.size,
        bias.size,
    )


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_codes_are_unsigned_where_no_value_is_negative(name: str) -> None:
    for layer in ranges.activation_layers(built(name)):
        unsigned = _never_negative(layer.input.node.layer, name)
        if (name, layer.name) == ("kws", "activation_10"):
            unsigned = False  # its weights were trained with a signed pool
        assert (layer.quantizer.lo == 0) == unsigned, layer.name


def _never_negative(layer: tf.keras.layers.Layer, name: str) -> bool:
    kind = type(layer).__name__
    if kind == "InputLayer":
        return name not in ("ad", "kws")
    if kind in ("AveragePooling2D", "QActivation", "Flatten"):
        return _never_negative(layer.input.node.layer, name)
    return kind == "ReLU" or (kind == "Activation" and layer.activation.__name__ == "sigmoid")


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_folded_network_equals_the_float_one(name: str) -> None:
    original = built_float(name)
    networks.randomize(original, networks.random_inputs(name, 16, seed=2), seed=3)
    folded = networks.build_float(name, folded=True)
    transfer(folded, fold_batchnorm(original))
    x = networks.random_inputs(name, 4, seed=4)
    expected = original(x, training=False).numpy()
    assert expected.std(axis=0).min() > 0
    error = np.abs(folded(x).numpy() - expected).max()
    assert error < 1e-4 * np.abs(expected).max()


def test_float_networks_are_as_large_as_the_official_ones() -> None:
    found = {name: built_float(name).count_params() for name in PARAMETERS}
    assert found == PARAMETERS


def test_official_float_models_fit_where_they_are_at_hand() -> None:
    """Layer names and shapes are equal, and folded weights give the outputs of the model."""
    for name, file in FILES.items():
        path = ROOT / FOLDER / file
        if not path.is_file():
            continue
        official = load_float(path)
        assert _weight_shapes(official) == _weight_shapes(built_float(name))
        folded = networks.build_float(name, folded=True)
        transfer(folded, fold_batchnorm(official))
        x = networks.random_inputs(name, 16, seed=5)
        expected, found = official(x).numpy(), folded(x).numpy()
        if name != "ad":  # the official ones end in a softmax
            found = tf.nn.softmax(found).numpy()
        assert np.abs(found - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


def _weight_shapes(model: tf.keras.Model) -> dict[str, list[tuple[int, ...]]]:
    return {
        layer.name: [tuple(weight.shape) for weight in layer.weights]
        for layer in model.layers
        if layer.weights
    }


@pytest.mark.slow
@_FREE
def test_vww_effnet_is_the_efficientnet_b0_of_keras() -> None:
    keras = tf.keras.applications.EfficientNetB0(
        weights=None, input_shape=(96, 96, 3), classes=2, classifier_activation=None
    )
    x = networks.random_inputs("vww_effnet", 8, seed=6)
    networks.randomize(keras, 255 * x, seed=7)  # it divides by 255 itself
    folded = fold_batchnorm(keras)
    weights = {key: value for key, value in folded.items() if not key.startswith("normalization")}
    ours = networks.build_float("vww_effnet", folded=True)
    transfer(ours, weights)
    _assert_equal(ours(x), keras(255 * x))


@pytest.mark.slow
@_FREE
def test_vww_mbv2_is_the_mobilenet_v2_of_keras_with_one_expansion_more() -> None:
    keras = tf.keras.applications.MobileNetV2(
        weights=None, input_shape=(96, 96, 3), classes=2, classifier_activation=None
    )
    x = networks.random_inputs("vww_mbv2", 8, seed=8)
    networks.randomize(keras, x, seed=9)
    theirs = fold_batchnorm(keras)
    names = {"conv2d": "Conv1", "conv2d_35": "Conv_1", "conv2d_36": "predictions"}
    for block in range(17):
        prefix = f"block_{block}" if block else "expanded_conv"
        names["depthwise_conv2d" + (f"_{block}" if block else "")] = f"{prefix}_depthwise"
        names[f"conv2d_{2 * block + 1}"] = f"{prefix}_expand"
        names[f"conv2d_{2 * block + 2}"] = f"{prefix}_project"
    theirs["expanded_conv_expand/kernel"] = np.eye(32)[None, None]
    theirs["expanded_conv_expand/bias"] = np.zeros(32)
    theirs["predictions/kernel"] = theirs["predictions/kernel"][None, None]
    ours = networks.build_float("vww_mbv2", folded=True)
    transfer(ours, {f"{our}/{role}": theirs[f"{their}/{role}"]
                    for our, their in names.items() for role in ("kernel", "bias")})  # fmt: skip
    _assert_equal(ours(x), keras(x))


def _assert_equal(found: tf.Tensor, expected: tf.Tensor) -> None:
    assert np.std(expected, axis=0).min() > 0
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_weights_of_other_layers_are_refused() -> None:
    folded = fold_batchnorm(built_float("ad"))
    with pytest.raises(ValueError, match=r"dense_9.*model 'ic' has \['conv2d'"):
        transfer(networks.build_float("ic", folded=True), folded)


def test_unknown_network_lists_the_choices() -> None:
    with pytest.raises(ConfigError) as caught:
        networks.build_float("resnet")
    assert str(caught.value) == (
        "there is no network 'resnet'.\n  Choose one of: ad, ic, kws, vww, vww_effnet, vww_mbv2."
    )


def test_every_network_has_a_table() -> None:
    tables = {name: network_bits(name) for name in networks.NETWORKS}
    assert all(isinstance(bits, NetworkBits) and bits.network == name
               for name, bits in tables.items())  # fmt: skip
    for name, bits in tables.items():
        assert bits.input_elements == np.prod(networks.NETWORKS[name].INPUT_SHAPE)
