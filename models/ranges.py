"""Calibrate and freeze all quantizers of a model."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation

from flow.frontend.keras_reader import topological
from models.quantizers import quantized_bits_featuremap, quantized_bits_po2

log = logging.getLogger(__name__)


def calibrate(model: tf.keras.Model, samples: NDArray[np.float32], batch: int = 250) -> None:
    """Set every activation range from `samples` ([n, ...] model inputs), in network order.

    Each quantizer sees what the quantizers before it already let through. One pass through the
    network; a tensor is kept until its last reader has run.
    """
    layers = list(activation_layers(model))
    nodes = topological(model)
    readers = Counter(id(tensor) for node in nodes for tensor in node.keras_inputs)
    values = {id(model.inputs[0]): np.asarray(samples, np.float32)}
    for node in nodes:
        if node.layer in layers:
            node.layer.quantizer.calibrate(values[id(node.keras_inputs[0])])
            log.info(
                "calibrated %s (%d of %d): log2_step %g", node.layer.name,
                layers.index(node.layer) + 1, len(layers), node.layer.quantizer.log2_step.numpy(),
            )  # fmt: skip
        values |= _run(node, values, len(samples), batch)
        for tensor in node.keras_inputs:
            readers[id(tensor)] -= 1
            if not readers[id(tensor)]:
                del values[id(tensor)]


@tf.autograph.experimental.do_not_convert  # a layer is called once: converting it takes longer
def _run(
    node: Any, values: dict[int, NDArray[np.float32]], count: int, batch: int
) -> dict[int, NDArray[np.float32]]:
    """Outputs of one call of a layer for all samples, `batch` at a time, by their ids."""
    parts = []
    for start in range(0, count, batch):

        def given(leaf: Any, start: int = start) -> Any:
            value = values.get(id(leaf))
            return leaf if value is None else tf.constant(value[start : start + batch])

        args, options = tf.nest.map_structure(given, (node.call_args, node.call_kwargs))
        parts.append([part.numpy() for part in tf.nest.flatten(node.layer(*args, **options))])
    outputs = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {id(t): v for t, v in zip(tf.nest.flatten(node.outputs), outputs, strict=True)}


def freeze(model: tf.keras.Model, element_wise: bool = True) -> None:
    """Make every activation scale and every weight exponent of the model a constant.

    Compile the model again afterwards: the frozen exponents become part of its graph.

    Args:
        model: calibrated.
        element_wise: also freeze exponents of single elements (biases). They should stay free
            while training goes on: a frozen one confines its bias to less than twice its value.

    Raises:
        NotCalibrated: an activation quantizer has no range.
    """
    for layer in activation_layers(model):
        layer.quantizer.freeze()
    for _, quantizer, variable in weight_quantizers(model):
        if element_wise or quantizer.scale_axis != "element":
            quantizer.freeze(variable.numpy())


def activation_layers(model: tf.keras.Model) -> Iterator[QActivation]:
    """Yield the layers that hold a `quantized_bits_featuremap`, in network order."""
    for layer in model.layers:
        if isinstance(getattr(layer, "quantizer", None), quantized_bits_featuremap):
            yield layer


def weight_quantizers(
    model: tf.keras.Model,
) -> Iterator[tuple[str, quantized_bits_po2, tf.Variable]]:
    """Yield '<layer>/kernel' or '<layer>/bias', its quantizer and its float variable."""
    for layer in model.layers:
        kernel = "depthwise_kernel" if hasattr(layer, "depthwise_kernel") else "kernel"
        prefix = kernel.removesuffix("_kernel")
        for role, attribute, quantizer in (
            ("kernel", kernel, getattr(layer, f"{prefix}_quantizer_internal", None)),
            ("bias", "bias", getattr(layer, "bias_quantizer_internal", None)),
        ):
            variable = getattr(layer, attribute, None)  # None for the bias of use_bias=False
            if isinstance(quantizer, quantized_bits_po2) and variable is not None:
                yield f"{layer.name}/{role}", quantizer, variable
