"""One model of the comparison: its inputs, its right outputs, what they are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.graph.types import IntArray

ALPHAS: tuple[Any, ...] = (1, "auto", "auto_po2")
SMALL = ("dense", "conv", "depthwise", "residual", "pooling")
KWS = "kws"
NETWORKS = (*SMALL, KWS)
SEED = 1
INPUT_SEED = 7
SMALL_FRAMES = 1000
FILE = "problem.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Raw samples of kws and their labels."""

    x: NDArray[np.generic]
    y: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What every flow is given, and what is right.

    `model` has stock quantizers. `freeze_auto` has rounded its scales of alpha='auto' to
    mult * 2**exponent, mult < 2**15, before; so the frozen twin, of which integers are made,
    computes the same function.
    """

    network: str
    alpha: Any
    model: Any
    frozen: Any
    inputs: NDArray[np.float64]  # [n, ...] on the grid of the model's first quantizer
    codes: IntArray  # [n, k] right outputs, codes of the last quantizer
    scale_exp: int  # real output = code * 2**scale_exp
    labels: NDArray[np.int64] | None
    qkeras_accuracy: float | None  # of the model as Keras runs it, float32


def make_problem(
    network: str, alpha: Any, samples: Labelled | None = None, frames: int = SMALL_FRAMES
) -> Problem:
    """Build a model and compute its right outputs.

    Right is the integer reference, after every layer of it was found equal to the QKeras model
    evaluated in float64, on these inputs.

    Args:
        samples: of kws; the other networks have random inputs.
        frames: of the other networks.

    Raises:
        Mismatch: integers and QKeras differ anywhere.
    """
    from models.quantizers import freeze_auto

    projected = _build(network, alpha)
    freeze_auto(projected)
    weights = projected.get_weights()
    model, frozen = with_weights(network, alpha, weights)
    inputs = _inputs(network, samples, frames)
    codes, scale_exp = _right(model, frozen, inputs)
    return Problem(
        network=network,
        alpha=alpha,
        model=model,
        frozen=frozen,
        inputs=inputs,
        codes=codes,
        scale_exp=scale_exp,
        labels=None if samples is None else samples.y,
        qkeras_accuracy=None if samples is None else _accuracy(model, inputs, samples.y),
    )


def with_weights(network: str, alpha: Any, weights: list[NDArray[np.float32]]) -> tuple[Any, Any]:
    """The model with these weights, and its twin with frozen scales."""
    from models.quantizers import freeze_auto

    model, frozen = _build(network, alpha), _build(network, alpha)
    model.set_weights(weights)
    frozen.set_weights(weights)
    freeze_auto(frozen)
    return model, frozen


def save_problem(problem: Problem, folder: Path) -> None:
    """Write `problem.npz`; models are stored by their weights."""
    arrays: dict[str, NDArray[Any]] = {
        "inputs": problem.inputs,
        "codes": problem.codes,
        "scale_exp": np.array(problem.scale_exp),
        **{f"weight_{i}": value for i, value in enumerate(problem.model.get_weights())},
    }
    if problem.labels is not None:
        arrays["labels"] = problem.labels
        arrays["qkeras_accuracy"] = np.array(problem.qkeras_accuracy)
    np.savez(folder / FILE, **arrays)


def load_problem(network: str, alpha: Any, path: Path) -> Problem:
    """Read what `save_problem` wrote."""
    with np.load(path, allow_pickle=False) as file:
        stored = {key: file[key] for key in file.files}
    count = sum(key.startswith("weight_") for key in stored)
    model, frozen = with_weights(network, alpha, [stored[f"weight_{i}"] for i in range(count)])
    labelled = "labels" in stored
    return Problem(
        network=network,
        alpha=alpha,
        model=model,
        frozen=frozen,
        inputs=stored["inputs"],
        codes=stored["codes"],
        scale_exp=int(stored["scale_exp"]),
        labels=stored["labels"] if labelled else None,
        qkeras_accuracy=float(stored["qkeras_accuracy"]) if labelled else None,
    )


def _build(network: str, alpha: Any) -> Any:
    from flow.peers import kws, small

    return kws.build(alpha) if network == KWS else small.build(network, alpha, SEED)


def _inputs(network: str, samples: Labelled | None, frames: int) -> NDArray[np.float64]:
    from flow.peers import kws, small

    if network != KWS:
        return small.inputs_of(network, frames, INPUT_SEED)
    assert samples is not None
    return kws.inputs_of(samples.x)


def _right(model: Any, frozen: Any, inputs: NDArray[np.float64]) -> tuple[IntArray, int]:
    from flow.frontend import from_keras
    from flow.frontend.equality import check_equality
    from flow.graph import map_input, run_taps
    from flow.progress import counter

    graph = from_keras(frozen)
    real = inputs.reshape(-1, *graph.input_shape).astype(np.float32)
    taps = run_taps(graph, map_input(graph, real), counter("integer reference, samples"))
    check_equality(model, graph, taps, real, counter("equal to QKeras, layers"))
    if graph.output.y.zero_point != 0:
        raise AssertionError("stock quantizers have no zero point")
    return taps[graph.output.name].reshape(len(inputs), -1), graph.output.y.scale_exp


def _accuracy(model: Any, inputs: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    scores = model.predict(inputs.astype(np.float32), verbose=0).reshape(len(labels), -1)
    return float(np.mean(scores.argmax(-1) == labels))


def problem_name(network: str, alpha: Any) -> str:
    """A problem as part of a file name."""
    return f"{network}-{'alpha1' if alpha == 1 else alpha}"


def alpha_of(text: str) -> Any:
    """The alpha that a command line names."""
    return {str(alpha): alpha for alpha in ALPHAS}[text]
