"""All that is asked about a quantized network, and which of its layers costs most."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.analysis.fake_quantized import fake_quantized
from flow.analysis.masters import master_steps, no_twin
from flow.analysis.propagation import LayerErrors, Outputs, alone_samples, propagate
from flow.analysis.weights import LayerWeights, all_weights
from flow.frontend.keras_reader import read_steps
from flow.graph import Engine, IntGraph, Profile, map_input, profile

NETWORKS = ("float", "qkeras", "integer")

Counter = Callable[[str], Callable[[int, int], None]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Classes (largest output) of the float twin, of QKeras and of the integers, on all samples.

    `accuracy` holds the share of right ones of each network, `same` the share of samples on which
    two of them agree, by their names. Without a float twin there is no "float".
    """

    accuracy: dict[str, float]
    same: dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The findings. `errors` has the network's input first, then every node of the graph."""

    samples: int
    alone_samples: int  # of them, those behind `LayerErrors.alone`
    weights: tuple[LayerWeights, ...]
    profile: Profile
    errors: tuple[LayerErrors, ...]
    agreement: Agreement | None  # None: the outputs are no scores of classes

    no_twin: str | None = None  # why there is no float twin to measure errors against

    @property
    def costliest(self) -> LayerErrors | None:
        """What harms the network's output most when it alone is quantized; None: nothing does."""
        found = [(layer.alone.db, layer) for layer in self.errors if layer.alone is not None]
        worst, layer = min(found, key=lambda pair: pair[0], default=(math.inf, None))
        return layer if worst < math.inf else None


def analyse(
    model: Any,
    graph: IntGraph,
    real: NDArray[np.float32],
    raw: NDArray[np.generic],
    labels: NDArray[np.int64] | None,
    counter: Counter = lambda text: lambda done, total: None,
    before: Any = None,
) -> Analysis:
    """Compare a QKeras model, its integers and its float twin on samples.

    Args:
        model: calibrated and frozen; `graph` was made of it.
        real: [n, ...] its float input.
        raw: [n, ...] the same samples as the graph's input map takes them.
        labels: [n] classes; None: the outputs are no scores of classes.
        counter: makes a callback of (samples done, samples in all) for what is done next.
        before: the model before its scales were made constants, whose float weights are the twin's;
            it is changed. None: `model`'s are.

    Raises:
        DataError: the samples do not fit.
        Mismatch: the fast engine differs from the reference.
    """
    steps = read_steps(model)
    masters = steps if before is None else master_steps(steps, before)
    reason = no_twin(steps)
    codes = map_input(graph, raw)
    shaped = np.asarray(real, np.float32).reshape(-1, *graph.input_shape)
    engine = Engine(graph)
    found = profile(graph, codes, counter("ranges of the integers, samples"), engine)
    with fake_quantized(model, steps) as fake:
        errors, outputs = propagate(
            engine, steps, None if reason else masters, fake, shaped, codes,
            counter("errors, samples"),
        )  # fmt: skip
    return Analysis(
        samples=len(codes),
        alone_samples=min(len(codes), alone_samples(graph)),
        weights=tuple(all_weights(masters, graph.nodes)),
        profile=found,
        errors=errors,
        agreement=None if labels is None else _agreement(outputs, labels),
        no_twin=reason,
    )


def _agreement(outputs: Outputs, labels: NDArray[np.int64]) -> Agreement:
    values = (outputs.twin, outputs.qkeras, outputs.integer)
    classes = {
        name: array.argmax(axis=1)
        for name, array in zip(NETWORKS, values, strict=True)
        if array is not None
    }
    return Agreement(
        {name: float((found == labels).mean()) for name, found in classes.items()},
        {(a, b): float((classes[a] == classes[b]).mean()) for a, b in combinations(classes, 2)},
    )
