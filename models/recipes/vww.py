"""Visual wake words: few labelled photos and more unlabelled ones, taught by the float MobileNetV1.

No open copy of the training set is at hand, so students learn what the teacher says of augmented
photos; labels are used where there are some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.cache import hash_file
from models import distil
from models.distil import Teacher
from models.fit import Arrays, Schedule, Task
from models.float_models import FILES, load_float
from models.recipes import images
from models.recipes.recipe import Benchmark, Floats, accuracy_of

TRAIN_FILE, UNLABELLED_FILE, TEST_FILE = "vww_train.npz", "vww_unlabelled.npz", "vww_test_dev.npz"
SIZE, CLASSES = 96, 2
VALIDATION_SHARE = 0.1
CALIBRATION_IMAGES = 200
SPLIT_SEED = 2026
DISTILLATION = distil.Distillation(temperature=2.0, hard_share=0.1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Augmentation and loss."""

    distillation: distil.Distillation = DISTILLATION
    least_crop: float = 0.5  # of a side
    light: float = 0.3
    mixup_share: float = 0.5
    passes: int = 4  # augmented copies of each photo per epoch


def prepare(folder: Path, float_models: Path) -> Benchmark:
    """Load the photos; a tenth of the training ones, labelled or not, is for validation."""
    labelled, y = images.load_images(folder / TRAIN_FILE, SIZE, CLASSES)
    unlabelled, _ = images.load_images(folder / UNLABELLED_FILE, SIZE, None)
    test_x, test_y = images.load_images(folder / TEST_FILE, SIZE, CLASSES)
    float_model = load_float(float_models / FILES["vww"])
    recipe, teacher = Recipe(), distil.teacher_of(float_model)
    x = np.concatenate([labelled, unlabelled])
    known = np.eye(CLASSES, dtype=np.float32)[y]
    labels = np.concatenate([known, teacher(_real(unlabelled))])  # the teacher's, where none is
    order = np.random.default_rng(SPLIT_SEED).permutation(len(x))
    held = round(VALIDATION_SHARE * len(x))
    validation, training = order[:held], order[held:]
    names = (TRAIN_FILE, UNLABELLED_FILE, TEST_FILE)
    return Benchmark(
        metric="accuracy",
        test_file=TEST_FILE,
        test_samples=len(test_y),
        evaluate=lambda model: accuracy_of(model, _real(test_x), test_y),
        float_network="vww",
        float_model=float_model,
        calibration=_real(x[training[:CALIBRATION_IMAGES]]),
        task=lambda schedule: task(
            (_real(x[training]), labels[training]),
            (_real(x[validation]), labels[validation]),
            teacher, recipe, schedule,
        ),
        schedule=Schedule(epochs=60, learning_rate=5e-4, batch=50),
        recipe=recipe,
        datasets={
            **{name: {"sha256": hash_file(folder / name)} for name in names},
            "images": {"training": len(training), "validation": held, "test": len(test_y)},
        },
        note=f"taught by the float model {FILES['vww']} on {len(x)} photos, {len(y)} of them "
        "labelled.",
    )  # fmt: skip


def task(
    training: tuple[Floats, Floats],
    validation: tuple[Floats, Floats],
    teacher: Teacher,
    recipe: Recipe,
    schedule: Schedule,
) -> Task:
    """Distillation on images [n, h, w, 3] in 0..1 and label distributions [n, classes]."""
    x, labels = training
    held, held_labels = validation

    def batches(rng: np.random.Generator, batch: int) -> Iterator[Arrays]:
        order = np.concatenate([rng.permutation(len(x)) for _ in range(recipe.passes)])
        for start in range(0, len(order) - batch + 1, batch):
            at = order[start : start + batch]
            shown, mixed = distil.mixup(
                augment(x[at], recipe, rng), labels[at], recipe.mixup_share, rng
            )
            yield shown, distil.targets(mixed, teacher(shown), recipe.distillation)

    return Task(
        samples=len(x) * recipe.passes,
        epoch=batches,
        validation=(held, distil.targets(held_labels, teacher(held), recipe.distillation)),
        loss=distil.loss(recipe.distillation),
        metrics=(distil.accuracy,),
        schedule=schedule,
    )


def augment(x: Floats, recipe: Recipe, rng: np.random.Generator) -> Floats:
    """Mirrored, cropped photos in another light."""
    return images.light(images.crop(images.flip(x, rng), recipe.least_crop, rng), recipe.light, rng)


def _real(x: images.Images) -> Floats:
    return x.astype(np.float32) / np.float32(255)
