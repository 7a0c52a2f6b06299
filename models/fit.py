"""Quantization-aware training in two stages that can be interrupted and resumed.

Stage `learn` trains weights and ranges. Then the exponents of activations and
kernels are frozen, and stage `tune` trains the weights alone, so that no power-of-two step
flickers at the end. The exponents of single bias elements are frozen after it.
"""

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.errors import ConfigError
from models import ranges
from models.quantizers import CUSTOM_OBJECTS

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]  # inputs and targets of the loss
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # of targets and outputs, [n]
VALIDATION_BATCH = 200


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the two stages."""

    number: int
    name: str
    epochs: int
    learning_rate: float  # of the first epoch


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length and learning rates of both stages."""

    epochs: int = 60  # of both stages together
    tune_share: float = 0.75  # of the epochs, with frozen exponents
    batch: int = 100
    learning_rate: float = 3e-4  # of the first epoch of stage tune
    learn_factor: float = 0.3  # the same of stage learn, relative: exponents flicker at high rates
    final_factor: float = 0.01  # last learning rate of a stage, relative to its first
    patience: int = 40  # epochs without a better validation loss
    seed: int = 1

    @property
    def stages(self) -> tuple[Stage, Stage]:
        """Both stages, in order."""
        tune = max(1, round(self.epochs * self.tune_share)) if self.epochs else 0
        return (
            Stage(0, "learn", self.epochs - tune, self.learning_rate * self.learn_factor),
            Stage(1, "tune", tune, self.learning_rate),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What to train on, and how.

    `epoch(rng, batch)` yields the batches of one epoch, all of `batch` samples, from the state of
    `rng` alone; a rest that fills no batch is left out.
    """

    samples: int  # of an epoch
    epoch: Callable[[np.random.Generator, int], Iterator[Arrays]]
    validation: Arrays
    loss: Loss
    metrics: tuple[Loss, ...]
    schedule: Schedule

    def __post_init__(self) -> None:
        if self.schedule.batch > self.samples:
            raise ConfigError(
                f"batch={self.schedule.batch} exceeds the {self.samples} samples of an epoch.\n"
                "  Choose a smaller --batch."
            )

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return self.samples // self.schedule.batch


def fit(model: tf.keras.Model, task: Task, out: Path) -> tf.keras.Model:
    """Train a calibrated model; return the frozen one with the best validation loss.

    Everything lies under `out`, a folder per stage: `history.csv`, TensorBoard logs, the best
    weights and the state to resume from. A stage that left `done.h5` is not run again.
    """
    for stage in task.schedule.stages:
        folder = out / stage.name
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "done.h5"
        if not done.is_file():
            if stage.name == "tune":
                ranges.freeze(model, element_wise=False)
            _fit_stage(model, task, stage, folder)
            model.save(folder / "draft.h5", include_optimizer=False)
            (folder / "draft.h5").replace(done)
        model = tf.keras.models.load_model(done, custom_objects=CUSTOM_OBJECTS, compile=False)
    ranges.freeze(model)
    return model


def fit_float(model: tf.keras.Model, task: Task, out: Path, result: str) -> tf.keras.Model:
    """Train a float network in one stage; return the one with the best validation loss.

    It is also saved as `out`/`result`; where that is there already, nothing is trained.
    """
    schedule, path = task.schedule, out / result
    if not path.is_file():
        stage = Stage(0, "float", schedule.epochs, schedule.learning_rate)
        (out / stage.name).mkdir(parents=True, exist_ok=True)
        _fit_stage(model, task, stage, out / stage.name)
        model.save(out / "draft.h5", include_optimizer=False)
        (out / "draft.h5").replace(path)
    return tf.keras.models.load_model(path, compile=False)


def _fit_stage(model: tf.keras.Model, task: Task, stage: Stage, folder: Path) -> None:
    """Train one stage and leave its best weights in `model`."""
    if stage.epochs == 0:
        return
    model.compile(
        tf.keras.optimizers.Adam(stage.learning_rate),
        loss=task.loss,
        metrics=list(task.metrics),
    )
    model.fit(
        _dataset(model, task, stage),
        epochs=stage.epochs,
        validation_data=task.validation,
        validation_batch_size=VALIDATION_BATCH,
        callbacks=_callbacks(folder, stage, task.schedule),
        verbose=2,
    )
    model.load_weights(folder / "best.h5")


def _dataset(model: tf.keras.Model, task: Task, stage: Stage) -> tf.data.Dataset:
    """Return a dataset whose every iteration is one epoch, drawn by the epoch's number.

    The optimizer's step count gives that number, so it is right after resuming, too.
    """
    batch = task.schedule.batch

    def generate() -> Iterator[Arrays]:
        epoch = int(model.optimizer.iterations) // task.steps
        rng = np.random.default_rng([task.schedule.seed, stage.number, epoch])
        return task.epoch(rng, batch)

    signature = tuple(
        tf.TensorSpec((batch, *values.shape[1:]), tf.float32) for values in task.validation
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(task.steps))
    return dataset.prefetch(2)


def _callbacks(folder: Path, stage: Stage, schedule: Schedule) -> list[tf.keras.callbacks.Callback]:
    history = folder / "history.csv"
    best = best_epoch(history)
    checkpoint = tf.keras.callbacks.ModelCheckpoint(
        str(folder / "best.h5"),
        monitor="val_loss",
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=best.get("val_loss"),
    )
    return [
        tf.keras.callbacks.LearningRateScheduler(
            _cosine(stage.learning_rate, schedule.final_factor, stage.epochs)
        ),
        checkpoint,
        tf.keras.callbacks.CSVLogger(str(history), append=True),
        tf.keras.callbacks.TensorBoard(str(folder / "tensorboard"), write_graph=False),
        tf.keras.callbacks.EarlyStopping(monitor="val_loss", patience=schedule.patience),
        tf.keras.callbacks.BackupAndRestore(str(folder / "resume"), delete_checkpoint=False),
    ]


def best_epoch(history: Path) -> dict[str, float]:
    """Return the row of a stage's `history.csv` with the least validation loss, {} without one."""
    if not history.is_file():
        return {}
    with history.open(newline="", encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return min(rows, key=lambda row: row["val_loss"], default={})


def _cosine(first: float, final_factor: float, epochs: int) -> Callable[[int], float]:
    """Return a learning rate per epoch that falls from `first` to `first * final_factor`."""

    def rate(epoch: int) -> float:
        progress = epoch / max(1, epochs - 1)
        swing = 0.5 * (1.0 + math.cos(math.pi * progress))
        return first * (final_factor + (1.0 - final_factor) * swing)

    return rate
