"""Keyword spotting: clips augmented in time and by noise, taught by the float model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.cache import hash_file
from models import data, distil
from models.data import KwsSet
from models.distil import Teacher
from models.fit import Arrays, Schedule, Task
from models.float_models import FILES, load_float
from models.recipes.recipe import Benchmark, Floats, accuracy_of

TRAIN_FILE, TEST_FILE = "kws_train.npz", "kws_test_dev.npz"
CALIBRATION_CLIPS = 1000
DISTILLATION = distil.Distillation()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Augmentation and loss."""

    distillation: distil.Distillation = DISTILLATION
    max_shift_frames: int = 3
    noise: float = 0.4  # standard deviation, in MFCC units
    mask_share: float = 0.3  # clips with up to `mask_frames` frames replaced by their mean
    mask_frames: int = 6
    mixup_share: float = 0.4  # clips mixed with another
    passes: int = 4  # augmented copies of each clip per epoch


def prepare(folder: Path, float_models: Path) -> Benchmark:
    """Load the clips; training and validation have no speaker in common."""
    everything = data.load_kws(folder / TRAIN_FILE, variants=True)
    test = data.load_kws(folder / TEST_FILE)
    float_model = load_float(float_models / FILES["kws"])
    training, validation = data.split_by_speaker(everything)
    recipe, teacher = Recipe(), distil.teacher_of(float_model)
    return Benchmark(
        metric="accuracy",
        test_file=TEST_FILE,
        test_samples=len(test),
        evaluate=lambda model: accuracy_of(model, test.real(), test.y),
        float_network="kws",
        float_model=float_model,
        calibration=training.real()[:CALIBRATION_CLIPS, 0],
        task=lambda schedule: task(training, validation, teacher, recipe, schedule),
        schedule=Schedule(),
        recipe=recipe,
        datasets={
            TRAIN_FILE: {
                "training": len(training),
                "validation": len(validation),
                "sha256": hash_file(folder / TRAIN_FILE),
            },
            TEST_FILE: {"test": len(test), "sha256": hash_file(folder / TEST_FILE)},
        },
        note=speaker_note(everything, test),
    )


def task(
    training: KwsSet, validation: KwsSet, teacher: Teacher, recipe: Recipe, schedule: Schedule
) -> Task:
    """Distillation on the clips; `x` of both sets is [n, variants, 49, 10]."""

    def batches(rng: np.random.Generator, batch: int) -> Iterator[Arrays]:
        x, y = epoch(training, teacher, recipe, rng)
        for start in range(0, len(x) - batch + 1, batch):
            yield x[start : start + batch], y[start : start + batch]

    return Task(
        samples=len(training) * recipe.passes,
        epoch=batches,
        validation=_validation(validation, teacher, recipe),
        loss=distil.loss(recipe.distillation),
        metrics=(distil.accuracy,),
        schedule=schedule,
    )


def epoch(data: KwsSet, teacher: Teacher, recipe: Recipe, rng: np.random.Generator) -> Arrays:
    """Return one epoch of shuffled augmented inputs [n * passes, 49, 10, 1] and `targets`.

    `data.x` is [n, variants, 49, 10]; each copy draws its own variant.
    """
    index = np.concatenate([rng.permutation(len(data)) for _ in range(recipe.passes)])
    variant = rng.integers(data.x.shape[1], size=len(index))
    chosen = KwsSet(data.x[index, variant], data.y[index], data.scale, data.zero_point, None)
    x = augment(chosen.real(), recipe, rng)
    x, labels = distil.mixup(x, _one_hot(chosen.y), recipe.mixup_share, rng)
    return x, distil.targets(labels, teacher(x), recipe.distillation)


def augment(x: Floats, recipe: Recipe, rng: np.random.Generator) -> Floats:
    """Return [n, frames, mfcc, 1] shifted in time, with noise and masked frames."""
    count, frames = x.shape[:2]
    shift = rng.integers(-recipe.max_shift_frames, recipe.max_shift_frames + 1, size=(count, 1))
    source = np.clip(np.arange(frames) + shift, 0, frames - 1)  # edge frames repeat
    shifted = np.take_along_axis(x, source[:, :, None, None], axis=1)
    noisy = shifted + rng.normal(0.0, recipe.noise, x.shape).astype(np.float32)
    length = rng.integers(1, recipe.mask_frames + 1, size=(count, 1))
    start = rng.integers(0, frames, size=(count, 1))
    at = np.arange(frames)
    masked = (at >= start) & (at < start + length) & (rng.random((count, 1)) < recipe.mask_share)
    mean = noisy.mean(axis=1, keepdims=True)
    return np.where(masked[:, :, None, None], mean, noisy).astype(np.float32)


def speaker_note(training: KwsSet, test: KwsSet) -> str | None:
    """What a reader of the accuracies should know when training has heard the test's speakers."""
    if training.speaker is None or test.speaker is None:
        return None
    speakers = np.unique(test.speaker[test.speaker != ""])  # cuts of silence have none
    known = int(np.isin(speakers, training.speaker).sum())
    if known == 0:
        return None
    return (
        f"{known} of the {len(speakers)} speakers of {TEST_FILE} also occur in {TRAIN_FILE}: "
        "accuracies on it are slightly optimistic."
    )


def _validation(data: KwsSet, teacher: Teacher, recipe: Recipe) -> Arrays:
    """All variants of all validation clips, not augmented further."""
    x = data.real().reshape(-1, *data.x.shape[2:], 1)
    labels = _one_hot(np.repeat(data.y, data.x.shape[1]))
    return x, distil.targets(labels, teacher(x), recipe.distillation)


def _one_hot(y: np.ndarray) -> Floats:
    return np.eye(data.KWS_CLASSES, dtype=np.float32)[y]
