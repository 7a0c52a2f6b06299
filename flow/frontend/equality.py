"""First rung of the checking ladder: QKeras layers in float64 against the integer reference.

Each layer is fed the codes of its own input and evaluated on its quantizer's effective weights.
Sums of dyadic numbers below 2**53 are exact in float64 whatever their order, so a difference is a
difference of semantics, never of rounding. There is no tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import Mismatch
from flow.frontend._activations import exported
from flow.frontend._keras_values import compute, quantized_codes, table_codes, to_codes
from flow.frontend._steps import SUMS, Pads, Step
from flow.frontend.keras_reader import read_steps
from flow.graph.types import IntArray, IntGraph, Node

BATCH = 50
TABLES = ("table", "function")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Real value = (code - zero_point) * 2**scale_exp."""

    scale_exp: int
    zero_point: int

    def real(self, codes: IntArray) -> NDArray[np.float64]:
        """Real values of codes, exact."""
        return np.ldexp((codes - self.zero_point).astype(np.float64), self.scale_exp)


@dataclass(frozen=True, slots=True)
class LayerEquality:
    """How many codes of one layer were compared; a difference raises instead."""

    name: str
    compared: int


def check_equality(
    model: Any,
    graph: IntGraph,
    taps: Mapping[str, IntArray],
    real: NDArray[np.float32] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[LayerEquality, ...]:
    """Compare every layer of `model` with the integer codes in `taps` (from `run_taps`).

    Only the model says what codes mean: exponents and zero points come from its own quantizers.

    Args:
        real: [n, h, w, c] float input of the model; its first quantizer, in float32 as Keras runs
            it, must give the input codes in `taps`. None: only the layers are compared.
        progress: called with (layers done, layers in all) after each layer.

    Raises:
        Mismatch: any code differs; names the first one.
    """
    steps = read_steps(model)
    names = [graph.input_name, *(step.name for step in steps[1:])]
    results = []
    if real is not None:
        expected = quantized_codes(steps[0].quantizer, np.asarray(real, np.float32))
        results.append(_compare(graph.input_name, expected, taps[graph.input_name]))
    meanings = [_quantizer_meaning(steps[0].quantizer)]
    for count, (step, node) in enumerate(zip(steps[1:], graph.nodes, strict=True), 1):
        inputs = [(meanings[source.step], taps[names[source.step]]) for source in step.sources]
        meanings.append(_meaning(step, node, meanings))
        expected = keras_codes(step, inputs, meanings[-1])
        results.append(_compare(node.name, expected, taps[node.name]))
        progress(count, len(graph.nodes))
    return tuple(results)


def _meaning(step: Step, node: Node, earlier: Sequence[Meaning]) -> Meaning:
    """What the codes behind a step mean; of exact sums, without a quantizer, the graph says it."""
    if step.quantizer is not None:
        return _quantizer_meaning(step.quantizer)
    if step.role in SUMS:
        return Meaning(node.y.scale_exp, node.y.zero_point)
    return earlier[step.sources[0].step]


def _quantizer_meaning(quantizer: Any) -> Meaning:
    codes = exported(quantizer)
    return Meaning(codes.scale_exp, codes.zero_point)


def _compare(name: str, expected: IntArray, got: IntArray) -> LayerEquality:
    if expected.shape != got.shape or got.size == 0:
        raise Mismatch(name, "the shape", expected.shape, got.shape, got.size, got.size)
    different = np.argwhere(expected != got)
    if len(different):
        index = tuple(int(i) for i in different[0])
        raise Mismatch(
            name, index, int(expected[index]), int(got[index]), len(different), got.size,
            "QKeras against the integer reference.",
        )  # fmt: skip
    return LayerEquality(name, got.size)


def keras_codes(
    step: Step, inputs: Sequence[tuple[Meaning, IntArray]], meaning: Meaning
) -> IntArray:
    """Codes [n, oh, ow, c] that the Keras layer, its ReLU and its quantizer give.

    Args:
        inputs: of each source, what its codes mean and the codes [n, ...].
        meaning: of the result's codes.
    """
    outputs = []
    for start in range(0, len(inputs[0][1]), BATCH):
        real = [
            _padded(x.real(codes[start : start + BATCH]).reshape((-1, *source.shape)), source.pads)
            for (x, codes), source in zip(inputs, step.sources, strict=True)
        ]
        outputs.append(_codes(step, real, meaning))
    return np.concatenate(outputs)


def _codes(step: Step, real: list[NDArray[np.float64]], meaning: Meaning) -> IntArray:
    if step.role in TABLES:
        return table_codes(step, real[0])
    values = compute(step, real)
    if step.quantizer is not None:
        return quantized_codes(step.quantizer, values)
    return to_codes(values, 2.0**meaning.scale_exp, meaning.zero_point, step.layer)


def _padded(x: NDArray[np.float64], pads: Pads) -> NDArray[np.float64]:
    top, bottom, left, right = pads
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
