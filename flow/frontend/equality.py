"""First rung of the checking ladder: QKeras layers in float64 against the integer reference.

Each layer is fed the codes of its own input and evaluated on its quantizer's effective weights.
Sums of dyadic numbers below 2**53 are exact in float64 whatever their order, so a difference is a
difference of semantics, never of rounding. There is no tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.errors import FlowError, Mismatch
from flow.frontend.keras_reader import MATRIX_LAYERS, Step, read_steps
from flow.graph.types import IntArray, IntGraph, Node

BATCH = 50


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
    results = []
    if real is not None:
        first = steps[0].quantizer
        expected = _codes(first(tf.constant(real, tf.float32)), first)
        results.append(_compare(graph.input_name, expected, taps[graph.input_name]))
    pairs = zip(steps[1:], graph.nodes, strict=True)
    for count, (source, (step, node)) in enumerate(zip(steps, pairs, strict=False), 1):
        expected = keras_codes(source, step, node, taps[node.source])
        results.append(_compare(node.name, expected, taps[node.name]))
        progress(count, len(graph.nodes))
    return tuple(results)


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


def keras_codes(source: Step, step: Step, node: Node, codes: IntArray) -> IntArray:
    """Codes [n, oh, ow, c] that the QKeras layer, its ReLU and its quantizer give for `codes`.

    Args:
        source: the step whose quantizer made `codes`.
        node: for its shapes only.
    """
    x = source.quantizer.export()
    outputs = []
    for start in range(0, len(codes), BATCH):
        batch = codes[start : start + BATCH].reshape((-1, *node.in_shape))
        result = _compute(step.compute, tf.constant(x.dequantize(batch), tf.float64))
        if step.relu is not None:
            result = _relu(step.relu, result)
        outputs.append(_codes(step.quantizer(result), step.quantizer))
    return np.concatenate(outputs).reshape((-1, *node.out_shape))


def _codes(values: tf.Tensor, quantizer: Any) -> IntArray:
    """Codes of a quantizer's output; a value between two codes would be no code at all."""
    exported = quantizer.export()
    ratio = np.asarray(values, np.float64) / exported.scale
    codes: IntArray = np.rint(ratio).astype(np.int64)
    if (codes != ratio).any():
        raise FlowError(
            f"quantizer {quantizer.label!r} gave values that are no multiples of its step "
            f"{exported.scale}.\n  Freeze the model before it is exported."
        )
    codes += exported.zero_point
    return codes


def _compute(layer: Any, x: tf.Tensor) -> tf.Tensor:
    kind = type(layer).__name__
    if kind not in MATRIX_LAYERS:
        config = {**layer.get_config(), "dtype": "float64"}
        return type(layer).from_config(config)(x)
    kernel, *bias = layer.get_weights()
    quantizer = getattr(layer, f"{MATRIX_LAYERS[kind]}_quantizer_internal")
    effective = quantizer(tf.constant(kernel, tf.float64))
    if kind == "QDense":
        result = tf.reshape(x, (x.shape[0], -1)) @ effective
    else:
        padding = layer.padding.upper()
        strides = (1, *layer.strides, 1)
        op = tf.nn.depthwise_conv2d if kind == "QDepthwiseConv2D" else tf.nn.conv2d
        result = op(x, effective, strides, padding)
    if bias:
        result += layer.bias_quantizer_internal(tf.constant(bias[0], tf.float64))
    return result


def _relu(layer: Any, x: tf.Tensor) -> tf.Tensor:
    ceiling = layer.get_config().get("max_value")
    result = tf.nn.relu(x)
    return result if ceiling is None else tf.minimum(result, tf.constant(ceiling, tf.float64))
