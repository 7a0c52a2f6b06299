"""Training on synthetic data: distillation batches, stages, resuming, settings."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QDense

from flow.errors import ConfigError, DataError
from models import distil, fit, ranges, train
from models.data import KwsSet, split_by_speaker
from models.float_models import load_float
from models.quantizers import quantized_bits_featuremap, quantized_bits_po2
from models.recipes import kws

RECIPE = kws.Recipe(passes=1)
SCHEDULE = fit.Schedule(epochs=4, tune_share=0.5, batch=16, seed=4)


class Interrupted(Exception):
    """Stands for a machine that was switched off."""


def clips() -> tuple[KwsSet, KwsSet]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 12, 80).astype(np.uint8)
    x = rng.normal(0, 8, (80, 3, 49, 10)) + 10 * y[:, None, None, None] - 60
    data = KwsSet(x.astype(np.int8), y, np.float32(0.5), 0, np.arange(80).astype(str))
    return split_by_speaker(data, 0.25)


def teacher(inputs: np.ndarray) -> np.ndarray:
    weights = np.random.default_rng(1).normal(size=(490, 12)).astype(np.float32) / 100
    return tf.nn.softmax(inputs.reshape(len(inputs), -1) @ weights).numpy()


def task(schedule: fit.Schedule = SCHEDULE) -> fit.Task:
    return kws.task(*clips(), teacher, RECIPE, schedule)


def student() -> tf.keras.Model:
    tf.keras.utils.set_random_seed(2)
    inputs = tf.keras.Input((49, 10, 1))
    x = QActivation(quantized_bits_featuremap(8), name="activation")(inputs)
    x = tf.keras.layers.Flatten()(tf.keras.layers.AveragePooling2D((7, 5))(x))
    x = QActivation(quantized_bits_featuremap(8), name="activation_1")(x)
    bias = quantized_bits_po2(31, "element")
    x = QDense(12, kernel_quantizer=quantized_bits_po2(4), bias_quantizer=bias, name="dense")(x)
    model = tf.keras.Model(inputs, QActivation(quantized_bits_featuremap(8), name="out")(x))
    ranges.calibrate(model, clips()[0].real()[:, 0])
    return model


def interrupt_at(monkeypatch: pytest.MonkeyPatch, stage: str, epoch: int) -> None:
    class Stop(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, number: int, logs: dict | None = None) -> None:
            if number == epoch:
                raise Interrupted

    original = fit._callbacks

    def with_stop(folder: Path, *rest: object) -> list[tf.keras.callbacks.Callback]:
        return original(folder, *rest) + ([Stop()] if folder.name == stage else [])

    monkeypatch.setattr(fit, "_callbacks", with_stop)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tf.keras.Model]:
    """The run folder and result of a training that nothing interrupted."""
    run = tmp_path_factory.mktemp("whole")
    return run, fit.fit(student(), task(), run)


@pytest.mark.parametrize("stage", ["learn", "tune"])
def test_resumed_training_gives_the_uninterrupted_result(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    finished: tuple[Path, tf.keras.Model],
    stage: str,
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, stage, epoch=1)
        with pytest.raises(Interrupted):
            fit.fit(student(), task(), tmp_path)
    resumed = fit.fit(student(), task(), tmp_path)
    for one, other in zip(finished[1].get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("learn", "tune"):
        history = (tmp_path / name / "history.csv").read_text(encoding="utf-8")
        assert [line.split(",")[0] for line in history.split()] == ["epoch", "0", "1"]


def test_finished_training_is_not_repeated(finished: tuple[Path, tf.keras.Model]) -> None:
    run, first = finished
    stamp = (run / "tune" / "history.csv").stat().st_mtime_ns
    again = fit.fit(student(), task(), run)
    assert (run / "tune" / "history.csv").stat().st_mtime_ns == stamp
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_exponents_of_activations_and_kernels_do_not_move_in_stage_tune(
    finished: tuple[Path, tf.keras.Model],
) -> None:
    run, model = finished
    learned = tf.keras.models.load_model(
        run / "learn" / "done.h5", custom_objects=fit.CUSTOM_OBJECTS, compile=False
    )
    for one, other in zip(
        ranges.activation_layers(model), ranges.activation_layers(learned), strict=True
    ):
        assert one.quantizer.export() == other.quantizer.export()
    exponents = [
        {name: q.export(w.numpy())[1] for name, q, w in ranges.weight_quantizers(each)}
        for each in (learned, model)
    ]
    np.testing.assert_array_equal(exponents[0]["dense/kernel"], exponents[1]["dense/kernel"])
    assert all(q.exponents is not None for _, q, _ in ranges.weight_quantizers(model))


def test_zero_epochs_only_freeze(tmp_path: Path) -> None:
    model = fit.fit(student(), task(replace(SCHEDULE, epochs=0)), tmp_path)
    np.testing.assert_array_equal(
        model.get_layer("dense").kernel.numpy(), student().get_layer("dense").kernel.numpy()
    )


def test_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"batch=1000 exceeds the \d+ samples"):
        task(replace(SCHEDULE, batch=1000))


def test_loss_is_least_for_the_teachers_own_logits() -> None:
    recipe = distil.Distillation(hard_share=0.0)
    logits = tf.constant([[2.0, 0.0, -1.0]])
    target = distil.targets(np.eye(3, dtype=np.float32)[[0]], tf.nn.softmax(logits).numpy(), recipe)
    loss = distil.loss(recipe)
    assert abs(float(loss(target, logits)[0])) < 1e-6
    assert float(loss(target, -logits)[0]) > 0.5


def test_epoch_draws_every_clip_and_repeats_with_its_seed() -> None:
    recipe, training = kws.Recipe(passes=2, mixup_share=0.0), clips()[0]
    x, y = kws.epoch(training, teacher, recipe, np.random.default_rng(1))
    again, _ = kws.epoch(training, teacher, recipe, np.random.default_rng(1))
    assert x.shape == (2 * len(training), 49, 10, 1)
    np.testing.assert_array_equal(x, again)
    drawn = np.bincount(y[:, :12].argmax(1), minlength=12)
    np.testing.assert_array_equal(drawn, 2 * np.bincount(training.y, minlength=12))
    np.testing.assert_allclose(y[:, 12:].sum(1), 1.0, rtol=1e-5)


def test_other_settings_do_not_resume(tmp_path: Path) -> None:
    train._prepare(tmp_path / "run", "mpq", SCHEDULE, RECIPE, resume=True)
    train._prepare(tmp_path / "run", "mpq", SCHEDULE, RECIPE, resume=True)
    with pytest.raises(ConfigError, match="--fresh"):
        train._prepare(tmp_path / "run", "flat8", SCHEDULE, RECIPE, resume=True)
    train._prepare(tmp_path / "run", "flat8", SCHEDULE, RECIPE, resume=False)


def test_float_model_must_exist_and_be_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"--float-models"):
        load_float(tmp_path / "none.h5")
    (tmp_path / "bad.h5").write_bytes(b"not a model")
    with pytest.raises(DataError, match=r"bad\.h5 is not a Keras model"):
        load_float(tmp_path / "bad.h5")


def test_script_reports_missing_data_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, train.__file__, "--data", str(tmp_path), "--out", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "kws_train.npz does not exist" in result.stderr
    assert "Traceback" not in result.stderr


def test_speakers_heard_in_training_are_noted() -> None:
    def with_speakers(*names: str) -> KwsSet:
        count = len(names)
        return KwsSet(
            np.zeros((count, 49, 10), np.int8),
            np.zeros(count, np.uint8),
            np.float32(1),
            0,
            np.array(names),
        )

    test = with_speakers("a", "b", "b", "c")
    assert kws.speaker_note(with_speakers("b", "c", "d"), test) == (
        "2 of the 3 speakers of kws_test_dev.npz also occur in kws_train.npz: accuracies on it "
        "are slightly optimistic."
    )
    assert kws.speaker_note(with_speakers("d"), test) is None
