"""The experiment on flat `auto_po2`: its arms, what it measures, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner, Result

from models import networks
from models.experiments import arms, curves, figures, flat_po2
from models.float_models import FILES
from models.folding import fold_batchnorm, transfer
from models.recipes import ic
from tests.models.images_files import write_images

PLAN = flat_po2.Plan(8, 8, 1, 4, {})


@pytest.fixture(scope="module")
def folded() -> dict[str, np.ndarray]:
    float_model = networks.build_float("ic")
    networks.randomize(float_model, networks.random_inputs("ic", 4))
    return fold_batchnorm(float_model)


def built(name: str, folded: dict[str, np.ndarray]) -> tf.keras.Model:
    model = arms.build(arms.ARMS[name], batchnorm=False)
    transfer(model, folded)
    return model


def biases(model: tf.keras.Model) -> dict[str, float]:
    ratios = curves.zero_ratios(curves.effective_weights(model))
    return {name: ratio for name, ratio in ratios.items() if name.endswith("/bias")}


@pytest.mark.parametrize(("name", "zero"), [("stock-16-31", 1.0), ("fixed-16-31", 0.0)])
def test_stock_biases_of_31_bits_are_all_zero_and_fixed_ones_are_not(
    folded: dict[str, np.ndarray], name: str, zero: float
) -> None:
    ratios = biases(built(name, folded))
    assert len(ratios) == 10
    # the float shortcuts and the last layer have biases of 0.1 * N(0, 1), none is 0
    assert set(ratios.values()) == {zero}


def test_effective_kernels_are_on_the_grid_of_the_stock_floor(
    folded: dict[str, np.ndarray],
) -> None:
    kernel = curves.effective_weights(built("stock-16-31", folded))["conv2d/kernel"]
    steps = kernel * 2.0**7  # no step is below 2**(16 - 23), see docs/flat-po2.md
    np.testing.assert_array_equal(steps, np.rint(steps))


def test_widths_of_an_arm() -> None:
    flat = arms.ARMS["stock-16-16"].bits
    assert flat is not None
    assert {(spec.weight_bits, spec.bias_bits) for spec in flat.matrices.values()} == {(16, 16)}
    assert arms.ARMS["stock-mpq"].bits == arms.ARMS["fixed-mpq"].bits
    assert arms.ARMS["float"].bits is None


def test_activations_have_one_step_per_sample() -> None:
    quantize = arms.PerSampleStep(4, "q")
    x = tf.constant([[7.0, -3.4, 0.5, 0.0], [0.875, 0.1, -0.06, 0.07], [0.0, 0.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = quantize(x)
    expected = [[7.0, -3.0, 1.0, 0.0], [0.875, 0.125, 0.0, 0.125], [0.0, 0.0, 0.0, 0.0]]
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(tape.gradient(values, x), np.ones((3, 4)))


def test_activations_clip_where_the_step_was_rounded_down() -> None:
    values = arms.PerSampleStep(4, "q")(tf.constant([[9.0, 1.0]]))  # 9/7 -> step 1, top 7
    np.testing.assert_array_equal(values, [[7.0, 1.0]])


def test_updates_are_means_of_absolute_changes() -> None:
    before = {"a/kernel": np.float32([1, 2]), "a/bias": np.float32([0])}
    after = {"a/kernel": np.float32([0, 4]), "a/bias": np.float32([0])}
    assert curves.mean_updates(before, after) == {"a/kernel": 1.5, "a/bias": 0.0}


def training(arm: str, seed: int, accuracy: float) -> dict[str, Any]:
    record = {
        "loss": 1.0, "accuracy": accuracy, "val_loss": 2.0, "val_accuracy": accuracy,
        "zero_ratio": {"conv2d/kernel": 0.25, "dense/kernel": 0.75, "dense/bias": accuracy},
        "mean_update": {"conv2d/kernel": 0.1, "dense/kernel": 0.2, "dense/bias": 0.3},
    }  # fmt: skip
    first = {**record, "val_accuracy": 0.1, "mean_update": {}}
    return {"setting": "scratch", "arm": arm, "seed": seed, "epochs": [first, record]}


def test_summary_gives_mean_least_and_most_over_seeds(tmp_path: Path) -> None:
    figures.draw([training("float", 1, 0.5), training("float", 2, 0.75)], tmp_path)
    (row,) = json.loads((tmp_path / figures.SUMMARY).read_text())
    assert row["arm"] == "float" and row["seeds"] == 2 and row["epochs"] == 1
    assert row["validation accuracy"] == [0.625, 0.5, 0.75]
    assert row["kernel values that are 0"] == [0.5, 0.5, 0.5]
    assert row["biases that are 0"] == [0.625, 0.5, 0.75]
    assert row["before training: validation accuracy"] == 0.1
    for name in ("scratch.svg", "scratch-layers.svg"):
        assert (tmp_path / name).read_text().lstrip().startswith("<?xml")


def test_figures_are_the_same_again(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        figures.draw([training("stock-16-31", 1, 0.5)], tmp_path / folder)
    one, two = ((tmp_path / folder / "scratch-layers.svg") for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    for name in (ic.TRAIN_FILES[0], ic.TEST_FILE):
        write_images(place / name, 60, ic.SIZE, ic.CLASSES)
    networks.build_float("ic").save(place / FILES["ic"])
    return place


def run(data: Path, out: Path, *options: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(flat_po2.main)
    folders = ["--data", data, "--float-models", data, "--out", out, "--figures", out / "figures"]
    return CliRunner().invoke(app, [*map(str, folders), "--seeds", "1", "--images", "50", *options])


def test_finished_trainings_are_kept_and_those_of_other_settings_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trained = []

    def train(arm: arms.Arm, setting: str, *_: object) -> list[dict[str, Any]]:
        trained.append((setting, arm.name))
        return training(arm.name, 1, 0.5)["epochs"]

    monkeypatch.setattr(flat_po2, "train", train)
    out = tmp_path / "runs"
    assert run(data, out, "--arm", "float").exit_code == 0
    assert trained == [("scratch", "float"), ("transfer", "float")]
    assert run(data, out, "--arm", "float", "--arm", "stock-mpq").exit_code == 0
    assert trained[2:] == [("scratch", "stock-mpq"), ("transfer", "stock-mpq")]
    assert len(json.loads((out / "figures" / figures.SUMMARY).read_text())) == 4
    assert run(data, out, "--arm", "float", "--epochs", "2").exit_code == 1
    assert "made with other settings" in caplog.text
    (out / "scratch-float-1.json").write_text("{")
    assert run(data, out, "--arm", "float").exit_code == 1
    assert "is no JSON" in caplog.text
    assert len(trained) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--arm", "none"], "--arm none is unknown"),
        (["--images", "61"], "--images 61: ic_train_0.npz holds 60"),
        (["--setting", "x"], "--setting x is unknown"),
    ],
)
def test_what_does_not_exist_is_refused(
    data: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert run(data, tmp_path / "runs", *options).exit_code == 1
    assert message in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("setting", flat_po2.SETTINGS)
def test_an_arm_trains(folded: dict[str, np.ndarray], setting: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (8, 32, 32, 3)).astype(np.uint8), rng.integers(0, 10, 8)
    sets = flat_po2.Sets(x, y, x, y)
    one, again, other = (
        flat_po2.train(arms.ARMS["stock-16-16"], setting, seed, PLAN, sets, folded)
        for seed in (1, 1, 2)
    )
    # later epochs differ in the last bits: threads add in any order (docs/flat-po2.md)
    assert one[0] == again[0]
    assert (one[0] != other[0]) == (setting == "scratch")  # transfer: the same float weights
    assert one[0]["mean_update"] == {} and len(one) == 2
    assert max(one[1]["mean_update"].values()) > 0
