"""`analyse --keras` on the command line: what it shows, and what it refuses of a model.

What is refused before the model is loaded: tests/robustness/analyse_cases.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QConv2D, QDense

from flow import build
from flow.cache import hash_file
from tests.frontend.small_models import activation, chain, quick
from tests.own_files import data

WEIGHTS = {
    "kernel_quantizer": "quantized_bits(4,0,1,alpha='auto')",
    "bias_quantizer": "quantized_bits(8,1)",
}
X = np.random.default_rng(5).normal(size=(30, 5, 5, 2)).astype(np.float32)


@quick
def saved(path: Path, outputs: int = 3) -> Path:
    layers = [
        QActivation("quantized_bits(8,2)"), QConv2D(4, 3, name="first", **WEIGHTS),
        activation(6, name="learned"), tf.keras.layers.Flatten(),
        QDense(outputs, name="last", **WEIGHTS), QActivation("quantized_bits(8,3)"),
    ]  # fmt: skip
    model = chain((5, 5, 2), layers)
    rng = np.random.default_rng(3)
    for name in ("first", "last"):
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(size=w.shape) * 0.4 for w in layer.get_weights()])
    model.save(path, save_format="h5")
    return path


@quick
def analysed(folder: Path, arrays: dict[str, Any], *more: str, outputs: int = 3) -> Any:
    """The JSON of an analysis."""
    keras, given = saved(folder / "mine.h5", outputs), data(folder / "set.npz", x=X, **arrays)
    call = [
        "analyse",
        "--keras",
        str(keras),
        "--data",
        str(given),
        "--json",
        str(folder / "a.json"),
    ]
    assert build.main([*call, *more]) == 0
    return json.loads((folder / "a.json").read_text())


def test_a_labelled_model_has_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = analysed(tmp_path, {"y": np.arange(30) % 3}, "--csv", str(tmp_path / "a.csv"))
    assert (content["model"], content["quant"], content["samples"]) == ("mine", "own", 30)
    assert content["provenance"]["weights_sha256"] == hash_file(tmp_path / "mine.h5")
    assert content["provenance"]["data_sha256"] == hash_file(tmp_path / "set.npz")
    assert set(content["accuracy"]) == {"float", "qkeras", "integer"}
    assert content["no_float_twin"] is None
    assert [layer["name"] for layer in content["layers"]] == ["input", "first", "last"]
    for layer in content["layers"][1:]:
        assert 0 < layer["weights"]["sqnr"]["db"] < 40  # against the float weights of the file
        assert 0 <= layer["weights"]["zeros"] < 1
        assert 0 <= layer["bias"]["zeros"] < 1
        assert layer["acc"]["unused_bits"] >= 0
        assert {"clipped_low", "clipped_high", "unused_bits"} < layer["y"].keys()
        assert layer["errors"]["integer_sqnr"]["db"] > 0
    assert "calibrated on the samples: learned." in content["notes"]
    out, err = capsys.readouterr()
    assert err == ""
    assert "mine (own), 30 samples of set" in out
    assert "costs most: quantized alone" in out.splitlines()[-1]
    assert (tmp_path / "a.csv").read_text().count("\n") == 4


def test_ranges_are_calibrated_on_all_samples_whatever_is_drawn(tmp_path: Path) -> None:
    few = analysed(tmp_path, {"y": np.arange(30) % 3}, "--samples", "6")
    (tmp_path / "again").mkdir()
    whole = analysed(tmp_path / "again", {"y": np.arange(30) % 3})
    assert (few["samples"], whole["samples"]) == (6, 30)
    for one, other in zip(few["layers"], whole["layers"], strict=True):
        assert one["y"]["scale_exp"] == other["y"]["scale_exp"]
        assert one["weights"] == other["weights"]


@pytest.mark.parametrize(
    ("arrays", "outputs", "why"),
    [
        ({}, 3, "the samples have no labels (y)."),
        ({"y": np.zeros(30, int)}, 1, "a single output is no choice between classes."),
    ],
)
def test_without_classes_there_is_no_accuracy(
    arrays: dict[str, Any], outputs: int, why: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    content = analysed(tmp_path, arrays, outputs=outputs)
    assert (content["accuracy"], content["agreement"]) == (None, None)
    assert f"No accuracy was measured: {why}" in content["notes"]
    assert f"note: No accuracy was measured: {why}" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What is said of wrong use or data."""
    assert build.main(["analyse", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


@quick
def test_layers_that_cannot_be_integers_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = chain((5, 5, 2), [tf.keras.layers.Conv2D(2, 3, name="plain"), activation(4)])
    model.save(tmp_path / "own.h5", save_format="h5")
    given = str(data(tmp_path / "set.npz", x=X))
    assert "layer 'plain' is a Conv2D; use QConv2D." in refused(
        capsys, "--keras", str(tmp_path / "own.h5"), "--data", given
    )


@quick
def test_labels_beyond_the_outputs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = str(data(tmp_path / "set.npz", x=X, y=np.arange(30)))
    keras = str(saved(tmp_path / "mine.h5"))
    said = refused(capsys, "--keras", keras, "--data", given, "--json", str(tmp_path / "a.json"))
    assert "y[3] is 3, but the model has 3 outputs: labels are 0..2." in said
    assert not (tmp_path / "a.json").exists()
