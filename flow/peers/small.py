"""The small networks of the comparison: stock QKeras layers and quantizers, seeded weights.

Each kind is one operator that FPGA flows get wrong in their own way, between the quantizers that a
user of QKeras would put around it. Kernels have the network's `alpha`, biases alpha=1, as in the
tutorials of hls4ml; everything else is equal in the three networks of a kind.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D
from qkeras.quantizers import quantized_bits

L = tf.keras.layers

INPUT_BITS, INPUT_INTEGER = 8, 2  # steps of 2**-5 within +-4: on the grid of fixed<16,6>
CLASSES = 10


def build(kind: str, alpha: Any, seed: int) -> tf.keras.Model:
    """A network of NETWORKS with seeded weights, the same floats for every alpha.

    Channels differ in their range, as trained ones do, so that scales of `auto` and `auto_po2`
    differ from channel to channel.
    """
    # Keras converts the Python of every layer's call, which takes most of a small model's time
    model = tf.autograph.experimental.do_not_convert(_network)(kind, alpha)
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    for layer in model.layers:
        if layer.get_weights():
            layer.set_weights([_random(rng, variable) for variable in layer.weights])
    return model


def _network(kind: str, alpha: Any) -> tf.keras.Model:
    shape, body = NETWORKS[kind]
    inputs = tf.keras.Input(shape, name="raw")
    first = QActivation(quantized_bits(INPUT_BITS, INPUT_INTEGER, alpha=1), name="q_in")(inputs)
    return tf.keras.Model(inputs, body(first, alpha), name=f"{kind}_{name_of(alpha)}")


def inputs_of(kind: str, frames: int, seed: int) -> NDArray[np.float64]:
    """Random inputs [n, ...] on the grid of the network's input quantizer."""
    shape, _ = NETWORKS[kind]
    top = 2 ** (INPUT_BITS - 1)
    codes = np.random.default_rng(seed).integers(-top, top, (frames, *shape))
    return np.ldexp(codes.astype(np.float64), INPUT_INTEGER + 1 - INPUT_BITS)


def name_of(alpha: Any) -> str:
    """An alpha as part of an identifier."""
    return f"alpha_{alpha}".removeprefix("alpha_" if isinstance(alpha, str) else "")


def _random(rng: np.random.Generator, variable: tf.Variable) -> NDArray[np.float64]:
    shape = tuple(variable.shape)
    if len(shape) == 1:
        return rng.normal(size=shape) * 0.3
    depthwise = "depthwise" in variable.name
    channels = (shape[-2], 1) if depthwise else (shape[-1],)
    fan_in = int(np.prod(shape[:2] if depthwise else shape[:-1]))
    spread = 2.0 ** rng.uniform(-2, 1, channels)
    values = rng.normal(size=shape) * spread * 1.5 / np.sqrt(fan_in)
    return np.asarray(np.clip(values, -0.99, 0.99))


def _weights(bits: int, alpha: Any) -> quantized_bits:
    return quantized_bits(bits, 0, alpha=alpha)


def _bias() -> quantized_bits:
    return quantized_bits(8, 1, alpha=1)


def _dense(name: str, units: int, bits: int, alpha: Any) -> QDense:
    return QDense(units, name=name, kernel_quantizer=_weights(bits, alpha), bias_quantizer=_bias())


def _conv(name: str, filters: int, size: int, bits: int, alpha: Any, stride: int = 1) -> QConv2D:
    return QConv2D(
        filters, size, stride, padding="same", name=name,
        kernel_quantizer=_weights(bits, alpha), bias_quantizer=_bias(),
    )  # fmt: skip


def _depthwise(name: str, bits: int, alpha: Any) -> QDepthwiseConv2D:
    return QDepthwiseConv2D(
        3, padding="same", name=name,
        depthwise_quantizer=_weights(bits, alpha), bias_quantizer=_bias(),
    )  # fmt: skip


def _relu(name: str, bits: int, integer: int) -> QActivation:
    return QActivation(f"quantized_relu({bits},{integer})", name=name)


def _signed(name: str, bits: int, integer: int, symmetric: int = 0) -> QActivation:
    return QActivation(quantized_bits(bits, integer, symmetric, alpha=1), name=name)


def _classify(x: Any, alpha: Any) -> Any:
    x = _dense("logits", CLASSES, 6, alpha)(L.Flatten(name="flatten")(x))
    return _signed("q_logits", 8, 3)(x)


def _dense_network(x: Any, alpha: Any) -> Any:
    x = _relu("relu_1", 6, 2)(_dense("dense_1", 32, 4, alpha)(x))
    x = _relu("relu_2", 8, 2)(_dense("dense_2", 24, 8, alpha)(x))
    return _signed("q_logits", 8, 3)(_dense("logits", CLASSES, 6, alpha)(x))


def _conv_network(x: Any, alpha: Any) -> Any:
    x = _relu("relu_1", 4, 2)(_conv("conv_1", 8, 3, 4, alpha)(x))
    x = _signed("q_2", 6, 2, symmetric=1)(_conv("conv_2", 8, 3, 8, alpha, stride=2)(x))
    return _classify(x, alpha)


def _depthwise_network(x: Any, alpha: Any) -> Any:
    x = _relu("relu_1", 8, 2)(_depthwise("depthwise_1", 8, alpha)(x))
    x = _relu("relu_2", 4, 2)(_conv("pointwise_1", 8, 1, 4, alpha)(x))
    x = _signed("q_3", 6, 2)(_depthwise("depthwise_2", 4, alpha)(x))
    return _classify(x, alpha)


def _residual_network(x: Any, alpha: Any) -> Any:
    x = _relu("relu_1", 6, 2)(_conv("conv_1", 6, 3, 4, alpha)(x))
    y = _relu("relu_2", 4, 1)(_conv("conv_2", 6, 3, 4, alpha)(x))
    y = _signed("q_3", 6, 2)(_conv("conv_3", 6, 3, 6, alpha)(y))
    x = _relu("relu_4", 6, 3)(L.Add(name="add")([x, y]))
    return _classify(x, alpha)


def _pooling_network(x: Any, alpha: Any) -> Any:
    x = _relu("relu_1", 6, 2)(_conv("conv_1", 8, 3, 4, alpha)(x))
    x = _relu("relu_2", 6, 1)(L.AveragePooling2D(3, name="pool_1")(x))
    x = _signed("q_3", 8, 2)(_conv("conv_2", 8, 1, 6, alpha)(x))
    x = _signed("q_4", 8, 1)(L.GlobalAveragePooling2D(name="pool_2")(x))
    return _signed("q_logits", 8, 3)(_dense("logits", CLASSES, 6, alpha)(x))


NETWORKS: dict[str, tuple[tuple[int, ...], Callable[[Any, Any], Any]]] = {
    "dense": ((16,), _dense_network),
    "conv": ((8, 8, 3), _conv_network),
    "depthwise": ((8, 8, 4), _depthwise_network),
    "residual": ((8, 8, 3), _residual_network),
    "pooling": ((9, 9, 3), _pooling_network),
}
