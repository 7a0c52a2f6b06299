"""A model file is looked at before Keras is: whatever would run or fetch something is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from flow.config import ROOT
from flow.errors import DataError
from flow.frontend import _model_config, _model_reader, model_file
from flow.frontend._model_reader import inspect
from flow.frontend.model_file import check_model_file, read_model_config
from tests.frontend import small_models

LAMBDA = "holds Python code, which loading would run"
PICKLE = "a Python pickle, which runs code of its author when it is loaded"


class Touch:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def twice(x: tf.Tensor) -> tf.Tensor:
    """A function with a name: Keras writes where to import it from, not its code."""
    return 2 * x


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that Keras wrote: plain, with Lambda layers, with an operation of TensorFlow."""
    folder = tmp_path_factory.mktemp("models")
    layers = tf.keras.layers
    small_models.frozen(
        (4, 4, 1), [small_models.activation(8), small_models.conv(2, 3), small_models.activation(8)]
    ).save(folder / "qkeras.h5")
    plain = tf.keras.Sequential(
        [layers.Input((4,)), layers.Dense(3, activation="relu"), layers.ReLU(max_value=6)]
    )
    plain.compile("adam", "mse")
    inner = tf.keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x + 1, name="plus")])
    code = tf.keras.Sequential(
        [layers.Input((4,)), layers.Dense(3), inner, layers.Lambda(twice, name="twice")]
    )
    x = tf.keras.Input((4,))
    named = tf.keras.Model(x, tf.math.multiply(x, 2.0))
    for suffix in ("h5", "keras"):
        plain.save(folder / f"plain.{suffix}")
        code.save(folder / f"code.{suffix}")
        named.save(folder / f"named.{suffix}")
    plain.save_weights(folder / "weights.h5")
    plain.save(folder / "saved_model")
    return folder


def problems_of(path: Path) -> list[str]:
    """What speaks against a file, without the process that `check_model_file` starts for it."""
    return inspect(path).problems


def with_config(path: Path, config: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        file.create_group("model_weights")
    return path


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}


def keras_file(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["qkeras.h5", "plain.h5", "plain.keras"])
def test_model_of_layers_is_taken(models: Path, name: str) -> None:
    config = read_model_config(models / name)
    assert config["class_name"] in ("Functional", "Sequential")
    assert config["config"]["layers"]


def test_weights_of_this_repository_are_taken() -> None:
    assert read_model_config(ROOT / "models/weights/kws-mpq.h5")["config"]["name"] == "kws"


def test_message_lists_all_problems_and_the_way_out(models: Path) -> None:
    with pytest.raises(DataError) as caught:
        check_model_file(models / "code.h5")
    assert str(caught.value) == (
        f"model file '{models}/code.h5' cannot be used:\n"
        f"  - layer 'plus' is a Lambda: it {LAMBDA}.\n"
        f"  - layer 'twice' is a Lambda: it {LAMBDA}.\n"
        "  Build the model from layers of Keras and QKeras alone, and save it: "
        'model.save("model.h5").'
    )


def test_file_is_found_from_where_the_user_is(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flow").mkdir()  # a package of the user's must not be taken for ours
    (tmp_path / "flow" / "__init__.py").write_text("raise SystemExit(3)")
    (tmp_path / "mein modell.h5").symlink_to(models / "plain.h5")
    monkeypatch.chdir(tmp_path)
    assert read_model_config(Path("mein modell.h5"))["class_name"] == "Sequential"


@pytest.mark.parametrize(
    ("reader", "problem"),
    [
        ("import time; time.sleep(60)", "it is damaged: it could not be read within 0.5 s."),
        ("import os; os.abort()", "it is damaged: reading it ended with -6 (it said nothing)."),
    ],
)
def test_reader_that_hangs_or_crashes_is_damage(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, problem: str
) -> None:
    (tmp_path / "bad_reader.py").write_text(reader)
    monkeypatch.setattr(model_file, "ROOT", tmp_path)
    monkeypatch.setattr(model_file, "READER", "bad_reader")
    monkeypatch.setattr(model_file, "TIMEOUT_S", 0.5)
    with pytest.raises(DataError) as caught:
        check_model_file(models / "plain.h5")
    assert f"  - {problem}\n" in str(caught.value)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_every_lambda_is_named(models: Path, suffix: str) -> None:
    assert problems_of(models / f"code.{suffix}") == [
        f"layer 'plus' is a Lambda: it {LAMBDA}.",
        f"layer 'twice' is a Lambda: it {LAMBDA}.",
    ]


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_function_of_tensorflow_by_name_is_refused(models: Path, suffix: str) -> None:
    assert problems_of(models / f"named.{suffix}") == [
        "layer 'tf.math.multiply' is a TFOpLambda: it calls a TensorFlow function by its name, "
        "and may name any."
    ]


def test_weights_alone_are_refused(models: Path) -> None:
    assert problems_of(models / "weights.h5") == [
        "it holds weights only, no architecture (model.save_weights); the architecture is needed "
        "too."
    ]


def test_saved_model_folder_is_refused(models: Path, tmp_path: Path) -> None:
    assert problems_of(models / "saved_model") == [
        "it is a SavedModel folder, whose graph may call Python; only a single .h5 or .keras file "
        "is read."
    ]
    assert problems_of(tmp_path) == ["it is a folder; only a single .h5 or .keras file is read."]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_pickle_is_refused_and_not_run(
    tmp_path: Path, protocol: int, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(pack(pickle.dumps(Touch(tmp_path / "ran"), protocol)))
    packed = "compressed, and in it " if pack is gzip.compress else ""
    assert problems_of(path) == [f"it is {packed}{PICKLE}, not a Keras model."]
    assert not (tmp_path / "ran").exists()


def test_long_pickle_is_known_by_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(list(range(100_000)), 0))
    assert problems_of(tmp_path / "model.pkl") == [f"it is {PICKLE}, not a Keras model."]


def test_numpy_files_are_told_apart(tmp_path: Path) -> None:
    objects = np.array([Touch(tmp_path / "ran")], object)
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    np.savez(tmp_path / "b.npz", x=np.zeros(3), y=objects)
    np.save(tmp_path / "c.npy", objects)
    np.save(tmp_path / "d.npy", np.zeros(3))
    assert [problems_of(tmp_path / name) for name in ("a.npz", "b.npz", "c.npy", "d.npy")] == [
        ["it is a NumPy archive (.npz), not a Keras model."],
        [f"it is a NumPy archive; its array 'y.npy' is {PICKLE}."],
        [f"it is {PICKLE}, not a Keras model."],
        ["it is a NumPy array, not a Keras model."],
    ]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("m.onnx", b"\x08\x07\x12\x07pytorch", "it is an ONNX model, not a Keras model."),
        ("m.pb", b"\n\x05graph", "it is a TensorFlow graph, not a Keras model."),
        ("m.h5", b"\x1c\0\0\0TFL3", "it is a TensorFlow Lite model, not a Keras model."),
        ("m.json", b'{"class_name": 1}', "it is text (an architecture without its weights?), "
         "not a Keras model."),
        ("m.keras", b"PK\3\4cut", "it is a damaged or incomplete ZIP archive, not a Keras model."),
        ("m.h5", b"no model", "it is neither HDF5 nor a .keras file."),
        ("m.h5", b"", "it is empty."),
    ],
)  # fmt: skip
def test_other_file_is_named(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert problems_of(tmp_path / name) == [kind]


def test_torchscript_is_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.pt", {"m/data.pkl": b"\x80\2.", "m/version": b"3"})
    assert problems_of(path) == [f"it is a PyTorch file, and holds {PICKLE}."]


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        check_model_file(tmp_path / "none.h5")
    assert str(caught.value) == (
        f"model file '{tmp_path}/none.h5' does not exist.\n  Name a .h5 or .keras file."
    )


@pytest.mark.parametrize("keep", [8, 100, 3000])
def test_truncated_h5_is_refused(models: Path, tmp_path: Path, keep: int) -> None:
    (tmp_path / "m.h5").write_bytes((models / "plain.h5").read_bytes()[:keep])
    (problem,) = problems_of(tmp_path / "m.h5")
    assert problem.startswith("it is damaged or incomplete (")


def test_truncated_keras_file_is_refused(models: Path, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes((models / "plain.keras").read_bytes()[:-30])
    assert problems_of(tmp_path / "m.keras") == [
        "it is a damaged or incomplete ZIP archive, not a Keras model."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "its architecture is not JSON (Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1))."),
        ("[1]", "its architecture is JSON, but no Keras model: 'class_name' and 'config'."),
        ('{"a":' * 100_000, "its architecture is nested too deeply."),
        (json.dumps({"class_name": "M", "config": {"a": json.loads("[" * 300 + "]" * 300)}}),
         "the model is nested more than 200 deep."),
    ],
)  # fmt: skip
def test_unreadable_architecture_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(with_config(tmp_path / "m.h5", text)) == [problem]


CODE = "4wEAAAAAAAAAAAAAAAIAAAADAAAA8wwAAACXAHwAZAF6BQAAUwApAk7pAgAAAKkAKQHaAXhzAQAA\n"


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ({"class_name": "__lambda__", "config": {"value": CODE}}, f"is a __lambda__: it {LAMBDA}."),
        ([CODE, None], f"{LAMBDA}."),
        ({"class_name": "X", "module": "keras.layers", "registered_name": "Lambda", "config": {}},
         f"is a Lambda: it {LAMBDA}."),
        ({"class_name": "Popen", "module": "subprocess", "config": {}},
         "uses 'Popen' of module 'subprocess', which loading would import; only what is in Keras, "
         "QKeras and models.quantizers is taken."),
        ({"class_name": "function", "module": "keras.utils", "config": "get_file"},
         "uses 'get_file' of module 'keras.utils', which loading would import; only what is in "
         "Keras, QKeras and models.quantizers is taken."),
        ({"class_name": "function", "module": "builtins", "config": "eval"},
         "uses 'eval' of module 'builtins', which loading would import; only what is in Keras, "
         "QKeras and models.quantizers is taken."),
        ({"class_name": "utils.get_file", "module": "keras", "config": {}},
         "uses 'utils.get_file' of module 'keras', which loading would import; only what is in "
         "Keras, QKeras and models.quantizers is taken."),
        ({"class_name": "Mine", "registered_name": "my_package>Mine", "config": {}},
         "uses 'my_package>Mine', which loading would import; only what is in Keras, QKeras and "
         "models.quantizers is taken."),
        ({"class_name": "x", "module": "models.quantizers_of_mine", "config": {}},
         "uses 'x' of module 'models.quantizers_of_mine', which loading would import; only what is "
         "in Keras, QKeras and models.quantizers is taken."),
        ({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
         "is a StringLookup: it reads other files when it is loaded."),
    ],
)  # fmt: skip
def test_code_inside_of_a_layer_is_found(tmp_path: Path, inner: Any, problem: str) -> None:
    layer = {"class_name": "Dense", "config": {"name": "dense", "kernel_regularizer": inner}}
    path = with_config(tmp_path / "m.h5", sequential(layer))
    assert problems_of(path) == [f"layer 'dense' {problem}"]


def test_all_problems_are_listed_up_to_a_number(tmp_path: Path) -> None:
    layers = [{"class_name": "Lambda", "config": {"name": f"l{i}"}} for i in range(60)]
    wrapped = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": layers[0]}}
    found = problems_of(with_config(tmp_path / "m.h5", sequential(wrapped, *layers[1:])))
    assert len(found) == _model_config.MAX_PROBLEMS + 1
    assert found[0] == f"layer 'l0' is a Lambda: it {LAMBDA}."
    assert found[-1] == "and 10 more."


def test_keras_internal_functions_are_taken(tmp_path: Path) -> None:
    relu = {"class_name": "function", "module": "builtins", "config": "relu",
            "registered_name": "function"}  # fmt: skip
    dense = {"class_name": "Dense", "module": "keras.layers", "registered_name": "Custom>Dense",
             "config": {"name": "dense", "activation": relu}}  # fmt: skip
    assert read_model_config(with_config(tmp_path / "m.h5", sequential(dense))) == sequential(dense)


def test_data_of_other_files_are_refused(tmp_path: Path) -> None:
    path = with_config(tmp_path / "m.h5", sequential())
    with h5py.File(path, "a") as file:
        file["away"] = h5py.ExternalLink("/etc/passwd", "/x")
        file.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        file["model_weights/ring"] = file  # a group that holds itself
    assert problems_of(path) == [
        "'/away' is a link (ExternalLink), not data.",
        "'/raw' takes its data from another file.",
    ]


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = with_config(tmp_path / "m.h5", sequential())
    with h5py.File(bomb, "a") as file:
        file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(64, 64), compression="gzip")
    assert bomb.stat().st_size < 1 << 20
    assert problems_of(bomb) == ["unpacked, it takes 4,194,304 MiB; at most 512 are read."]

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(64, 64), compression="gzip")
    members = {
        "config.json": json.dumps(sequential()).encode(),
        "model.weights.h5": buffer.getvalue(),
    }
    assert problems_of(keras_file(tmp_path / "m.keras", members)) == [
        "unpacked, it takes 4,194,304 MiB; at most 512 are read."
    ]

    monkeypatch.setattr(_model_reader, "MAX_FILE_BYTES", 8 << 20)
    monkeypatch.setattr(_model_reader, "MAX_CONFIG_BYTES", 1 << 20)
    path = keras_file(tmp_path / "n.keras", {"config.json": b" " * (2 << 20), "x": bytes(8 << 20)})
    assert problems_of(path) == [
        "unpacked, the archive takes 10 MiB; at most 8 are read.",
        "its config.json takes 2 MiB; at most 1 are read.",
    ]
    large = with_config(tmp_path / "l.h5", '"' + "a" * (2 << 20) + '"')
    assert problems_of(large) == ["its architecture takes 2 MiB; at most 1 are read."]
    monkeypatch.setattr(_model_reader, "MAX_FILE_BYTES", 1 << 20)
    assert problems_of(large) == ["it takes 2 MiB; at most 1 are read."]


def test_archive_that_would_unpack_elsewhere_is_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.zip", {"config.json": b"{}", "assets/../../x": b""})
    assert problems_of(path) == [
        "Keras reads such a file only when its name ends in .keras, not '.zip'.",
        "the archive's member 'assets/../../x' would be unpacked outside of its folder.",
    ]
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive, pytest.warns(UserWarning):
        archive.writestr("config.json", "{}")
        archive.writestr("config.json", "{}")
    assert problems_of(tmp_path / "m.keras") == [
        "the archive holds 2 members, too many or some of the same name."
    ]


def test_file_of_two_formats_is_refused(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes((models / "plain.h5").read_bytes() + (models / "code.keras").read_bytes())
    assert problems_of(path) == ["it is HDF5 and a ZIP archive at once; which of the two counts?"]


def test_check_imports_neither_keras_nor_tensorflow(models: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from flow.frontend._model_reader import inspect\n"
        "assert not inspect(Path(sys.argv[1])).problems\n"
        "print(sorted({'keras', 'tensorflow', 'qkeras', 'pickle5'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(models / "plain.h5")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
