"""A user's model goes through its file: saved, looked at, loaded, made exact, compared."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import (
    QActivation,
    QAveragePooling2D,
    QBatchNormalization,
    QConv1D,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDepthwiseConv2D,
    QDepthwiseConv2DBatchnorm,
    QGlobalAveragePooling2D,
)
from qkeras.quantizers import quantized_bits, quantized_hswish, quantized_relu

from flow.errors import DataError, UnsupportedLayer
from flow.frontend import from_keras
from flow.frontend._layers import (
    AVERAGE_POOLS,
    KERNELS,
    MAX_POOLS,
    MERGES,
    NORMS,
    PADDINGS,
    PERMUTES,
    SHAPES,
    UPSAMPLINGS,
)
from flow.frontend._reader import QUANTIZE_INPUT
from flow.frontend.user_model import load_user_model
from flow.graph import MatVec, Table, graph_hash
from flow.graph.weight_use import weight_use
from models.quantizers import keep_settings, quantized_bits_featuremap
from tests.frontend.small_models import activation, branched, chain, checked, quick, samples

L = tf.keras.layers
SHAPE = (6, 6, 3)


def bits(width: int, integer: int = 0, alpha: Any = 1) -> quantized_bits:
    return quantized_bits(width, integer, 1, alpha=alpha)


def weights(alpha: Any, kind: str = "kernel") -> dict[str, Any]:
    return {f"{kind}_quantizer": bits(4, 0, alpha), "bias_quantizer": bits(8, 1)}


def act(text: str, **more: Any) -> QActivation:
    return QActivation(text, **more)


@quick
def saved(model: tf.keras.Model, folder: Path, seed: int = 0) -> Path:
    """The model with random weights and statistics, in a file."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        values = [rng.normal(size=weight.shape) * 0.5 for weight in layer.weights]
        layer.set_weights([
            np.abs(value) + 0.1 if "variance" in weight.name
            else np.array(-1) if "iteration" in weight.name
            else weight.numpy() if "codes" in weight.name or "log2" in weight.name
            else value
            for weight, value in zip(layer.weights, values, strict=True)
        ])  # fmt: skip
    path = folder / "own.h5"
    model.save(path, save_format="h5")
    return path


def map_network(raw: Any) -> Any:
    """Maps: every layer with weights, normalization, pools, merges, paddings, repetitions."""
    x = act("quantized_bits(8,2)")(raw)
    x = QConv2D(4, 3, activation=quantized_relu(6, 3), **weights("auto"))(L.ZeroPadding2D(1)(x))
    y = QConv2DBatchnorm(4, 3, padding="same", **weights("auto_po2"))(x)
    y = act("quantized_relu(5,3)")(L.BatchNormalization()(act("quantized_bits(8,4)")(y)))
    y = QDepthwiseConv2DBatchnorm(3, padding="same", **weights(1, "depthwise"))(y)
    y = act("quantized_bits(7,4)")(y)
    x = act("quantized_relu(8,5)")(L.Activation("relu6")(L.Add()([x, y])))
    y = QDepthwiseConv2D(2, 2, padding="same", **weights("auto", "depthwise"))(x)
    y = act("quantized_relu(6,4)")(L.ReLU(6.0)(QBatchNormalization()(y)))
    x = L.Concatenate()([L.UpSampling2D(2)(y), x])
    x = L.MaxPooling2D(2)(act("quantized_relu(6,4)")(x))
    x = act("quantized_relu(6,4)")(L.AveragePooling2D(2, 1, "same")(x))
    x = act("quantized_bits(6,4)")(QAveragePooling2D(2, 1, average_quantizer=bits(8))(x))
    height, width, channels = x.shape[1:]
    x = L.Permute((1, 2, 4, 3))(L.Reshape((height, width, 2, channels // 2))(x))
    x = L.Reshape((height, width, channels))(x)
    gate = act("quantized_bits(6,3)")(QGlobalAveragePooling2D()(x))
    gate = L.Reshape((1, 1, 8))(act("quantized_sigmoid(6)")(gate))
    x = act("quantized_bits(8,3)")(L.Multiply()([x, gate]))
    x = L.Dropout(0.5)(L.Flatten()(x))
    return QDense(5, activation="softmax", **weights("auto"))(x)


def sequence_network(raw: Any) -> Any:
    """Sequences, and every function that becomes a table."""
    x = act("quantized_bits(8,2)")(raw)
    x = act("quantized_bits(6,2)")(QConv1D(4, 3, padding="causal", **weights("auto_po2"))(x))
    x = L.MaxPooling1D(2, padding="same")(x)
    for table in ("quantized_tanh(6)", "quantized_hswish(6,2)", "ternary()", "binary(alpha=1)"):
        x = act("quantized_bits(6,2)")(QConv1D(4, 1, **weights("auto"))(act(table)(x)))
    for function in ("hard_tanh", "smooth_sigmoid"):
        x = act("quantized_bits(6,1)")(act(function)(x))
    x = act("quantized_bits(6,1)")(L.Activation("swish")(x))
    x = act("quantized_relu(6,1)")(L.AveragePooling1D(2)(L.UpSampling1D(2)(x)))
    x = act("quantized_relu(6,1)")(L.GlobalAveragePooling1D()(L.ZeroPadding1D(0)(x)))
    return act("quantized_bits(8,3)")(QDense(3, kernel_quantizer="ternary()",
                                             bias_quantizer="binary(alpha=1)")(x))  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "build"), [(SHAPE, map_network), ((9, 2), sequence_network)], ids=["map", "sequence"]
)
def test_a_file_becomes_the_same_integers(
    shape: tuple[int, ...], build: Any, tmp_path: Path
) -> None:
    own = load_user_model(saved(branched(shape, build), tmp_path))
    graph = checked(own.model)
    # the integers come from a model that did not go through another file
    again = load_user_model(tmp_path / "own.h5")
    assert graph_hash(from_keras(again.model)) == graph_hash(graph)
    rounded = [note for note in own.notes if "rounded to an integer" in note]
    assert len(rounded) == (2 if build is map_network else 1)


def test_the_networks_above_hold_every_supported_layer() -> None:
    kinds = {
        type(layer).__name__
        for shape, build in ((SHAPE, map_network), ((9, 2), sequence_network))
        for layer in branched(shape, build).layers
    }
    every = {
        *KERNELS, *AVERAGE_POOLS, *MAX_POOLS, *MERGES, *NORMS, *PADDINGS, *PERMUTES, *SHAPES,
        *UPSAMPLINGS,
    }  # fmt: skip
    elsewhere = {"GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling2D"}
    assert every - kinds <= elsewhere  # tests/frontend/test_operators.py


def test_missing_ranges_are_calibrated_and_known_ones_kept(tmp_path: Path) -> None:
    model = chain((4, 4, 2), [
        activation(8, name="first"), QConv2D(3, 2, **weights(1)), activation(6, name="second"),
        L.Flatten(), QDense(3, **weights(1)), activation(9, name="third"),
    ])  # fmt: skip
    model.get_layer("second").quantizer.calibrate(np.array([-31.0, 31.0]))
    path = saved(model, tmp_path)
    with pytest.raises(DataError) as caught:
        load_user_model(path)
    assert str(caught.value) == (
        f"model file {str(path)!r}: the ranges of quantizers 'first', 'third' were never "
        "calibrated.\n  Give samples of its input: --data FILE.npz with x [n, 4, 4, 2] float32."
    )
    own = load_user_model(path, samples(model, 50))
    assert own.notes == ("calibrated on the samples: first, third.",)
    graph = checked(own.model)
    assert graph.nodes[0].y.scale_exp == 0
    assert graph.input_type.scale_exp == -5  # -1..3 in 8 bits


def test_everything_is_refused_at_once(tmp_path: Path) -> None:
    noisy = quantized_relu(4, 2, qnoise_factor=0.5)
    random = quantized_bits(4, 0, 1, alpha="auto", use_stochastic_rounding=True)
    layers = [
        QConv2D(2, 3, kernel_quantizer=random, bias_quantizer=bits(8), name="first"),
        QActivation(noisy, name="noisy"),
        QConv2D(2, 1, kernel_quantizer=bits(4), bias_quantizer=bits(8), name="broken"),
        act("stochastic_ternary()", name="chance"), L.Permute((2, 1, 3), name="swap"),
        L.AveragePooling2D(2, name="pool"), L.Dense(3, name="plain"),
        activation(4, name="new"),
    ]  # fmt: skip
    model = chain(SHAPE, layers)
    path = saved(model, tmp_path)
    broken = [np.full(w.shape, np.inf) for w in model.get_layer("broken").get_weights()]
    model.get_layer("broken").set_weights(broken)
    model.save(path, save_format="h5")
    with pytest.raises(UnsupportedLayer) as caught:
        load_user_model(path)
    heading, *listed = str(caught.value).split("\n  - ")
    assert heading == "model 'small' cannot become integers:"
    assert listed[:7] == [
        "layer 'first': kernel_quantizer rounds stochastically; use_stochastic_rounding=False is "
        "supported.",
        f"layer 'first' reads the unquantized input; {QUANTIZE_INPUT}.",
        "quantizer 'noisy' has qnoise_factor=0.5: it does not quantize wholly; 1.0 is supported.",
        "layer 'broken': its kernel holds NaN or infinity; train the model again.",
        "layer 'broken': its bias holds NaN or infinity; train the model again.",
        "quantizer 'chance' is a stochastic_ternary, which draws its values by chance; use "
        "ternary.",
        "layer 'swap' (Permute) moves more than channels; supported is a channel shuffle: "
        "Reshape((h, w, g, c // g)), Permute((1, 2, 4, 3)), Reshape((h, w, c)).",
    ]
    assert listed[7:] == [
        "layer 'plain' is a Dense; use QDense.",
        "the ranges of quantizers 'new' were never calibrated.",
    ]


@pytest.mark.parametrize(
    ("layer", "alpha", "value"),
    [(QConv2D, "auto_po2", np.nan), (QConv2DBatchnorm, "auto", np.inf)],
)
def test_weights_with_scales_that_are_not_finite(
    layer: type[Any], alpha: str, value: float, tmp_path: Path
) -> None:
    broken = layer(2, 3, name="broken", **weights(alpha))
    layers = [
        act("quantized_bits(8,2)"),
        broken,
        act("quantized_relu(4,2)"),
        L.Dense(3, name="plain"),
    ]
    model = chain(SHAPE, layers)
    path = saved(model, tmp_path)
    kernel = broken.kernel.numpy()
    kernel[0, 0, 0, 0] = value
    broken.kernel.assign(kernel)
    model.save(path, save_format="h5")
    with pytest.raises(UnsupportedLayer) as caught:
        load_user_model(path)
    assert str(caught.value).split("\n  - ")[1:] == [
        "layer 'broken': its kernel holds NaN or infinity; train the model again.",
        "layer 'plain' is a Dense; use QDense.",
    ]


def test_bits_that_are_not_used_are_counted(tmp_path: Path) -> None:
    lossy = QConv2D(2, 1, name="one", kernel_quantizer=bits(16, 16, "auto_po2"),
                    bias_quantizer=bits(31, 31, "auto_po2"))  # fmt: skip
    model = chain((4, 4, 2), [act("quantized_bits(6,2)"), lossy, act("quantized_bits(8,2)")])
    own = load_user_model(saved(model, tmp_path))
    graph = from_keras(own.model, notes=own.notes)
    kernel, bias = weight_use(graph)
    assert (kernel.layer, kernel.tensor, kernel.values, kernel.bits) == ("one", "kernel", 4, 16)
    assert kernel.used_bits < 10
    assert (bias.bits, bias.used_bits, bias.zeros) == (31, 1, 1.0)
    assert [note.partition(":")[0] for note in graph.notes] == ["layer 'one'"] * 2
    assert "every code is 0" in graph.notes[1]


@pytest.mark.parametrize("keep", [False, True])
def test_settings_that_qkeras_does_not_save_are_told_or_kept(keep: bool, tmp_path: Path) -> None:
    clipped = quantized_relu(6, 3, relu_upper_bound=1.5, is_quantized_clip=False)
    by_channel = quantized_bits(4, 0, 1, alpha="auto_po2", scale_axis=2)
    layers = [
        act("quantized_bits(8,2)"),
        QDepthwiseConv2D(2, depthwise_quantizer=by_channel, bias_quantizer=bits(8), name="deep"),
        QActivation(clipped, name="clip"),
    ]  # fmt: skip
    model = chain(SHAPE, layers)
    if keep:
        keep_settings(model)
    path = saved(model, tmp_path)
    own = load_user_model(path)
    same = graph_hash(from_keras(own.model)) == graph_hash(from_keras(model))
    assert same == keep
    if keep:
        assert own.notes == ()
        return
    deep, clip = own.notes
    assert deep == (
        "layer 'deep': its quantized_bits(4,0,1,alpha='auto_po2') has one scale for all channels. "
        "QKeras does not save scale_axis, with which it may have been trained; if so, call "
        "models.quantizers.keep_settings(model) before model.save."
    )
    assert clip == (
        "layer 'clip': its relu_upper_bound=1.5 has no effect, as QKeras loads it. QKeras does not "
        "save is_quantized_clip=False, with which it may have been trained; if so, call "
        "models.quantizers.keep_settings(model) before model.save."
    )


def test_names_that_hardware_cannot_have_are_changed_and_told(tmp_path: Path) -> None:
    layers = [
        act("quantized_bits(8,2)"), QConv2D(2, 1, name="block-1.conv", **weights(1)),
        act("quantized_relu(4,2)"), L.ReLU(name="9"), QConv2D(2, 1, name="output", **weights(1)),
        act("quantized_relu(4,2)"), act("quantized_relu(3,2)", name="codes"),
    ]  # fmt: skip
    own = load_user_model(saved(chain(SHAPE, layers), tmp_path))
    graph = checked(own.model)
    names = [node.name for node in graph.nodes]
    assert names == ["block_1_conv", "layer_9", "output_", "codes_"]
    assert graph.notes[0] == (
        "layer 'block-1.conv' is called 'block_1_conv' here: it names a module of hardware."
    )
    assert len(graph.notes) == 4


def test_a_file_of_something_else_is_refused_before_keras_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "own.h5"
    path.write_bytes(b"no model")
    with pytest.raises(DataError, match=r"it is neither HDF5 nor a \.keras file"):
        load_user_model(path)
    chain((3,), [L.Lambda(lambda x: x)]).save(path, save_format="h5")
    with pytest.raises(DataError, match="holds Python code"):
        load_user_model(path)


def test_what_keras_cannot_load_is_told(tmp_path: Path) -> None:
    model = chain((4,), [act("quantized_bits(8,2)"), QDense(2, name="one", **weights(1))])
    path = saved(model, tmp_path)
    import h5py

    with h5py.File(path, "r+") as file:
        text = file.attrs["model_config"].replace('"units": 2', '"units": 3')
        file.attrs["model_config"] = text
    with pytest.raises(DataError) as caught:
        load_user_model(path)
    first, remedy = str(caught.value).split("\n")
    assert first.startswith(f"model file {str(path)!r} cannot be loaded: ")
    assert remedy == (
        "  Save it with QKeras 0.9.0 and TensorFlow 2.14, as HDF5: model.save('my_model.h5')."
    )


def test_a_keras_archive_is_taken_where_keras_reads_its_own_file(tmp_path: Path) -> None:
    layers = [act("quantized_bits(8,2)"), QConv2D(2, 3, **weights("auto_po2")),
              act("quantized_relu(6,3)")]  # fmt: skip
    model = chain(SHAPE, layers)
    model.save(tmp_path / "own.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras' own are no business of the user
        own = load_user_model(tmp_path / "own.keras")
    assert graph_hash(checked(own.model)) == graph_hash(
        from_keras(load_user_model(saved_as_it_is(model, tmp_path)).model)
    )


def saved_as_it_is(model: tf.keras.Model, folder: Path) -> Path:
    path = folder / "own.h5"
    model.save(path, save_format="h5")
    return path


def test_a_keras_archive_that_keras_cannot_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.keras"  # QActivation does not read a quantizer object that it wrote
    chain((4,), [QActivation(bits(8, 2)), QDense(2, **weights(1))]).save(path)
    with pytest.raises(DataError) as caught:
        load_user_model(path)
    first, remedy = str(caught.value).split("\n")
    assert first.startswith(f"model file {str(path)!r} cannot be loaded: ")
    assert len(first) < len(str(path)) + 400
    assert remedy == (
        "  Save it with QKeras 0.9.0 and TensorFlow 2.14, as HDF5: model.save('my_model.h5')."
    )


def test_hswish_survives_a_file_also_as_an_object(tmp_path: Path) -> None:
    layers = [act("quantized_bits(8,2)"), QActivation(quantized_hswish(6, 2), name="one"),
              QDense(3, **weights(1)), act("quantized_bits(8,3)"),
              QActivation(quantized_hswish(5, 1, relu_upper_bound=5), name="last")]  # fmt: skip
    model = chain((4,), layers)
    graph = checked(load_user_model(saved_as_it_is(model, tmp_path)).model)
    assert isinstance(graph.output, Table)
    assert graph_hash(graph) == graph_hash(from_keras(model))


def test_a_calibrated_model_of_this_project_is_taken_as_it_is(tmp_path: Path) -> None:
    quantizer = quantized_bits_featuremap(6)
    quantizer.calibrate(np.array([-1.0, 1.0]))
    layers = [QActivation(quantizer), QDense(3, **weights(1)), act("quantized_bits(8,3)")]
    own = load_user_model(saved(chain((4,), layers), tmp_path))
    assert own.notes == ()
    node = checked(own.model).output
    assert isinstance(node, MatVec)
    assert not isinstance(node, Table)
