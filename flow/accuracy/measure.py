"""One row of the accuracy table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flow.accuracy.schema import Row
from flow.anomaly import frames_of
from flow.config import ModelConfig
from flow.data import Samples, Source, load_samples
from flow.metrics import Figure, accuracy_figure, auc_figure


@dataclass(frozen=True, slots=True)
class Task:
    """What one row is measured on; `float_file` None: the float model's figure is the recorded."""

    model: str
    quant: str
    settings: ModelConfig
    data: Path
    float_file: Path | None

    @property
    def name(self) -> str:
        """As its weights are called."""
        return f"{self.model}-{self.quant}"


def measure(task: Task) -> Row:
    """Measure a network, float, QKeras and integers, and compare the last two layer by layer.

    Raises:
        Mismatch: a layer's integers differ from QKeras, or the fast engine from the reference.
        DataError: weights or samples are not as they should be.
    """
    from flow.evaluation import integer_figure, keras_figure
    from flow.frontend import extract
    from flow.layer_equality import drawn_frames, layer_equality
    from models import weights
    from models.raw import real_input

    metric = task.settings.metric
    record = weights.record(task.model, task.quant)
    samples = load_samples(Source(task.data, is_real=True), task.settings)
    graph, network = extract(task.model, task.quant), weights.load(task.model, task.quant)
    drawn = drawn_frames(graph, frames_of(samples, metric))
    equal = layer_equality(graph, drawn, network, lambda raw: real_input(task.model, raw))
    return Row.model_validate(
        {
            "model": task.model,
            "quant": task.quant,
            "metric": metric,
            "dataset": samples.name,
            "data_sha256": samples.sha256,
            "weights_sha256": record["sha256"],
            "samples": len(samples.y),
            "baseline": _baseline(samples, metric),
            "float": _float(task, samples, record),
            "qkeras": asdict(keras_figure(network, samples, task.model, metric)),
            "integer": asdict(integer_figure(graph, samples, metric)),
            "layers": len(equal),
            "compared_frames": len(drawn.y),
            "codes_compared": sum(layer.compared for layer in equal),
            "mismatches": 0,  # one would have raised
            "note": record.get("note"),
        }
    )


def _float(task: Task, samples: Samples, record: dict[str, Any]) -> dict[str, Any]:
    if task.float_file is None:
        recorded = _recorded(record["accuracy"]["float"], samples, task.settings.metric)
        return {**asdict(recorded), "origin": "recorded"}
    from flow.evaluation import keras_figure
    from models.float_models import load_float

    network = load_float(task.float_file)
    found = keras_figure(network, samples, task.model, task.settings.metric)
    return {**asdict(found), "origin": "measured"}


def _recorded(value: float, samples: Samples, metric: str) -> Figure:
    if metric != "auc":
        return accuracy_figure(value, len(samples.y))
    anomalies = int((samples.y == 1).sum())
    return auc_figure(value, len(samples.y) - anomalies, anomalies)


def _baseline(samples: Samples, metric: str) -> float:
    if metric == "auc":
        return 0.5
    return float(np.bincount(samples.y).max() / len(samples.y))
