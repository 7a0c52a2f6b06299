"""Accuracy of a network on samples, and the first rung of the checking ladder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.data import Samples, pick_frames
from flow.graph import Accuracy, IntGraph, evaluate, map_input, predict, run_taps
from flow.progress import counter, tell

EQUALITY_FRAMES = 512  # at most so many samples are compared layer by layer, codes against QKeras
FRAME_SEED = 1
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
class Equality:
    """Codes of one layer that were compared with QKeras; none differed."""

    name: str
    compared: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the evaluate stage finds out."""

    accuracy: Accuracy
    recorded: Recorded | None  # None: of a user's own model
    equality: tuple[Equality, ...]
    note: str | None  # about the accuracies shown


@dataclass(frozen=True, slots=True)
class SimulatedFrames:
    """The samples that were simulated, and the metric of what came out; None: no labels."""

    samples: int
    accuracy: float | None


def evaluation(
    graph: IntGraph, samples: Samples, *, model: str, quant: str, metric: str
) -> Evaluation:
    """Measure the integer and the QKeras network, and compare them layer by layer.

    The float model is not part of the project: its figure is the recorded one, and only beside
    the very samples of the record. The shipped samples are no test set, so beside their integer
    figure stand the recorded ones, marked so.

    Raises:
        Mismatch: a layer's integers differ from QKeras.
        DataError: weights or samples are not as they should be.
    """
    from models import weights
    from models.raw import RAW_INPUTS

    recorded = _recorded(weights.record(model, quant))
    network = weights.load(model, quant)
    real = RAW_INPUTS[model].to_real(samples.x)
    equal = _equality(graph, samples, network, real)
    shown = samples.sha256 == recorded.sha256 or not samples.is_real
    return Evaluation(
        Accuracy(
            metric=metric,
            dataset=samples.name,
            float=recorded.float if shown else None,
            qkeras=_share(network, real, samples.y) if samples.is_real else recorded.qkeras,
            integer=evaluate(graph, samples.x, samples.y, counter("integer accuracy, samples")),
            samples=len(samples.y),
            recorded=not samples.is_real,
        ),
        recorded,
        equal,
        recorded.note if shown else samples.note,
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
    equal = _equality(graph, samples, network, samples.x.astype(np.float32, copy=False))
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


def _equality(
    graph: IntGraph, samples: Samples, network: Any, real: NDArray[np.float32]
) -> tuple[Equality, ...]:
    from flow.frontend.equality import check_equality

    chosen = pick_frames(samples, min(EQUALITY_FRAMES, len(samples.y)), FRAME_SEED)
    codes = map_input(graph, samples.x[chosen])
    taps = run_taps(graph, codes, counter("integer reference, samples"))
    equal = check_equality(network, graph, taps, real[chosen], counter("equal to QKeras, layers"))
    return tuple(Equality(layer.name, layer.compared) for layer in equal)


def load_evaluation(path: Path) -> Evaluation:
    """Read the JSON form of an Evaluation."""
    raw = json.loads(path.read_text())
    return Evaluation(
        Accuracy(**raw["accuracy"]),
        None if raw["recorded"] is None else Recorded(**raw["recorded"]),
        tuple(Equality(**layer) for layer in raw["equality"]),
        raw["note"],
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


def _share(network: Any, real: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(np.mean(_classes(network, real) == labels))


def _classes(network: Any, real: NDArray[Any]) -> NDArray[np.int64]:
    tell(f"QKeras, {len(real):,} samples")
    scores = network.predict(real, batch_size=BATCH, verbose=0)
    classes: NDArray[np.int64] = scores.reshape(len(real), -1).argmax(-1)
    return classes
