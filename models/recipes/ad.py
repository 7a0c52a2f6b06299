"""Anomaly detection: windows of normal clips, which the autoencoder learns to reproduce."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.anomaly import WINDOW_FRAMES, auc, scores, windows
from flow.cache import hash_file
from models import distil
from models.data import DataCorrupt, read_arrays
from models.distil import Teacher
from models.fit import Arrays, Loss, Schedule, Task
from models.float_models import FILES, load_float
from models.recipes.recipe import Benchmark, Floats

TRAIN_FILE, TEST_FILE = "ad_train.npz", "ad_test_dev.npz"
CHOICE_FILE = "ad_extra_dev.npz"  # other clips; not read here
FRAMES, BINS, JOINED = 200, 128, WINDOW_FRAMES
VALIDATION_SHARE = 0.1
CALIBRATION_WINDOWS = 2000
TONE_POINTS = 8  # of a curve over the mel bins, straight lines between them
SPLIT_SEED = 2026
# Folded weights are small: after steps of 1e-4 and more the AUC does not recover.
SCHEDULE = Schedule(
    epochs=40, learning_rate=2e-5, learn_factor=1.0, tune_share=0.5, batch=256, patience=40
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Augmentation and loss."""

    teacher_share: float = 1.0  # of the loss: distance to the float model's reconstruction
    tone_db: float = (
        1.5  # half of the windows are coloured: standard deviation of the curve's points
    )
    windows_per_clip: int = 98  # per epoch


def prepare(folder: Path, float_models: Path) -> Benchmark:
    """Load the clips, split into training and validation."""
    clips, _ = load_clips(folder / TRAIN_FILE)
    test, y = load_clips(folder / TEST_FILE)
    float_model = load_float(float_models / FILES["ad"])
    recipe, teacher = Recipe(), distil.teacher_of(float_model)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(clips))
    held = round(VALIDATION_SHARE * len(clips))
    training, validation = clips[order[held:]], clips[order[:held]]
    sample = windows(training).reshape(-1, JOINED * BINS)
    drawn = np.random.default_rng(SPLIT_SEED).integers(len(sample), size=CALIBRATION_WINDOWS)
    return Benchmark(
        metric="auc",
        test_file=TEST_FILE,
        test_samples=len(y),
        evaluate=lambda model: evaluate(model, test, y),
        float_network="ad",
        float_model=float_model,
        calibration=sample[drawn],
        task=lambda schedule: task(training, validation, teacher, recipe, schedule),
        schedule=SCHEDULE,
        recipe=recipe,
        datasets={
            **{name: {"sha256": hash_file(folder / name)} for name in (TRAIN_FILE, TEST_FILE)},
            "clips": {"training": len(training), "validation": held, "test": len(y)},
        },
        note=f"augmentation and learning rates were chosen by the AUC on {CHOICE_FILE}.",
    )


def task(
    training: Floats, validation: Floats, teacher: Teacher, recipe: Recipe, schedule: Schedule
) -> Task:
    """Reconstruction of the windows of clips [n, 200, 128]; targets: input, teacher's output."""

    def batches(rng: np.random.Generator, batch: int) -> Iterator[Arrays]:
        per_clip = FRAMES - JOINED + 1
        count = len(training) * recipe.windows_per_clip
        drawn = rng.permutation(len(training) * per_clip)[:count]
        view = windows(training)
        for start in range(0, count - batch + 1, batch):
            clip, at = np.divmod(drawn[start : start + batch], per_clip)
            x = view[clip, at].reshape(batch, -1) + colours(batch, recipe.tone_db, rng)
            yield x, np.concatenate([x, teacher(x)], axis=1)

    held = windows(validation)[:, ::7].reshape(-1, JOINED * BINS)
    return Task(
        samples=len(training) * recipe.windows_per_clip,
        epoch=batches,
        validation=(held, np.concatenate([held, teacher(held)], axis=1)),
        loss=loss(recipe),
        metrics=(reconstruction_error,),
        schedule=schedule,
    )


def colours(count: int, tone_db: float, rng: np.random.Generator) -> Floats:
    """Curves over the mel bins [count, frames * bins], the same in every frame, half of them 0.

    They sound unlike any normal clip, so that the student learns what the teacher makes of those.
    """
    points = rng.normal(0.0, tone_db, (count, TONE_POINTS)) * (rng.random((count, 1)) < 0.5)
    at = np.linspace(0, TONE_POINTS - 1, BINS)
    before = np.minimum(at.astype(np.int64), TONE_POINTS - 2)
    curve = points[:, before] * (1 - (at - before)) + points[:, before + 1] * (at - before)
    return np.tile(curve.astype(np.float32), (1, JOINED))


def loss(recipe: Recipe) -> Loss:
    """Mean squared distance, in dB^2, to the input and to the teacher's output, weighted."""

    def weighted(target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        given, taught = tf.split(target, 2, axis=-1)
        share = recipe.teacher_share
        return (1.0 - share) * tf.reduce_mean((output - given) ** 2, -1) + share * tf.reduce_mean(
            (output - taught) ** 2, -1
        )

    return weighted


def reconstruction_error(target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """Mean squared distance to the input alone."""
    return tf.reduce_mean((output - tf.split(target, 2, axis=-1)[0]) ** 2, -1)


def load_clips(path: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Log-mel clips in dB [n, 200, 128] and labels [n], 1 for an anomaly.

    A file holds `x`, or `lo`, `hi` and `db_per_lsb`: the clips coded by differences in time.

    Raises:
        DataMissing: there is no such file.
        DataCorrupt: not an npz, a key is missing, or a shape or a value is wrong.
    """
    arrays = read_arrays(path)
    missing = [key for key in ("lo", "hi", "db_per_lsb") if key not in arrays]
    if "y" not in arrays or ("x" not in arrays and missing):
        raise _corrupt(path, f"x (or lo, hi, db_per_lsb) and y are not all in it; it has "
                             f"{', '.join(sorted(arrays))}")  # fmt: skip
    x = arrays["x"] if "x" in arrays else _undiff(arrays)
    if x.shape[1:] != (FRAMES, BINS) or len(x) == 0 or not np.isfinite(x).all():
        raise _corrupt(path, f"its clips have shape {x.shape}, expected finite values of shape "
                             f"(n, {FRAMES}, {BINS}) with n > 0")  # fmt: skip
    y = arrays["y"]
    if y.shape != (len(x),) or not np.isin(y, (0, 1)).all():
        raise _corrupt(path, f"y must hold {len(x)} labels 0 or 1")
    return x.astype(np.float32), y.astype(np.int64)


def evaluate(model: tf.keras.Model, clips: Floats, y: NDArray[np.int64]) -> float:
    """AUC of a Keras model's reconstructions of the windows of clips [n, 200, 128]."""
    values = []
    for clip in clips:
        x = windows(clip[None])[0].reshape(-1, JOINED * BINS)
        values.append(scores(x[None], model.predict_on_batch(x)[None]))
    return auc(y, np.concatenate(values))


def _undiff(arrays: dict[str, NDArray[np.generic]]) -> Floats:
    high = arrays["hi"].astype(np.uint16) << 8
    steps = (arrays["lo"].astype(np.uint16) | high).view(np.int16)
    codes = np.cumsum(steps, 1, dtype=np.int16)
    return np.asarray(codes * arrays["db_per_lsb"], np.float32)


def _corrupt(path: Path, what: str) -> DataCorrupt:
    return DataCorrupt(f"data file {path}: {what}.\n  Fetch the file again or check its origin.")
