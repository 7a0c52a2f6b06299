"""A user's own model: its float twin has the weights of the file, and signs have no twin."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QBatchNormalization, QConv2D, QConv2DBatchnorm, QDense
from qkeras.quantizers import binary, quantized_bits, quantized_relu, ternary

from flow.analysis import Analysis, analyse, csv_text, document
from flow.analysis.masters import master_steps, no_twin
from flow.analysis.twin import twin_values
from flow.analysis.weights import all_weights
from flow.commands._analysis_text import print_analysis, verdict
from flow.frontend import from_keras
from flow.frontend.keras_reader import read_steps
from flow.frontend.user_model import load_keras, load_user_model
from flow.graph import IntGraph
from models.quantizers import keep_settings
from tests.analysis.hand_net import some_quick
from tests.frontend.random_models import random_model, random_samples
from tests.frontend.small_models import branched, chain, quick, samples

L = tf.keras.layers
SHAPE = (6, 6, 2)
WEIGHTS = {
    "kernel_quantizer": quantized_bits(4, 0, 1, alpha="auto"),
    "bias_quantizer": quantized_bits(6, 1, 1, alpha=1),
}


class Quantized:
    conv = staticmethod(lambda *args, **more: QConv2D(*args, **more, **WEIGHTS))
    folded = staticmethod(lambda *args, **more: QConv2DBatchnorm(*args, **more, **WEIGHTS))
    dense = staticmethod(lambda *args, **more: QDense(*args, **more, **WEIGHTS))
    norm = staticmethod(lambda **more: QBatchNormalization(**more))
    codes = staticmethod(lambda x: QActivation(quantized_bits(12, 4, 1, alpha=1))(x))
    relu = staticmethod(lambda x: QActivation(quantized_relu(12, 4))(x))


class Plain:
    conv, dense, norm = L.Conv2D, L.Dense, L.BatchNormalization
    codes = staticmethod(lambda x: x)
    relu = staticmethod(lambda x: L.ReLU()(x))

    @staticmethod
    def folded(*args: Any, name: str, **more: Any) -> Any:
        conv, norm = L.Conv2D(*args, **more, name=name), L.BatchNormalization(name=f"{name}_norm")
        return lambda x: norm(conv(x))


def network(make: Any, x: Any) -> Any:
    """Normalization of codes, behind a layer's sums, folded into a layer; at the end none."""
    x = make.codes(make.norm(name="first")(make.codes(x)))
    x = make.relu(make.norm(name="second")(make.conv(3, 2, name="a")(x)))
    x = make.relu(make.folded(4, 3, name="b")(x))
    return make.codes(make.dense(3, name="c")(L.Flatten()(x)))


def weights_of(name: str, plain: tf.keras.Model, rng: np.random.Generator) -> list[Any]:
    """Random ones, positive where they are gains or variances."""
    found = [rng.normal(size=w.shape) * 0.5 for w in plain.get_layer(name).get_weights()]
    if "norm" in name or name in ("first", "second"):
        found = [np.abs(values) + 0.2 for values in found]
    return found


def both(shape: tuple[int, ...] = SHAPE) -> tuple[tf.keras.Model, tf.keras.Model]:
    """The network with quantizers, and in float with the same weights."""
    model, plain = (branched(shape, lambda x, m=make: network(m, x)) for make in (Quantized, Plain))
    rng = np.random.default_rng(4)
    for name in ("first", "second", "a", "b", "b_norm", "c"):
        plain.get_layer(name).set_weights(weights_of(name, plain, rng))
    for name in ("first", "second", "a", "c"):
        model.get_layer(name).set_weights(plain.get_layer(name).get_weights())
    kernel, bias = plain.get_layer("b").get_weights()
    gamma, beta, mean, variance = plain.get_layer("b_norm").get_weights()
    folding = model.get_layer("b")
    folding.kernel.assign(kernel)
    folding.bias.assign(bias)
    norm = folding.batchnorm
    for variable, values in zip(
        (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance),
        (gamma, beta, mean, variance),
        strict=True,
    ):
        variable.assign(values)
    return model, plain


def saved(model: tf.keras.Model, path: Path) -> Path:
    model.save(path, save_format="h5")
    return path


@quick
def analysed(path: Path, real: np.ndarray) -> tuple[Analysis, IntGraph]:
    """As the command does it."""
    model = load_user_model(path, real).model
    graph = from_keras(model)
    raw = real.reshape(-1, *graph.input_shape)
    labels = np.arange(len(real)) % 3
    return analyse(model, graph, real, raw, labels, before=load_keras(path)), graph


@quick
def test_the_twin_has_the_weights_of_the_file(tmp_path: Path) -> None:
    model, plain = both()
    path, real = saved(model, tmp_path / "own.h5"), samples(model, 5)
    frozen = load_user_model(path, real).model
    steps = read_steps(frozen)
    masters = master_steps(steps, load_keras(path))
    wanted = plain.predict(real, verbose=0)
    twin = twin_values(masters, real)[-1].reshape(wanted.shape)
    np.testing.assert_allclose(twin, wanted, rtol=1e-4, atol=1e-4)
    used = twin_values(steps, real)[-1].reshape(wanted.shape)
    assert np.abs(used - wanted).max() > 0.01  # frozen gains, biases and scales


@quick
def test_every_layer_of_an_own_model_is_measured(tmp_path: Path) -> None:
    model, plain = both()
    path, real = saved(model, tmp_path / "own.h5"), samples(model, 5)
    found, graph = analysed(path, real)
    assert [layer.name for layer in found.errors] == ["input", *(n.name for n in graph.nodes)]
    assert [layer.name for layer in found.weights] == ["first", "a", "b", "c"]
    for layer in found.weights:
        assert 0 < layer.kernel.sqnr.db < 60, layer.name  # the quantizers of the file, 4 bits
        assert layer.bias is not None and 0 < layer.bias.sqnr.db < 60, layer.name
    for errors in found.errors:
        assert errors.own is not None and errors.integer is not None
        assert errors.own.noise > 0
        assert errors.qkeras is not None
        assert errors.qkeras.db == pytest.approx(errors.integer.db, abs=0.1)
    assert found.agreement is not None
    assert found.agreement.same["qkeras", "integer"] == 1
    classes = plain.predict(real, verbose=0).argmax(axis=1)
    assert found.agreement.accuracy["float"] == (classes == np.arange(5) % 3).mean()


@quick
def test_weights_are_compared_with_gains_of_the_file(tmp_path: Path) -> None:
    """A dense layer of one weight, and its normalization: figures by hand."""
    kernel = quantized_bits(3, 0, 1, alpha=1)
    layers = [
        QActivation(quantized_bits(8, 2, 1, alpha=1)),
        QDense(2, kernel_quantizer=kernel, bias_quantizer=quantized_bits(3, 0, 1), name="dense"),
        L.BatchNormalization(epsilon=0.001, name="norm"),
        QActivation(quantized_bits(8, 2, 1, alpha=1)),
    ]
    model = chain((1,), layers)
    model.get_layer("dense").set_weights([np.array([[0.3, 0.75]]), np.array([0.25, 0.1])])
    variance = np.full(2, 1 - 0.001)
    values = [np.array([2.0, 0.5]), np.array([1.0, 0.0]), np.zeros(2), variance]
    model.get_layer("norm").set_weights(values)
    path = saved(model, tmp_path / "own.h5")
    frozen = load_user_model(path).model
    nodes = from_keras(frozen).nodes
    (found,) = all_weights(master_steps(read_steps(frozen), load_keras(path)), nodes)
    # 0.3 becomes 1/4, times the gain 2: 0.6 and 0.5; 0.75 is a code
    assert found.kernel.sqnr.noise == pytest.approx(0.1**2, rel=1e-4)
    assert found.kernel.sqnr.signal == pytest.approx(0.6**2 + 0.375**2, rel=1e-4)
    assert found.worst_channel == 0
    # 0.25 * 2 + 1 stays; 0.1 becomes 0
    assert found.bias is not None
    assert found.bias.sqnr.noise == pytest.approx(0.05**2, rel=1e-4)


def signs(quantizer: Any) -> tf.keras.Model:
    rng = np.random.default_rng(0)
    layers = [
        QActivation(quantized_bits(8, 2, 1, alpha=1)),
        QConv2D(3, 2, name="conv", **WEIGHTS),
        QActivation(quantized_bits(6, 2, 1, alpha=1)),
        QActivation(quantizer, name="sign"),
        L.Flatten(),
        QDense(3, name="last", **WEIGHTS),
    ]
    model = chain((4, 4, 2), layers)
    for name in ("conv", "last"):
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return model


@quick
@pytest.mark.parametrize("quantizer", [binary(alpha=1), ternary(alpha=1)])
def test_a_network_of_signs_has_no_twin_and_is_analysed_nevertheless(
    quantizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = type(quantizer).__name__
    model = signs(quantizer)
    found, graph = analysed(saved(model, tmp_path / "own.h5"), samples(model, 6))
    assert found.no_twin == (
        f"activations 'sign' ({kind}) are signs, which stand for no values before rounding"
    )
    assert found.costliest is None
    assert (
        {layer.own for layer in found.errors} == {layer.integer for layer in found.errors} == {None}
    )
    assert sum(layer.differing for layer in found.errors) == 0
    assert all(layer.compared for layer in found.errors)
    assert found.weights[0].kernel.zeros > 0
    assert found.agreement is not None
    assert set(found.agreement.accuracy) == {"qkeras", "integer"}
    content = document(found, graph, {})
    assert content["no_float_twin"] == found.no_twin
    assert content["agreement"] == {"qkeras_integer": 1.0}
    assert content["layers"][1]["errors"]["own_sqnr"] is None
    rows = list(csv.DictReader(io.StringIO(csv_text(found, graph))))
    assert {row["errors_own_sqnr_db"] for row in rows} == {""}
    assert verdict(found).endswith(f"has no float twin ({found.no_twin})")
    print_analysis("own", "set", found)
    shown = capsys.readouterr().out
    assert "float twin " not in shown.split("accuracy")[1].split("no layer")[0]
    assert "QKeras and integers 100.00 %" in shown


@quick
def test_a_normalization_at_the_end_is_tapped_behind_itself(tmp_path: Path) -> None:
    norm = L.BatchNormalization(name="norm")
    layers = [
        QActivation(quantized_bits(8, 2, 1, alpha=1)), QDense(3, name="dense", **WEIGHTS), norm,
        L.Softmax(),
    ]  # fmt: skip
    model = chain((5,), layers)
    rng = np.random.default_rng(1)
    for name in ("dense", "norm"):
        layer = model.get_layer(name)
        layer.set_weights([np.abs(rng.normal(size=w.shape)) + 0.5 for w in layer.get_weights()])
    found, _ = analysed(saved(model, tmp_path / "own.h5"), samples(model, 9))
    last = found.errors[-1]
    assert last.qkeras is not None and last.integer is not None
    assert last.qkeras.db == pytest.approx(last.integer.db, abs=0.01)
    assert last.qkeras.db > 10


@quick
def test_networks_without_signs_have_a_twin() -> None:
    model = chain((4,), [QActivation(quantized_bits(8, 2, 1, alpha=1)), QDense(2, **WEIGHTS)])
    assert no_twin(read_steps(model)) is None


@pytest.mark.parametrize("seed", some_quick(range(200, 224), 1))
@quick
def test_any_file_can_be_analysed(seed: int, tmp_path: Path) -> None:
    model = random_model(seed)
    real = random_samples(model.input_shape[1:], 4, seed)
    found, graph = analysed(saved(keep_settings(model), tmp_path / "own.h5"), real)
    assert [layer.name for layer in found.errors[1:]] == [node.name for node in graph.nodes]
    last = found.errors[-1]
    assert last.own == last.alone
    assert (last.own is None) == (found.no_twin is not None)
    assert document(found, graph, {})["layers"][-1]["name"] == graph.output.name
