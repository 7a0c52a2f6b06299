"""The QKeras model as it runs, in float32, with every tensor that the integer graph has too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.frontend._steps import Step
from flow.frontend.keras_reader import topological

Run = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]


@contextmanager
def fake_quantized(model: Any, steps: Sequence[Step]) -> Iterator[Run]:
    """Give a function of the model's input [n, ...] that returns the values of every step.

    The values have Keras' own shapes. A softmax inside the last layer is left out meanwhile: it is
    the host's.
    """
    last = steps[-1]
    host = getattr(last.layer, "activation", None) if last.quantizer is None else None
    try:
        if host is not None:
            last.layer.activation = tf.keras.activations.linear
        tapped = tf.keras.Model(model.inputs, _tensors(model, steps))

        def call(real: tf.Tensor) -> list[tf.Tensor]:
            outputs: list[tf.Tensor] = tapped(real, training=False)
            return outputs

        # converting the layers' Python would take most of the time
        plain = tf.autograph.experimental.do_not_convert(call)
        compiled = tf.function(plain, reduce_retracing=True)

        def run(real: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            shaped = real.reshape(-1, *model.input_shape[1:])
            return [np.asarray(output) for output in compiled(tf.constant(shaped))]

        yield run
    finally:
        if host is not None:
            last.layer.activation = host


def _tensors(model: Any, steps: Sequence[Step]) -> list[Any]:
    """The Keras tensor of every step; the k-th step behind a quantizer is its k-th call."""
    calls: dict[str, list[Any]] = defaultdict(list)
    for node in topological(model):
        calls[node.layer.name].append(node.outputs)
    return [_tensor(step, calls) for step in steps]


def _tensor(step: Step, calls: dict[str, list[Any]]) -> Any:
    if step.quantizer is not None:
        return calls[step.quantizer_layer].pop(0)
    tensor = calls[(step.norm or step.layer).name][0]
    if step.relu:  # behind a layer without a quantizer: it has no name of its own
        return tf.keras.layers.ReLU(step.ceiling)(tensor)
    return tensor
