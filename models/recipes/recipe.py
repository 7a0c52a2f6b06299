"""What training and its record need to know of a benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.fit import Schedule, Task

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Benchmark:
    """Training data, float reference and test set of one benchmark.

    `float_model` is the reference that weights are taken from and that teaches; its architecture
    is that of network `float_network`. `evaluate` gives the metric of any Keras model with the
    network's input and output on `test_file`.
    """

    metric: str
    test_file: str
    test_samples: int
    evaluate: Callable[[tf.keras.Model], float]
    float_network: str
    float_model: tf.keras.Model
    calibration: Floats  # inputs [n, ...] that first ranges are set from
    task: Callable[[Schedule], Task]
    schedule: Schedule  # the recipe's own
    recipe: Any  # a dataclass: augmentation and loss
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)  # for the record
    note: str | None = None  # what a reader of the accuracies should know


def accuracy_of(model: tf.keras.Model, x: Floats, y: NDArray[np.integer[Any]]) -> float:
    """Share of the samples x [n, ...] whose greatest output is at their label y [n]."""
    scores = model.predict(x, batch_size=250, verbose=0)
    return float(np.mean(scores.argmax(-1) == y))
