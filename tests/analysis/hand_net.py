"""A network of one layer whose every figure was computed by hand.

Codes of the input and of the weights are quarters, those of the output eighths 0..7.

    master weights  1/4  1/16    bias 1/4  0     in use  1/4  0
                    1/2 -3/4                             1/2 -3/4
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QDense
from qkeras.quantizers import quantized_bits, quantized_relu

from tests.frontend.small_models import chain

SAMPLES = np.array([[1, 0.5625], [4, -0.25], [1.75, 1.75]], np.float32)
LABELS = np.array([0, 1, 0])

# float outputs: 0.25 x0 + 0.5 x1 + 0.25 and 0.0625 x0 - 0.75 x1, ReLU
TWIN = np.array([[0.78125, 0], [1.125, 0.4375], [1.5625, 0]])
# the layer in use, on float inputs: before and after its output is rounded (half to even) and cut
WEIGHED = np.array([[0.78125, 0], [1.125, 0.1875], [1.5625, 0]])
OWN = np.array([[0.75, 0], [0.875, 0.25], [0.875, 0]])
# codes of the input, and the float layer on them
INPUT_CODES = np.array([[4, 2], [7, -1], [7, 7]])
INPUT_ALONE = np.array([[0.75, 0], [0.5625, 0.296875], [1.5625, 0]])
# codes of the output of the whole network: 6 / 8, 4.5 / 8, 1.5 / 8, 12.5 / 8
CODES = np.array([[6, 0], [4, 2], [7, 0]])


def hand_net() -> tf.keras.Model:
    """The model, with its weights."""
    model = chain(
        (2,),
        [
            QActivation(quantized_bits(4, 1, 1, alpha=1), name="first"),
            QDense(
                2, name="dense",
                kernel_quantizer=quantized_bits(3, 0, 1, alpha=1),
                bias_quantizer=quantized_bits(4, 1, 1, alpha=1),
            ),
            QActivation(quantized_relu(3, 0), name="last"),
        ],
    )  # fmt: skip
    kernel = np.array([[0.25, 0.0625], [0.5, -0.75]], np.float32)
    model.get_layer("dense").set_weights([kernel, np.array([0.25, 0], np.float32)])
    return model


def some_quick(seeds: Iterable[int], quick: int = 3) -> list[Any]:
    """Test parameters of which only the first are quick."""
    return [
        seed if place < quick else pytest.param(seed, marks=pytest.mark.slow)
        for place, seed in enumerate(seeds)
    ]
