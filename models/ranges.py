"""Calibrate and freeze all quantizers of a model."""

import logging
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation

from models.quantizers import quantized_bits_featuremap, quantized_bits_po2

log = logging.getLogger(__name__)


def calibrate(model: tf.keras.Model, samples: NDArray[np.float32], batch: int = 250) -> None:
    """Set every activation range from `samples` ([n, ...] model inputs), in network order.

    Each quantizer sees what the quantizers before it already let through.
    """
    layers = list(activation_layers(model))
    for index, layer in enumerate(layers):
        probe = tf.keras.Model(model.inputs, layer.input)
        parts = [
            probe(samples[start : start + batch], training=False).numpy()
            for start in range(0, len(samples), batch)
        ]
        layer.quantizer.calibrate(np.concatenate(parts))
        exponent = layer.quantizer.log2_step.numpy()
        log.info("calibrated %s (%d of %d): log2_step %g", layer.name, index + 1, len(layers),
                 exponent)  # fmt: skip


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
