"""Image classification: CIFAR-10 images, mirrored and shifted, taught by the float ResNet-8."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flow.cache import hash_file
from models import distil
from models.distil import Teacher
from models.fit import Arrays, Schedule, Task
from models.float_models import FILES, load_float
from models.recipes import images
from models.recipes.images import Images
from models.recipes.recipe import Benchmark, Floats, accuracy_of

TRAIN_FILES = tuple(f"ic_train_{part}.npz" for part in range(4))
TEST_FILE = "ic_cifar10test_dev.npz"
SIZE, CLASSES = 32, 10
VALIDATION_IMAGES = 2000  # the last ones of the training files
CALIBRATION_IMAGES = 500
# Weights of the first layer are small, as its inputs go up to 255; so must be steps of Adam.
SCHEDULE = Schedule(epochs=30, learning_rate=1e-4, learn_factor=1.0, patience=30)
DISTILLATION = distil.Distillation(temperature=2.0, hard_share=0.3)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Augmentation and loss."""

    distillation: distil.Distillation = DISTILLATION
    max_shift_pixels: int = 4
    mixup_share: float = 0.0


def prepare(folder: Path, float_models: Path) -> Benchmark:
    """Load the images; the last of the training files are for validation."""
    x, y = _read(folder, TRAIN_FILES)
    test_x, test_y = _read(folder, (TEST_FILE,))
    float_model = load_float(float_models / FILES["ic"])
    recipe, teacher = Recipe(), distil.teacher_of(float_model)
    held = min(VALIDATION_IMAGES, len(x) // 10)
    training, validation = (x[:-held], y[:-held]), (x[-held:], y[-held:])
    return Benchmark(
        metric="accuracy",
        test_file=TEST_FILE,
        test_samples=len(test_y),
        evaluate=lambda model: accuracy_of(model, test_x.astype(np.float32), test_y),
        float_network="ic",
        float_model=float_model,
        calibration=x[:CALIBRATION_IMAGES].astype(np.float32),
        task=lambda schedule: task(training, validation, teacher, recipe, schedule),
        schedule=SCHEDULE,
        recipe=recipe,
        datasets={
            **{name: {"sha256": hash_file(folder / name)} for name in (*TRAIN_FILES, TEST_FILE)},
            "images": {"training": len(x) - held, "validation": held, "test": len(test_y)},
        },
        note="the float model that weights are taken from had seen the validation images.",
    )


def task(
    training: tuple[Images, NDArray[np.int64]],
    validation: tuple[Images, NDArray[np.int64]],
    teacher: Teacher,
    recipe: Recipe,
    schedule: Schedule,
) -> Task:
    """Distillation on images [n, h, w, 3] and labels [n]."""
    x, y = training
    one_hot = np.eye(CLASSES, dtype=np.float32)

    def batches(rng: np.random.Generator, batch: int) -> Iterator[Arrays]:
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            at = order[start : start + batch]
            shown, labels = distil.mixup(
                augment(x[at].astype(np.float32), recipe, rng),
                one_hot[y[at]], recipe.mixup_share, rng,
            )  # fmt: skip
            yield shown, distil.targets(labels, teacher(shown), recipe.distillation)

    held = validation[0].astype(np.float32)
    return Task(
        samples=len(x),
        epoch=batches,
        validation=(
            held, distil.targets(one_hot[validation[1]], teacher(held), recipe.distillation)
        ),
        loss=distil.loss(recipe.distillation),
        metrics=(distil.accuracy,),
        schedule=schedule,
    )  # fmt: skip


def augment(x: Floats, recipe: Recipe, rng: np.random.Generator) -> Floats:
    """Mirrored and shifted images."""
    return images.shift(images.flip(x, rng), recipe.max_shift_pixels, rng)


def _read(folder: Path, names: tuple[str, ...]) -> tuple[Images, NDArray[np.int64]]:
    parts = [images.load_images(folder / name, SIZE, CLASSES) for name in names]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
