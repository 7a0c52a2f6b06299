"""The benchmark networks by name: quantized, in float, and with random weights."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flow.errors import ConfigError
from models import ad, ic, kws, ranges, vww, vww_effnet, vww_mbv2
from models.bits import NetworkBits, network_bits
from models.folding import fold_batchnorm, transfer
from models.layers import Layers
from models.raw import RAW_INPUTS

NETWORKS: dict[str, ModuleType] = {
    "ad": ad, "ic": ic, "kws": kws, "vww": vww, "vww_effnet": vww_effnet, "vww_mbv2": vww_mbv2,
}  # fmt: skip
CALIBRATION_SAMPLES = 16


def build(bits: NetworkBits) -> tf.keras.Model:
    """Build the quantized network of `bits`; its output is the last quantizer's (no softmax).

    Every layer has a bias, into which batch normalization is folded. It is not calibrated.

    Raises:
        ConfigError: there is no network of that name.
    """
    return _model(bits.network, Layers(bits))


def build_float(name: str, *, folded: bool = False) -> tf.keras.Model:
    """Build the float network (no softmax); `folded` leaves batch normalization out.

    Raises:
        ConfigError: there is no network of that name.
    """
    return _model(name, Layers(folded=folded))


@tf.autograph.experimental.do_not_convert  # converting every layer's Python takes most of the time
def _model(name: str, make: Layers) -> tf.keras.Model:
    if name not in NETWORKS:
        raise ConfigError(f"there is no network {name!r}.\n  Choose one of: {', '.join(NETWORKS)}.")
    inputs, outputs = NETWORKS[name].network(make)
    return tf.keras.Model(inputs, outputs, name=name)


def untrained(name: str, quant: str = "mpq", seed: int = 0) -> tf.keras.Model:
    """Return a quantized network with random weights, calibrated and frozen.

    Ranges are those of a network about to be trained: batch normalization of random gain and
    offset is set from random inputs, then folded. The same arguments give the same model.

    Raises:
        ConfigError: unknown network or quantization.
    """
    model = build(network_bits(name, quant))
    samples = random_inputs(name, CALIBRATION_SAMPLES, seed)
    float_model = build_float(name)
    randomize(float_model, samples, seed)
    transfer(model, fold_batchnorm(float_model))
    ranges.calibrate(model, samples)
    ranges.freeze(model)
    return model


def random_inputs(name: str, count: int, seed: int = 0) -> NDArray[np.float32]:
    """Random float inputs [count, ...] of a network, in the range of its real ones."""
    rng = np.random.default_rng(seed)
    shape = (count, *NETWORKS[name].INPUT_SHAPE)
    raw = RAW_INPUTS.get(name)
    if raw is None:  # ad: decibels
        return rng.normal(-10.0, 15.0, shape).astype(np.float32)
    return raw.to_real(rng.integers(raw.lo, raw.hi + 1, shape))


def randomize(float_model: tf.keras.Model, samples: NDArray[np.float32], seed: int = 0) -> None:
    """Draw all weights of a float model; its batch normalization then fits `samples`."""
    rng = np.random.default_rng(seed)
    norms = []
    for layer in float_model.layers:
        draw = _DRAWS.get(type(layer))
        if draw is not None:
            layer.set_weights([draw(rng, weight) for weight in layer.weights])
        if draw is _draw_norm:
            norms.append((layer, layer.momentum))
    for layer, _ in norms:
        layer.momentum = 0.0  # the statistics become those of the one batch below
    float_model(samples, training=True)
    for layer, momentum in norms:
        layer.momentum = momentum


def _draw_weight(rng: np.random.Generator, weight: tf.Variable) -> NDArray[np.float64]:
    """He et al. 2015, equation 10, for kernels; small biases."""
    shape = tuple(weight.shape)
    if len(shape) == 1:
        return rng.normal(0.0, 0.1, shape)
    depthwise = len(shape) == 4 and shape[3] == 1
    fan_in = int(np.prod(shape[:2] if depthwise else shape[:-1]))
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), shape)


def _draw_norm(rng: np.random.Generator, weight: tf.Variable) -> NDArray[np.float64]:
    if "gamma" in weight.name or "variance" in weight.name:
        return rng.uniform(0.5, 1.5, weight.shape)
    return rng.normal(0.0, 0.3, weight.shape)


_DRAWS: dict[type, Callable[[np.random.Generator, tf.Variable], NDArray[np.float64]]] = {
    tf.keras.layers.Conv2D: _draw_weight,
    tf.keras.layers.DepthwiseConv2D: _draw_weight,
    tf.keras.layers.Dense: _draw_weight,
    tf.keras.layers.BatchNormalization: _draw_norm,
}
