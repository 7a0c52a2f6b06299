"""Weights of every kind of layer that has some."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QDepthwiseConv2D, QGlobalAveragePooling2D
from qkeras.quantizers import quantized_bits

from flow.analysis.weights import LayerWeights, all_weights
from flow.frontend import from_keras
from flow.frontend.keras_reader import read_steps
from models.quantizers.norms import freeze_norms
from tests.frontend.small_models import chain, dense, quick, with_weights


def bits(width: int = 8, integer: int = 2) -> Any:
    return quantized_bits(width, integer, 1, alpha=1)


def codes(name: str) -> QActivation:
    return QActivation(bits(), name=name)


def weights(model: tf.keras.Model) -> list[LayerWeights]:
    return list(all_weights(read_steps(model), from_keras(model).nodes))


@quick
def test_channels_of_a_depthwise_layer_are_its_outputs() -> None:
    layer = QDepthwiseConv2D(
        2, depth_multiplier=2, depthwise_quantizer=bits(4, 0), use_bias=False, name="deep"
    )
    model = chain((2, 2, 2), [codes("first"), layer, codes("last")])
    kernel = np.full((2, 2, 2, 2), 0.25, np.float32)  # a multiple of the step, 1/8
    kernel[1, 0, 1, 0] = 0.3125  # half a step more: channel 1 * 2 + 0
    layer.set_weights([kernel])
    (found,) = weights(model)
    assert (found.worst_channel, found.bias) == (2, None)
    assert found.worst_channel_sqnr.noise == found.kernel.sqnr.noise == 0.0625**2
    assert found.worst_channel_sqnr.signal == 3 * 0.25**2 + 0.3125**2


@quick
def test_quantized_factor_of_an_average_is_one_weight() -> None:
    pool = QGlobalAveragePooling2D(average_quantizer=bits(8, 0), name="pool")
    (found,) = weights(chain((3, 1, 2), [codes("first"), pool, codes("last")]))
    step = 2.0**-7
    factor = np.float32(1 / 3)
    noise = (round(factor / step) * step - np.float64(factor)) ** 2
    assert found.kernel.sqnr.noise == pytest.approx(found.kernel.values * noise)
    assert (found.bias, found.worst_channel) == (None, 0)


@quick
def test_frozen_batch_normalization_has_no_other_weights() -> None:
    norm = tf.keras.layers.BatchNormalization(name="norm")
    layer = dense(3, name="dense", bits=4)
    model = with_weights(chain((4,), [codes("first"), layer, norm, codes("last")]))
    norm.set_weights([np.array(v, np.float32) for v in ([1, 2, 3], [0, 0, 1], [0] * 3, [1] * 3)])
    freeze_norms(model)
    (found,) = weights(model)
    assert 5 < found.kernel.sqnr.db < 40  # the dense layer's own
    assert found.bias is not None
    assert found.bias.sqnr.db == math.inf
    alone = chain((4,), [codes("first"), tf.keras.layers.BatchNormalization(), codes("last")])
    freeze_norms(alone)
    (found,) = weights(alone)
    assert found.kernel.sqnr.db == found.worst_channel_sqnr.db == math.inf
