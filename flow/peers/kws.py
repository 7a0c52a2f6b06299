"""The keyword-spotting network of this repository, rebuilt from stock QKeras quantizers.

It has the trained weights of kws-mpq (`flow.peers.twin`). What stock quantizers cannot keep costs
accuracy, which is why each row of the comparison states its own model's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.peers.small import name_of
from flow.peers.twin import twin
from models import weights
from models.bits import network_bits
from models.raw import RAW_INPUTS

# MFCCs reach -124; divided by 4 they fit hls4ml's default input type, fixed<16,6>, whose grid is
# then the first quantizer's own. The first layer's weights are multiplied by 4 in return.
INPUT_SHIFT = 2
INPUT_BITS, INPUT_INTEGER = 16, 5


def build(alpha: Any) -> tf.keras.Model:
    """The DS-CNN with the trained weights of kws-mpq and stock quantizers, kernels with `alpha`."""
    trained, bits = weights.load("kws"), network_bits("kws")
    quantizer, layer = next(iter(bits.activations)), next(iter(bits.matrices))
    kernel, bias = trained.get_layer(layer).get_weights()
    return twin(
        "kws",
        trained,
        alpha,
        name=f"kws_{name_of(alpha)}",
        values={layer: [np.ldexp(kernel, INPUT_SHIFT), bias]},
        integers={quantizer: INPUT_INTEGER},
    )


def inputs_of(raw: NDArray[np.generic]) -> NDArray[np.float64]:
    """Float inputs [n, 49, 10, 1] of raw samples, rounded to the grid of the first quantizer."""
    real = RAW_INPUTS["kws"].to_real(raw).astype(np.float64)
    step = 2.0 ** (INPUT_INTEGER + 1 - INPUT_BITS)
    top = 2 ** (INPUT_BITS - 1)
    return np.asarray(np.clip(np.rint(np.ldexp(real, -INPUT_SHIFT) / step), -top, top - 1) * step)
