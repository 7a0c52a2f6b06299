"""Quantization-aware training in two stages that can be interrupted and resumed.

Stage `learn` trains weights and ranges. Then every exponent is frozen, and stage `tune`
trains the weights alone, so that no power-of-two step flickers at the end.
"""

import csv
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import distil, ranges
from models.data import KwsSet
from models.quantizers import CUSTOM_OBJECTS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length and learning rates of both stages."""

    epochs: int = 70  # of both stages together
    tune_share: float = 1 / 3  # of the epochs, with frozen exponents
    batch: int = 100
    learning_rate: float = 1e-3
    tune_factor: float = 0.3  # first learning rate of stage tune, relative to stage learn
    final_factor: float = 0.01  # last learning rate of a stage, relative to its first
    patience: int = 40  # epochs without a better validation accuracy
    seed: int = 1

    @property
    def stages(self) -> dict[str, tuple[int, float]]:
        """Epochs and first learning rate by stage name, in order."""
        tune = max(1, round(self.epochs * self.tune_share)) if self.epochs else 0
        return {
            "learn": (self.epochs - tune, self.learning_rate),
            "tune": (tune, self.learning_rate * self.tune_factor),
        }


def fit(
    model: tf.keras.Model,
    teacher: distil.Teacher,
    training: KwsSet,
    validation: KwsSet,
    recipe: distil.Recipe,
    schedule: Schedule,
    out: Path,
) -> tf.keras.Model:
    """Train a calibrated model; return the frozen one with the best validation accuracy.

    Everything lies under `out`, a folder per stage: `history.csv`, TensorBoard logs, the best
    weights and the state to resume from. A stage that left `done.h5` is not run again.
    """
    val = _validation_arrays(validation, model.output_shape[-1], teacher, recipe)
    for name, (epochs, learning_rate) in schedule.stages.items():
        done = out / name / "done.h5"
        if not done.is_file():
            if name == "tune":
                ranges.freeze(model)
            _fit_stage(
                model, teacher, training, val, recipe, schedule, epochs, learning_rate, out / name
            )
            model.save(out / name / "draft.h5", include_optimizer=False)
            (out / name / "draft.h5").replace(done)
        model = tf.keras.models.load_model(done, custom_objects=CUSTOM_OBJECTS, compile=False)
    ranges.freeze(model)
    return model


def _validation_arrays(
    data: KwsSet, classes: int, teacher: distil.Teacher, recipe: distil.Recipe
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return all variants of all validation clips, not augmented further."""
    x = data.real().reshape(-1, *data.x.shape[-2:], 1)
    labels = np.eye(classes, dtype=np.float32)[np.repeat(data.y, data.x.shape[1])]
    return x, distil.targets(labels, teacher(x), recipe)


def _fit_stage(
    model: tf.keras.Model,
    teacher: distil.Teacher,
    training: KwsSet,
    val: tuple[NDArray[np.float32], NDArray[np.float32]],
    recipe: distil.Recipe,
    schedule: Schedule,
    epochs: int,
    learning_rate: float,
    folder: Path,
) -> None:
    """Train one stage and leave its best weights in `model`."""
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = tf.keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, loss=distil.loss(recipe), metrics=[distil.accuracy])
    classes = model.output_shape[-1]
    steps = len(training) * recipe.passes // schedule.batch

    def draw(epoch: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rng = np.random.default_rng([schedule.seed, len(folder.name), epoch])
        return distil.epoch(training, classes, teacher, recipe, rng)

    dataset = tf.data.Dataset.from_generator(
        distil.batches(draw, lambda: int(optimizer.iterations) // steps, schedule.batch),
        output_signature=(
            tf.TensorSpec((schedule.batch, *model.input_shape[1:]), tf.float32),
            tf.TensorSpec((schedule.batch, 2 * classes), tf.float32),
        ),
    ).apply(tf.data.experimental.assert_cardinality(steps))
    if epochs:
        model.fit(
            dataset,
            epochs=epochs,
            validation_data=val,
            validation_batch_size=500,
            callbacks=_callbacks(folder, epochs, learning_rate, schedule),
            verbose=2,
        )
        model.load_weights(folder / "best.h5")


def _callbacks(
    folder: Path, epochs: int, learning_rate: float, schedule: Schedule
) -> list[tf.keras.callbacks.Callback]:
    history = folder / "history.csv"
    best = tf.keras.callbacks.ModelCheckpoint(
        str(folder / "best.h5"),
        monitor="val_accuracy",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=best_so_far(history),
    )
    return [
        tf.keras.callbacks.LearningRateScheduler(
            _cosine(learning_rate, schedule.final_factor, epochs)
        ),
        best,
        tf.keras.callbacks.CSVLogger(str(history), append=True),
        tf.keras.callbacks.TensorBoard(str(folder / "tensorboard"), write_graph=False),
        tf.keras.callbacks.EarlyStopping(
            monitor="val_accuracy", mode="max", patience=schedule.patience
        ),
        tf.keras.callbacks.BackupAndRestore(str(folder / "resume"), delete_checkpoint=False),
    ]


def best_so_far(history: Path) -> float | None:
    """Return the best validation accuracy in a stage's `history.csv`, None without one."""
    if not history.is_file():
        return None
    with history.open(newline="", encoding="utf-8") as file:
        values = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    return max(values, default=None)


def _cosine(first: float, final_factor: float, epochs: int) -> Callable[[int], float]:
    """Return a learning rate per epoch that falls from `first` to `first * final_factor`."""

    def rate(epoch: int) -> float:
        progress = epoch / max(1, epochs - 1)
        swing = 0.5 * (1.0 + math.cos(math.pi * progress))
        return first * (final_factor + (1.0 - final_factor) * swing)

    return rate
