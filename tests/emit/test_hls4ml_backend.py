"""The hls4ml back end as a user's script sees it: a fresh process, hls4ml's own functions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import hls4ml
import numpy as np
import pytest
import tensorflow as tf

from flow.emit import load_project
from flow.emit._shift_layers import graph_of
from flow.emit.hls4ml_backend import convert, keras_network
from flow.errors import ConfigError, DataError, FlowError, PlanError, ToolMissing
from flow.frontend import from_keras
from flow.graph import graph_hash, map_input, run, run_taps
from flow.plan import Target, plan, save_plan
from models.quantizers import CUSTOM_OBJECTS
from tests.frontend.small_models import activation, conv, dense, frozen, samples
from tests.helpers import small_graph

REPOSITORY = Path(__file__).parents[2]
TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)

SCRIPT = """\
import json
import sys

import hls4ml
import numpy as np
import tensorflow as tf

from flow.emit.hls4ml_backend import keras_network
from models.quantizers import CUSTOM_OBJECTS

model = tf.keras.models.load_model(sys.argv[1], custom_objects=CUSTOM_OBJECTS, compile=False)
x = np.load(sys.argv[2])
hls_model = hls4ml.converters.convert_from_keras_model(
    keras_network(model), backend="Shift", output_dir=sys.argv[3], project_name="mine",
    target="xc7z020", ii_cycles=300,
)
hls_model.compile()
y = hls_model.predict(x)
hls_model.write()
print(json.dumps({"y": y.tolist(), "backends": hls4ml.backends.get_available_backends()}))
"""


@pytest.fixture(scope="module")
def model() -> tf.keras.Model:
    layers = [
        activation(6), conv(4, 3, padding="same"), tf.keras.layers.ReLU(),
        activation(5, signed=False), tf.keras.layers.AveragePooling2D(2), activation(8),
        tf.keras.layers.Flatten(), dense(3), activation(9, symmetric=0),
    ]  # fmt: skip
    return frozen((6, 5, 2), layers)


def converted(model: tf.keras.Model, folder: Path, **options: Any) -> Any:
    return hls4ml.converters.convert_from_keras_model(
        keras_network(model), backend="Shift", output_dir=str(folder), project_name="mine",
        **options,
    )  # fmt: skip


def reference(model: tf.keras.Model, x: np.ndarray) -> np.ndarray:
    """Outputs of the integer reference, dequantised exactly."""
    graph = from_keras(model)
    y = graph.output.y
    codes = run(graph, map_input(graph, x.reshape((-1, *graph.input_shape))))
    return (codes.reshape(len(x), -1) - y.zero_point) * 2.0**y.scale_exp


def test_a_users_script_predicts_exactly_and_writes_a_project(
    model: tf.keras.Model, tmp_path: Path
) -> None:
    x = samples(model, 60)
    model.save(tmp_path / "model.h5", save_format="h5")
    np.save(tmp_path / "x.npy", x)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    arguments = [str(tmp_path / name) for name in ("model.h5", "x.npy", "project")]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=REPOSITORY, env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    y = np.array(answer["y"])
    np.testing.assert_array_equal(y, reference(model, x))
    np.testing.assert_array_equal(y.argmax(axis=1), model.predict(x, verbose=0).argmax(axis=1))
    assert len(np.unique(y.argmax(axis=1))) > 1
    assert {"shift", "vitis", "vivado"} <= set(answer["backends"])
    loaded = tf.keras.models.load_model(
        tmp_path / "model.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    project = load_project(tmp_path / "project")
    assert project.top_module == "mine_top"
    assert [unit.name for unit in project.units] == [
        *(node.name for node in from_keras(loaded).nodes), "ingress", "egress",
    ]  # fmt: skip


def test_predict_gives_maps_their_shape(tmp_path: Path) -> None:
    maps = frozen((4, 3, 2), [activation(6), conv(3, 2), activation(7)])
    x = samples(maps, 5)
    y = converted(maps, tmp_path).predict(x)
    assert y.shape == (5, 3, 2, 3)
    np.testing.assert_array_equal(y.reshape(5, -1), reference(maps, x))


def test_a_graph_survives_hls4ml(tmp_path: Path) -> None:
    graph = small_graph()
    again = graph_of(convert(graph, tmp_path))
    assert graph_hash(again) == graph_hash(graph)
    assert dict(again.provenance) == dict(graph.provenance)


def test_the_converter_gives_the_frontends_integers(model: tf.keras.Model, tmp_path: Path) -> None:
    assert graph_hash(graph_of(converted(model, tmp_path))) == graph_hash(
        from_keras(model, name="mine")
    )


def test_layer_types_are_the_quantizers_fixed_point_types(tmp_path: Path) -> None:
    graph = small_graph()
    layers = list(convert(graph, tmp_path).get_layers())
    for layer, node in zip(layers[1:], graph.nodes, strict=True):
        precision = layer.get_output_variable().type.precision
        assert (precision.width, precision.signed) == (node.y.bits, node.y.signed)
        assert precision.fractional == -node.y.scale_exp


@pytest.mark.parametrize("flows", [["vivado:ip"], ["convert"], ["shift:ir", "optimize"]])
def test_foreign_flows_are_refused(model: tf.keras.Model, tmp_path: Path, flows: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path, hls_config={"Flows": flows}).compile()
    assert str(caught.value) == (
        f"hls_config['Flows'] = {flows} is not supported by back end 'Shift'.\n"
        "  Leave 'Flows' out: stock optimizers change what quantizers mean."
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Model": {"Precision": "ap_fixed<8,4>"}}, "Model.Precision"),
        ({"Model": {"ReuseFactor": 4, "Strategy": "Latency"}}, "Model.ReuseFactor, Model.Strategy"),
        ({"LayerName": {"dense": {"Trace": True}}}, "LayerName"),
    ],
)
def test_settings_without_effect_are_refused(
    model: tf.keras.Model, tmp_path: Path, settings: dict, named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path, hls_config=settings).compile()
    assert str(caught.value) == (
        f"hls_config settings {named} have no effect in back end 'Shift'.\n"
        "  Leave them out: widths follow from the quantizers and weights; folds from ii_cycles and "
        "layers."
    )


def test_foreign_flows_are_refused_by_predict_too(model: tf.keras.Model, tmp_path: Path) -> None:
    foreign = converted(model, tmp_path, hls_config={"Flows": ["vivado:ip"]})
    for call in (lambda: foreign.predict(samples(model, 2)), foreign.write):
        with pytest.raises(ConfigError, match=r"hls_config\['Flows'\] = \['vivado:ip'\]"):
            call()


def test_an_unknown_option_is_refused(model: tf.keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path, colour="red", part="xc7z020clg400-1")
    assert str(caught.value) == (
        "back end 'Shift' has no option ['colour', 'part'].\n"
        "  Its options: target, engine, io_type, ii_cycles, layers, plan_file, jobs, "
        "xls_timeout_s, cache_dir.\n  Part and clock are the target's, in config.yaml."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "quartus"}, "engine 'quartus' is not available; choose one of: xls, vitis."),
        ({"io_type": "io_parallel"},
         "io_type 'io_parallel' is not available with engine 'xls'; choose one of: io_stream."),
        ({"engine": "vitis", "io_type": "io_serial"},
         "io_type 'io_serial' is not available with engine 'vitis'; choose one of: io_stream, "
         "io_parallel."),
        ({"ii_cycles": 0},
         "ii_cycles=0 is not allowed; choose a whole number from 1, or None for as few as the "
         "device allows."),
        ({"ii_cycles": 1e3},
         "ii_cycles=1000.0 is not allowed; choose a whole number from 1, or None for as few as the "
         "device allows."),
    ],
)  # fmt: skip
def test_values_that_do_not_exist_are_refused(
    model: tf.keras.Model, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path, **options)
    assert str(caught.value) == message


def test_an_unknown_target_is_refused(model: tf.keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="target 'nope' is unknown; choose one of: xc7z020"):
        converted(model, tmp_path, target="nope").compile()


def test_overrides_of_layers_reach_the_plan(model: tf.keras.Model, tmp_path: Path) -> None:
    name = from_keras(model).nodes[0].name
    with pytest.raises(PlanError, match=rf"layer '{name}': PE=3 does not divide"):
        converted(model, tmp_path, layers={name: {"pe": 3}}).compile()
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path, layers={name: {"reuse": 3}})
    assert str(caught.value) == (
        f"layers[{name!r}] has no option ['reuse']; its options: pe, simd, products."
    )


def test_an_interval_that_cannot_be_reached_fails_in_compile(
    model: tf.keras.Model, tmp_path: Path
) -> None:
    with pytest.raises(PlanError, match="cannot reach an initiation interval of 10 cycles"):
        converted(model, tmp_path, ii_cycles=10).compile()


def test_without_an_interval_the_device_is_filled(model: tf.keras.Model, tmp_path: Path) -> None:
    from flow.emit._shift_backend import plan_of

    filled = plan_of(converted(model, tmp_path, ii_cycles=None))
    assert filled.units == plan(from_keras(model, name="mine"), TARGET, None).units


def test_a_given_plan_is_used(model: tf.keras.Model, tmp_path: Path) -> None:
    from flow.emit._shift_backend import plan_of

    chosen = plan(from_keras(model, name="mine"), TARGET, 777)
    save_plan(chosen, tmp_path / "plan.json")
    assert plan_of(converted(model, tmp_path, plan_file=str(tmp_path / "plan.json"))) == chosen


@pytest.mark.parametrize(
    ("shape", "message"),
    [((2, 6, 5, 1), "not (n, 6, 5, 2)"), ((1, 5, 6, 2), "not (n, 6, 5, 2)"), ((60,), "not (n, 6")],
)
def test_inputs_of_another_shape_are_refused(
    model: tf.keras.Model, tmp_path: Path, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        converted(model, tmp_path).predict(np.zeros(shape))
    assert str(caught.value).startswith(f"inputs of 'mine' have shape {shape}, ")
    assert message in str(caught.value)


def test_inputs_that_are_not_finite_are_refused(model: tf.keras.Model, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="inputs of 'mine' hold NaN or infinity"):
        converted(model, tmp_path).predict(np.full((1, 6, 5, 2), np.inf))


def test_an_unknown_option_of_build_is_refused(model: tf.keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        converted(model, tmp_path).build(csim=True)
    assert str(caught.value) == (
        "build() has no option ['csim'] with engine 'xls'.\n"
        "  Its options: x, frames, simulate, synth."
    )


@pytest.fixture(scope="module")
def vitis(model: tf.keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The network behind engine vitis, compiled."""
    made = converted(model, tmp_path_factory.mktemp("vitis") / "project", engine="vitis",
                     ii_cycles=300)  # fmt: skip
    made.compile()
    return made


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_c_simulation_predicts_what_the_reference_computes(
    model: tf.keras.Model, vitis: Any, dtype: type
) -> None:
    x = samples(model, 60)
    expected, x = reference(model, x), x.astype(dtype)
    y = vitis.predict(x)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(vitis._predict(x), y)  # hls4ml's own call of the library


def test_hls4ml_traces_every_layer(model: tf.keras.Model, vitis: Any) -> None:
    x = samples(model, 20)
    graph = from_keras(model)
    expected = run_taps(graph, map_input(graph, x.reshape((-1, *graph.input_shape))))
    y, taps = vitis.trace(np.ascontiguousarray(x, np.float64))
    assert list(taps) == [node.name for node in graph.nodes]
    np.testing.assert_array_equal(y, reference(model, x))
    for node in graph.nodes:
        real = (expected[node.name] - node.y.zero_point) * 2.0**node.y.scale_exp
        np.testing.assert_array_equal(taps[node.name].reshape(real.shape), real)


def test_a_second_compilation_finds_the_library(
    vitis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flow import gxx

    def forbid(*_: object, **__: object) -> None:
        raise AssertionError("g++ was started")

    monkeypatch.setattr(gxx, "run_limited", forbid)
    vitis.compile()


def test_build_runs_the_testbench_on_given_frames(model: tf.keras.Model, vitis: Any) -> None:
    report = vitis.build(x=samples(model, 9), frames=7)
    assert (report["csim"].frames, report["csim"].codes_compared) == (7, 21)
    assert report["plan"].target_ii_cycles == 300


def test_synthesis_needs_vitis(vitis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolMissing, match="tool 'Vitis HLS' is missing; it is needed for synth"):
        vitis.build(csim=False, synth=True)


def test_the_options_of_build_are_those_of_the_engine(vitis: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        vitis.build(simulate=True)
    assert str(caught.value) == (
        "build() has no option ['simulate'] with engine 'vitis'.\n"
        "  Its options: x, frames, reset, csim, synth, cosim, validation, export, vsynth."
    )


def test_hls4mls_testbench_data_are_used(model: tf.keras.Model, tmp_path: Path) -> None:
    x = samples(model, 5)
    np.save(tmp_path / "x.npy", x)
    made = converted(
        model, tmp_path / "p", engine="vitis", ii_cycles=300, input_data_tb=str(tmp_path / "x.npy")
    )
    made.write()
    graph = from_keras(model)
    stored = np.loadtxt(tmp_path / "p" / "tb_data" / "tb_input_features.dat", np.int64)
    codes = map_input(graph, x.reshape((-1, *graph.input_shape)))
    np.testing.assert_array_equal(stored, codes.reshape(5, -1))


def test_testbench_data_that_cannot_be_used_are_refused(
    model: tf.keras.Model, tmp_path: Path
) -> None:
    missing = converted(model, tmp_path / "p", engine="vitis", input_data_tb="no.npy")
    with pytest.raises(DataError, match=r"input_data_tb='no\.npy' cannot be read"):
        missing.write()
    given = converted(model, tmp_path / "p", engine="vitis", output_data_tb="y.npy")
    with pytest.raises(ConfigError, match=r"output_data_tb='y\.npy' is not supported"):
        given.write()
    assert not (tmp_path / "p").exists()


def test_profiling_sees_real_weights(model: tf.keras.Model, vitis: Any) -> None:
    graph = from_keras(model)
    weight, bias = list(vitis.get_layers())[1].get_weights()
    node = graph.nodes[0]
    np.testing.assert_array_equal(weight.data, node.weights * 2.0**node.weight_exp)
    np.testing.assert_array_equal(bias.data, node.bias * 2.0**node.bias_exp)


def test_an_unsupported_model_is_refused_with_its_reason(tmp_path: Path) -> None:
    stock = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3, name="plain")])
    with pytest.raises(FlowError, match="layer 'plain' is a Dense; use QDense"):
        converted(stock, tmp_path)


def test_stock_back_ends_work_beside_ours(model: tf.keras.Model, tmp_path: Path) -> None:
    converted(model, tmp_path / "ours")
    stock = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(3)])
    config = hls4ml.utils.config_from_keras_model(stock)
    made = hls4ml.converters.convert_from_keras_model(
        stock, hls_config=config, backend="Vitis", output_dir=str(tmp_path / "stock")
    )
    assert [layer.class_name for layer in made.get_layers()] == ["Input", "Dense"]
    made.write()
    assert (tmp_path / "stock" / "firmware" / "myproject.cpp").is_file()
