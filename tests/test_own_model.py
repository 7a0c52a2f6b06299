"""A user's own model as a run: its file, its samples, its name, without Keras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.cache import hash_file
from flow.config import ROOT, load_config
from flow.data import Source
from flow.errors import ConfigError, DataError
from flow.own_model import OwnModel, own_model, own_name, own_samples
from flow.runs import Request, prepare
from flow.stages import stages_of
from tests.own_files import architecture, data

CONFIG = load_config()
X = np.zeros((4, 5, 3), np.float32)


def request(folder: Path, **more: Any) -> Request:
    keras = architecture(folder / "own.h5", (5, 3))
    given = data(folder / "set.npz", x=X, y=[0, 1, 0, 1])
    return Request("own", keras=keras, **{"data": given, **more})


@pytest.mark.parametrize(
    ("shape", "full"), [((9, 5, 3), (9, 5, 3)), ((5, 3), (1, 5, 3)), ((3,), (1, 1, 3))]
)
def test_the_input_is_read_from_the_file(
    tmp_path: Path, shape: tuple[int, ...], full: tuple[int, ...]
) -> None:
    file = architecture(tmp_path / "own.h5", shape)
    model = own_model(file, 500)
    assert (model.shape, model.input_shape) == (shape, full)
    assert (model.sha256, model.target_ii_cycles) == (hash_file(file), 500)


@pytest.mark.parametrize("shape", [(None, 3), (4, 4, 4, 4), ()])
def test_other_inputs_are_refused(tmp_path: Path, shape: tuple[int | None, ...]) -> None:
    file = architecture(tmp_path / "own.h5", shape)
    with pytest.raises(DataError) as caught:
        own_model(file, None)
    assert str(caught.value) == (
        f"model file {str(file)!r} has an input of shape {list(shape)}; [h, w, channels], "
        "[w, channels] and [channels] of known sizes are supported.\n"
        "  Give tf.keras.Input the whole shape, and save the model again."
    )


def test_a_file_without_an_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not say what its input is"):
        own_model(architecture(tmp_path / "own.h5"), None)


@pytest.mark.parametrize(
    ("name", "run"), [("own.h5", "own"), ("my net v1.2.h5", "my_net_v1.2"), ("-x.h5", "x")]
)
def test_the_run_is_called_like_the_file(name: str, run: str) -> None:
    assert own_name(Path(name), CONFIG) == run


@pytest.mark.parametrize("name", ["kws.h5", "kws-vitis.h5", "cache.h5"])
def test_names_of_other_runs_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        own_name(Path(name), CONFIG)
    benchmark = name.partition(".")[0].partition("-")[0]
    assert str(caught.value) == (
        f"--keras {name}: results would go to those of {benchmark!r}.\n"
        "  Give the file another name: the run is called like it."
    )


def test_samples_with_and_without_labels(tmp_path: Path) -> None:
    model = own_model(architecture(tmp_path / "own.h5", (5, 3)), None)
    labelled = own_samples(Source(data(tmp_path / "a.npz", x=X, y=[0, 1, 2, 1]), True), model)
    assert labelled.x.shape == (4, 1, 5, 3)
    assert (labelled.labelled, labelled.y.tolist()) == (True, [0, 1, 2, 1])
    plain = own_samples(Source(data(tmp_path / "b.npz", x=X), True), model)
    assert (plain.labelled, plain.y.tolist()) == (False, [0, 0, 0, 0])


REMEDY = (
    "\n  Store x as float32 [n, 5, 3], the model's input, and y as n integer labels from 0, or "
    "leave y out: numpy.savez('set.npz', x=x, y=y)."
)


@pytest.mark.parametrize(
    ("arrays", "problems"),
    [
        ({"y": [0]}, "key 'x' is missing"),
        ({"x": X[:, 0]}, "x has shape (4, 3), expected [n, 5, 3]"),
        ({"x": X[:0]}, "x holds no samples, expected at least one"),
        ({"x": X + np.nan}, "x holds NaN or infinity, first at (0, 0, 0)"),
        (
            {"x": X.astype(float), "y": np.eye(4)},
            "x has dtype float64, expected float32; y has shape (4, 4), expected (4,) as x; of "
            "one-hot rows take y.argmax(axis=1)",
        ),
        ({"x": X, "y": [0, 1]}, "y has shape (2,), expected (4,) as x"),
        ({"x": X, "y": [0.5] * 4}, "y has dtype float64, expected an integer type"),
        ({"x": X, "y": [0, -1, 0, 0]}, "y holds -1, expected labels from 0"),
    ],
)
def test_samples_that_do_not_fit(tmp_path: Path, arrays: Any, problems: str) -> None:
    model = own_model(architecture(tmp_path / "own.h5", (5, 3)), None)
    path = data(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError) as caught:
        own_samples(Source(path, True), model)
    assert str(caught.value) == f"data file {path}: {problems}.{REMEDY}"


def test_a_run_is_prepared(tmp_path: Path) -> None:
    run = prepare(request(tmp_path, engine="vitis", cycles=700, frames=2), CONFIG)
    assert (run.name, run.model, run.quant) == ("own-vitis-ii700", "own", "own")
    assert isinstance(run.settings, OwnModel)
    assert run.settings.target_ii_cycles == 700
    assert [path.name for path in run.weight_files] == ["own.h5"]
    assert prepare(request(tmp_path), CONFIG).name == "own"


def test_cycles_of_a_benchmark_are_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIFTFLOW_DATA", raising=False)
    run = prepare(Request("kws", cycles=5000), CONFIG)
    assert (run.name, run.settings.target_ii_cycles) == ("kws-ii5000", 5000)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"data": None}, "a model of your own (--keras) needs samples of its input: to calibrate,"),
        ({"quant": "flat8"}, "--quant flat8 is not available with --keras, whose file says every"),
        ({"frames": 5}, "5 frames were asked for, but 'set' holds 4 samples"),
        ({"cycles": -1}, "--cycles -1 is not allowed; choose 1 or more."),
    ],
)
def test_a_run_that_cannot_be(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        prepare(request(tmp_path, **more), CONFIG)
    assert str(caught.value).startswith(problem)


def test_the_integers_depend_on_the_file_and_on_the_samples(tmp_path: Path) -> None:
    def inputs() -> Any:
        return stages_of(prepare(request(tmp_path), CONFIG))[0].inputs

    first = inputs()
    data(tmp_path / "set.npz", x=X + 1)
    asked = Request("own", keras=tmp_path / "own.h5", data=tmp_path / "set.npz")
    other_samples = stages_of(prepare(asked, CONFIG))[0].inputs
    architecture(tmp_path / "own.h5", (5, 3), (2,))
    other_file = stages_of(prepare(asked, CONFIG))[0].inputs
    assert first["data"] != other_samples["data"]
    assert first["weights"] == other_samples["weights"] != other_file["weights"]


def test_a_model_file_is_looked_at_without_tensorflow() -> None:
    code = "import sys, flow.runs; print([n for n in ('tensorflow', 'qkeras') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
