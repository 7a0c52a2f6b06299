"""Accuracy or AUC of a network on samples, and the first rung of the checking ladder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.anomaly import auc, clip_scores, integer_scores, partial_auc
from flow.data import SHIPPED_ARE, Samples
from flow.graph import Accuracy, IntGraph, evaluate, map_input, predict
from flow.layer_equality import Equality, drawn_frames, layer_equality
from flow.metrics import Figure, accuracy_figure, auc_figure
from flow.progress import counter, tell

BATCH = 250


@dataclass(frozen=True, slots=True)
class Recorded:
    """Accuracies that the training run of the weights measured on its own test set."""

    dataset: str
    sha256: str | None  # of the data set's file
    samples: int
    note: str | None  # what a reader of the accuracies should know
    qkeras: float
    float: float  # last: after it the name no longer means the type in this class


@dataclass(frozen=True, slots=True)
class PartialAuc:
    """Areas under the ROC curve up to a false-positive rate of 0.1; None: not measured."""

    qkeras: float | None
    integer: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the evaluate stage finds out; `partial_auc` is None where no clips are scored."""

    accuracy: Accuracy
    recorded: Recorded | None  # None: of a user's own model
    equality: tuple[Equality, ...]
    note: str | None  # about the accuracies shown
    partial_auc: PartialAuc | None = None


@dataclass(frozen=True, slots=True)
class SimulatedFrames:
    """The samples that were simulated, and the metric of what came out.

    None: they have no labels, or are windows, of which only whole clips have a score.
    """

    samples: int
    accuracy: float | None


def evaluation(
    graph: IntGraph, samples: Samples, drawn: Samples, *, model: str, quant: str, metric: str
) -> Evaluation:
    """Measure the integer and the QKeras network, and compare them layer by layer.

    The float model is not part of the project: its figure is the recorded one, and only beside
    the very samples of the record. The shipped samples are no test set, so beside their integer
    figure stand the recorded ones, marked so.

    Args:
        drawn: frames as the network sees them, which are compared.

    Raises:
        Mismatch: a layer's integers differ from QKeras.
        DataError: weights or samples are not as they should be.
    """
    from models import weights
    from models.raw import real_input

    recorded = _recorded(weights.record(model, quant))
    network = weights.load(model, quant)
    equal = layer_equality(graph, drawn, network, lambda raw: real_input(model, raw))
    integer = integer_figure(graph, samples, metric)
    qkeras = keras_figure(network, samples, model, metric) if samples.is_real else None
    shown = samples.sha256 == recorded.sha256 or not samples.is_real
    return Evaluation(
        Accuracy(
            metric=metric,
            dataset=samples.name,
            float=recorded.float if shown else None,
            qkeras=recorded.qkeras if qkeras is None else qkeras.value,
            integer=integer.value,
            samples=len(samples.y),
            recorded=not samples.is_real,
        ),
        recorded,
        equal,
        _note(samples, recorded.note if shown else None),
        None
        if integer.partial_auc is None
        else PartialAuc(qkeras.partial_auc if qkeras else None, integer.partial_auc),
    )


def _note(samples: Samples, of_record: str | None) -> str | None:
    """What a reader of the figures should know of the samples, measured and recorded."""
    of_samples = samples.note
    if not samples.is_real:
        what = SHIPPED_ARE.get(samples.name, "made by the project itself")
        of_samples = f"The samples of {samples.name} are {what}: no test set, whatever they score."
    if samples.is_real and of_record is not None:
        return of_record
    of_record = of_record and of_record[:1].upper() + of_record[1:]
    return " ".join(filter(None, (of_samples, of_record))) or None


def integer_figure(graph: IntGraph, samples: Samples, metric: str) -> Figure:
    """The metric of the integer network, by the fast engine.

    Raises:
        DataError: the samples do not fit the network, or an AUC lacks one of the two labels.
        Mismatch: engine and reference differ in a layer, on a few of the samples.
    """
    if metric == "auc":
        clips = np.asarray(samples.x, np.float32)
        return _area(samples, integer_scores(graph, clips, counter("integer scores, clips")))
    progress = counter("integer accuracy, samples")
    return accuracy_figure(evaluate(graph, samples.x, samples.y, progress), len(samples.y))


def keras_figure(network: Any, samples: Samples, model: str, metric: str) -> Figure:
    """The metric of a Keras network, QKeras or float, that takes the input of a benchmark.

    Raises:
        DataError: an AUC lacks one of the two labels.
    """
    from models.raw import real_input

    real = real_input(model, samples.x)
    if metric != "auc":
        return accuracy_figure(float(np.mean(_classes(network, real) == samples.y)), len(real))
    shape = network.input_shape[1:]
    found = clip_scores(
        lambda windows: network.predict_on_batch(windows.reshape(-1, *shape)),
        real,
        counter("QKeras scores, clips"),
    )
    return _area(samples, found)


def _area(samples: Samples, scores: NDArray[np.float64]) -> Figure:
    labels = samples.y
    anomalies = int((labels == 1).sum())
    return auc_figure(
        auc(labels, scores), len(labels) - anomalies, anomalies, partial_auc(labels, scores)
    )


def own_evaluation(
    graph: IntGraph, samples: Samples, network: Any, shape: tuple[int, ...]
) -> Evaluation:
    """Measure a user's own network and its integers, and compare them layer by layer.

    Without labels, or with a single output, there is no accuracy, and the note says so. QKeras
    itself runs in float32, which rounds its sums; how often both choose the same class is noted.

    Args:
        shape: of the network's own input.

    Raises:
        Mismatch: a layer's integers differ from QKeras.
    """
    drawn = drawn_frames(graph, samples)
    equal = layer_equality(graph, drawn, network, lambda raw: np.asarray(raw, np.float32))
    integer = labelled_share(graph, samples, counter("integer accuracy, samples"))
    own, codes = (
        _classes(network, samples.x.reshape(-1, *shape)),
        predict(graph, map_input(graph, samples.x)),
    )
    return Evaluation(
        Accuracy(
            metric="accuracy",
            dataset=samples.name,
            float=None,
            qkeras=None if integer is None else float(np.mean(own == samples.y)),
            integer=integer,
            samples=len(samples.y),
            recorded=False,
        ),
        None,
        equal,
        " ".join(filter(None, (unmeasured(graph, samples), _agreement(graph, own, codes)))),
    )


def labelled_share(
    graph: IntGraph, samples: Samples, progress: Callable[[int, int], None] | None = None
) -> float | None:
    """Share of samples that the integer network classifies rightly; None: it cannot be told."""
    if unmeasured(graph, samples):
        return None
    return evaluate(graph, samples.x, samples.y, progress)


def simulated_frames(graph: IntGraph, frames: Samples, metric: str) -> SimulatedFrames:
    """What is known of frames that were simulated without a difference to the integers."""
    share = None if metric == "auc" else labelled_share(graph, frames)
    return SimulatedFrames(len(frames.y), share)


def unmeasured(graph: IntGraph, samples: Samples) -> str:
    """Say why a user's network has no accuracy on the samples; empty: it has one."""
    if not samples.labelled:
        return "No accuracy was measured: the samples have no labels (y)."
    if _has_no_classes(graph):
        height, width, channels = graph.output.out_shape
        if height * width == 1:
            return "No accuracy was measured: a single output is no choice between classes."
        return (
            f"No accuracy was measured: the output is a feature map of {height} x {width} x "
            f"{channels} values, not one value for each class."
        )
    return ""


def _agreement(graph: IntGraph, own: NDArray[np.int64], codes: NDArray[np.int64]) -> str:
    """How often QKeras and the integers choose the same class; nothing where none is chosen."""
    if _has_no_classes(graph):
        return ""
    return (
        "QKeras in float32 and the integers choose the same class for "
        f"{int((own == codes).sum()):,} of {len(own):,} samples."
    )


def _has_no_classes(graph: IntGraph) -> bool:
    """Whether the output is a single value, or a map: not one value for each of some classes."""
    height, width, channels = graph.output.out_shape
    return height * width > 1 or channels == 1


def load_evaluation(path: Path) -> Evaluation:
    """Read the JSON form of an Evaluation."""
    raw = json.loads(path.read_text())
    return Evaluation(
        Accuracy(**raw["accuracy"]),
        None if raw["recorded"] is None else Recorded(**raw["recorded"]),
        tuple(Equality(**layer) for layer in raw["equality"]),
        raw["note"],
        None if raw["partial_auc"] is None else PartialAuc(**raw["partial_auc"]),
    )


def _recorded(record: Mapping[str, Any]) -> Recorded:
    measured = record["accuracy"]
    dataset = measured["dataset"]
    return Recorded(
        dataset=dataset,
        sha256=record["datasets"].get(dataset, {}).get("sha256"),
        note=record.get("note"),
        samples=measured["samples"],
        float=measured["float"],
        qkeras=measured["qkeras"],
    )


def _classes(network: Any, real: NDArray[Any]) -> NDArray[np.int64]:
    tell(f"QKeras, {len(real):,} samples")
    scores = network.predict(real, batch_size=BATCH, verbose=0)
    classes: NDArray[np.int64] = scores.reshape(len(real), -1).argmax(-1)
    return classes
