"""The float twin: a model's own architecture and float weights, without its quantizers.

What a quantizer computes besides rounding stays: the function of a table, and the ReLU of one
without negative codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import quantizers

from flow.analysis.sqnr import Floats
from flow.frontend._activations import exported
from flow.frontend._keras_values import compute, quantized_codes, table_codes
from flow.frontend._steps import Source, Step
from flow.graph.types import IntArray

UNWEIGHED = ("input", "table", "function")  # roles of steps that sum nothing

Values = Sequence[Floats] | Mapping[int, Floats]  # of steps, by their place


def twin_values(steps: Sequence[Step], real: NDArray[np.float32]) -> list[Floats]:
    """Values [n, h, w, c] of every step for the model's float input [n, h, w, c]."""
    values: list[Floats] = [real.astype(np.float64)]
    for step in steps[1:]:
        values.append(float_step(step, inputs_of(step, values)))
    return values


def inputs_of(step: Step, values: Values) -> list[Floats]:
    """What a step reads, reshaped and padded, of the values of earlier steps."""
    return [_seen(source, values[source.step]) for source in step.sources]


def float_step(step: Step, inputs: Sequence[Floats]) -> Floats:
    """A step of the twin."""
    if step.role in UNWEIGHED:
        return _function(step, inputs)
    return _rectified(step.quantizer, compute(step, inputs, _master))


def weighed_and_quantized(step: Step, inputs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The step for any real inputs: with quantized weights and biases, and as it is.

    The first one is not rounded yet; the second one is, by the step's quantizer.
    """
    if step.role in UNWEIGHED:
        return _function(step, inputs), _quantized(step, _codes_of_function(step, inputs))
    sums = compute(step, inputs)
    if step.quantizer is None:
        return sums, sums
    return _rectified(step.quantizer, sums), _quantized(step, quantized_codes(step.quantizer, sums))


def _function(step: Step, inputs: Sequence[Floats]) -> Floats:
    """What a step without a sum of its own gives before rounding."""
    if step.role == "input":
        return inputs[0]
    if step.role == "table":
        return np.asarray(_FUNCTIONS[type(step.quantizer).__name__](step.quantizer, inputs[0]))
    result = np.asarray(step.layer(tf.constant(inputs[0], tf.float32)), np.float64)
    result = _relu(result, step.ceiling) if step.relu else result
    return _rectified(step.quantizer, result)


def _codes_of_function(step: Step, inputs: Sequence[Floats]) -> IntArray:
    if step.role == "input":
        return quantized_codes(step.quantizer, inputs[0].astype(np.float32))
    return table_codes(step, inputs[0])


def _quantized(step: Step, found: IntArray) -> Floats:
    codes = exported(step.quantizer)
    return np.asarray((found - codes.zero_point) * codes.scale)


def _master(quantizer: Any, array: NDArray[np.float32]) -> Floats:
    return array.astype(np.float64)


def _rectified(quantizer: Any, values: Floats) -> Floats:
    """The ReLU that a quantizer without negative codes is, and the bound of `quantized_relu`."""
    if quantizer is None:
        return values
    codes = exported(quantizer)
    if codes.lo != codes.zero_point:
        return values
    clips = getattr(quantizer, "is_quantized_clip", True)
    return _relu(values, None if clips else quantizer.relu_upper_bound)


def _relu(values: Floats, ceiling: float | None) -> Floats:
    return np.minimum(np.maximum(values, 0), np.inf if ceiling is None else ceiling)


def _seen(source: Source, values: Floats) -> Floats:
    top, bottom, left, right = source.pads
    shaped = values.reshape((len(values), *source.shape))
    return np.pad(shaped, ((0, 0), (top, bottom), (left, right), (0, 0)))


def _sigmoid(quantizer: Any, x: Floats) -> Floats:
    function = tf.sigmoid if quantizer.use_real_sigmoid else quantizers._sigmoid
    return np.asarray(function(tf.constant(x)))


def _tanh(quantizer: Any, x: Floats) -> Floats:
    if quantizer.use_real_tanh:
        return np.tanh(x)
    return 2.0 * np.asarray(quantizers._sigmoid(tf.constant(x))) - 1.0


def _hswish(quantizer: Any, x: Floats) -> Floats:
    bound = float(quantizer.relu_upper_bound)
    return x * _relu(x + quantizer.relu_shift, bound) / bound


# Source: the forward passes of QKeras 0.9.0, before they round.
_FUNCTIONS: dict[str, Callable[[Any, Floats], Floats]] = {
    "quantized_sigmoid": _sigmoid,
    "quantized_tanh": _tanh,
    "quantized_hswish": _hswish,
}
