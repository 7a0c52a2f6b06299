"""Random legal QKeras models: chains, branches, every operator and quantizer; a seed decides all.

A model is built beside the values that it computes on a few samples, so that every quantizer is
calibrated (or, a stock one, given its integer bits) on what it will see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from qkeras import (
    QActivation,
    QBatchNormalization,
    QConv2D,
    QDense,
    QDepthwiseConv2D,
    QGlobalAveragePooling2D,
)
from qkeras.quantizers import binary, quantized_bits, quantized_relu, quantized_sigmoid, ternary

from models.quantizers import (
    freeze_auto,
    freeze_norms,
    quantized_bits_featuremap,
    quantized_bits_po2,
)
from tests.frontend.small_models import quick

L = tf.keras.layers
SAMPLES = 4
SHUFFLED = 0.2  # of the models have a channel shuffle
TINY = 2.0**-12  # steps that differ more than this need integers of more than 62 bits


@dataclass(frozen=True)
class Limits:
    """What a random model may hold; a smaller one keeps the choices of the blocks before."""

    blocks: int = 4
    size: int = 8  # of the input map, exclusive
    tail: bool = True
    normalized: bool = False  # batch normalization and activations of a bit or two besides


@dataclass(frozen=True)
class Tensor:
    """A symbolic tensor and its values on the samples."""

    keras: Any
    values: tf.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.keras.shape[1:])


@quick
def random_model(seed: int, limits: Limits | None = None) -> tf.keras.Model:
    """A calibrated, frozen model with one input map and codes or exact sums as its output."""
    return _Builder(seed, limits or Limits()).model()


def shrunk(seed: int, limits: Limits, fails: Callable[[int, Limits], bool]) -> Limits:
    """The smallest limits found with which the model of this seed still fails."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(limits):
            if fails(seed, candidate):
                limits, smaller = candidate, True
                break
    return limits


def _smaller(limits: Limits) -> list[Limits]:
    candidates = [replace(limits, blocks=count) for count in range(limits.blocks)]
    candidates += [replace(limits, size=size) for size in range(2, limits.size)]
    if limits.tail:
        candidates.append(replace(limits, tail=False))
    return candidates


def random_samples(shape: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 7])
    return rng.uniform(-1.0, 2.0, (count, *shape)).astype(np.float32)


def described(model: tf.keras.Model) -> str:
    """Every layer with what it reads and its quantizers, for the message of a failing seed."""
    lines = []
    for layer in model.layers:
        reads = [tensor.node.layer.name for tensor in layer.inbound_nodes[0].keras_inputs]
        quantizers = {
            key: f"{type(value).__name__}{value.get_config()}"
            for key, value in vars(layer).items()
            if key.endswith(("quantizer", "quantizer_internal")) and hasattr(value, "get_config")
        }
        lines.append(f"{layer.name} ({type(layer).__name__}) reads {reads} {quantizers}")
    return "\n".join(lines)


class _Builder:
    def __init__(self, seed: int, limits: Limits) -> None:
        self.rng = np.random.default_rng([seed, 3])
        self.aside = np.random.default_rng([seed, 11])  # leaves all other choices as they are
        self.seed = seed
        self.limits = limits
        self.count = 0

    def model(self) -> tf.keras.Model:
        height, width, channels = (int(self.rng.integers(1, top)) for top in (8, 8, 4))
        most = self.limits.size - 1
        shape = (min(height, most), min(width, most), min(channels, most))
        inputs = tf.keras.Input(shape, name="raw")
        raw = Tensor(inputs, tf.constant(random_samples(shape, SAMPLES, self.seed)))
        x = self.quantize(raw)
        blocks = _BLOCKS + _MORE_BLOCKS * self.limits.normalized
        for _ in range(min(int(self.rng.integers(1, Limits.blocks + 1)), self.limits.blocks)):
            x = self.pick(blocks)(self, x)
        if not self.limits.blocks:
            x = self.quantize(x)  # a graph needs a node
        elif self.aside.random() < SHUFFLED:
            self.rng, kept = self.aside, self.rng
            x = _shuffle_block(self, x)
            self.rng = kept
        if self.rng.random() < 0.5 and self.limits.tail:
            x = self.tail(x)
        model = tf.keras.Model(inputs, x.keras, name=f"random{self.seed}")
        freeze_norms(model)
        freeze_auto(model)
        return model

    def pick(self, choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def apply(self, layer: Any, *inputs: Tensor) -> Tensor:
        """Call a layer on tensors and on values; its weights are drawn before."""
        keras = layer(inputs[0].keras if len(inputs) == 1 else [x.keras for x in inputs])
        if hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel"):
            scale = self.pick((0.1, 0.4, 1.0))
            layer.set_weights([self.rng.normal(size=w.shape) * scale for w in layer.get_weights()])
        if hasattr(layer, "moving_variance"):
            layer.set_weights([self.statistic(weight) for weight in layer.weights])
        values = layer(inputs[0].values if len(inputs) == 1 else [x.values for x in inputs])
        return Tensor(keras, values)

    def statistic(self, weight: tf.Variable) -> np.ndarray:
        drawn = self.rng.normal(size=weight.shape)
        return np.abs(drawn) + 0.05 if "variance" in weight.name else drawn

    # quantizers

    def quantize(self, x: Tensor, bits: int | None = None) -> Tensor:
        bits = int(self.rng.integers(1, 17)) if bits is None else bits
        top = float(np.abs(x.values).max())
        quantizer: Any
        if self.rng.random() < 0.5 or top < TINY:
            signed = bool(self.rng.integers(2))
            quantizer = quantized_bits_featuremap(
                max(bits, 2), symmetric=int(self.rng.integers(2)), keep_negative=int(signed)
            )
            quantizer.calibrate(x.values.numpy())
            quantizer.freeze()
        else:
            integer = max(0, int(np.ceil(np.log2(max(top, 2.0**-20)))))
            integer = max(0, integer - int(self.rng.integers(2)))  # sometimes it saturates
            quantizer = (
                quantized_relu(bits, integer) if self.rng.random() < 0.5
                else quantized_bits(max(bits, 2), integer, int(self.rng.integers(2)), alpha=1)
            )  # fmt: skip
        return self.apply(QActivation(quantizer, name=self.name("quant")), x)

    def activated(self, x: Tensor) -> Tensor:
        """ReLU, ReLU6 or nothing, then a quantizer."""
        choice = self.rng.random()
        if choice < 0.5:
            ceiling = None if choice < 0.35 else self.pick((6.0, 1.5))
            x = self.apply(L.ReLU(ceiling, name=self.name("relu")), x)
        return self.quantize(x)

    def weights(self, axis: int) -> Any:
        bits, integer = int(self.rng.integers(2, 17)), int(self.rng.integers(3))
        make: Callable[[], Any] = self.pick(
            (
                lambda: quantized_bits_po2(bits, axis),
                lambda: quantized_bits_po2(bits, axis),
                lambda: quantized_bits(bits, integer, 1, alpha=1),
                lambda: quantized_bits(bits, integer, 1, alpha="auto_po2"),
                lambda: quantized_bits(bits, integer, 1, alpha="auto"),
                lambda: binary(alpha=self.pick((1, "auto_po2", "auto"))),
                lambda: ternary(alpha=self.pick((1, "auto_po2", "auto"))),
            )
        )
        return make()

    def bias(self) -> Any:
        bits = int(self.rng.integers(2, 17))
        return self.pick(
            (
                quantized_bits_po2(int(self.rng.integers(2, 32)), "element"),
                quantized_bits(bits, 1, 1, alpha=1),
                quantized_bits(bits, 0, 1, alpha=self.pick(("auto", "auto_po2"))),
                None,
            )
        )

    # layers with weights; `fits` keeps VALID windows inside the map

    def geometry(self, x: Tensor) -> dict[str, Any]:
        kernel = tuple(int(v) for v in self.rng.integers(1, 5, 2))
        fits = all(k <= size for k, size in zip(kernel, x.shape[:2], strict=True))
        padding = "same" if not fits or self.rng.random() < 0.6 else "valid"
        return {"kernel_size": kernel, "strides": int(self.rng.integers(1, 4)), "padding": padding}

    def conv(self, x: Tensor, **more: Any) -> Tensor:
        channels = x.shape[-1]
        groups = self.pick([g for g in (1, 1, 1, 2, 3) if channels % g == 0])
        geometry = {"filters": groups * int(self.rng.integers(1, 4)), **self.geometry(x), **more}
        groups = geometry.pop("groups", groups if geometry["filters"] % groups == 0 else 1)
        layer = QConv2D(
            **geometry, groups=groups, kernel_quantizer=self.weights(-1),
            bias_quantizer=self.bias(), use_bias=bool(self.rng.random() < 0.8),
            name=self.name("conv"),
        )  # fmt: skip
        return self.apply(layer, x)

    def depthwise(self, x: Tensor) -> Tensor:
        layer = QDepthwiseConv2D(
            **self.geometry(x), depth_multiplier=self.pick((1, 1, 2)),
            depthwise_quantizer=self.weights(2), bias_quantizer=self.bias(),
            name=self.name("deep"),
        )  # fmt: skip
        return self.apply(layer, x)

    def dense(self, x: Tensor, *quantizers: Any, units: int | None = None) -> Tensor:
        kernel, bias = quantizers or (self.weights(-1), self.bias())
        units = int(self.rng.integers(1, 6)) if units is None else units
        layer = QDense(units, kernel_quantizer=kernel, bias_quantizer=bias, name=self.name("dense"))
        return self.apply(layer, x)

    def tail(self, x: Tensor) -> Tensor:
        """Flatten or pool, dense layers, sometimes exact sums at the end."""
        if self.rng.random() < 0.5:
            x = self.apply(L.Flatten(name=self.name("flat")), x)
        else:
            pool = self.pick((L.GlobalAveragePooling2D, L.GlobalMaxPooling2D))
            x = self.quantize(self.apply(pool(name=self.name("pool")), x))
        exact = self.rng.random() < 0.3
        if exact:
            x = self.quantize(x, 6)
        x = self.dense(x, *((quantized_bits(6, 0, 1, alpha=1),) * 2 if exact else ()))
        return x if exact else self.activated(x)

    def shuffled(self, *tensors: Tensor) -> list[Tensor]:
        return [tensors[i] for i in self.rng.permutation(len(tensors))]


def _conv_block(b: _Builder, x: Tensor) -> Tensor:
    if b.rng.random() < 0.2:
        pads = tuple(tuple(int(v) for v in b.rng.integers(0, 3, 2)) for _ in range(2))
        x = b.apply(L.ZeroPadding2D(pads, name=b.name("pad")), x)
    return b.activated(b.conv(x))


def _separable_block(b: _Builder, x: Tensor) -> Tensor:
    return b.activated(b.conv(b.activated(b.depthwise(x)), kernel_size=1, strides=1))


def _residual_block(b: _Builder, x: Tensor) -> Tensor:
    same = {"filters": x.shape[-1], "strides": 1, "padding": "same"}
    y = b.activated(b.conv(x, **same))
    if b.rng.random() < 0.5:
        y = b.quantize(b.conv(y, **same))
    short = b.quantize(x) if b.rng.random() < 0.4 else x
    return b.activated(b.apply(L.Add(name=b.name("add")), *b.shuffled(y, short)))


def _concat_block(b: _Builder, x: Tensor) -> Tensor:
    y = b.quantize(b.conv(x, strides=1, padding="same"))
    return b.activated(b.apply(L.Concatenate(name=b.name("join")), *b.shuffled(y, x)))


def _gate_block(b: _Builder, x: Tensor) -> Tensor:
    """Squeeze and excite: pool, two layers, a sigmoid's table, a product."""
    pooled = b.quantize(b.apply(QGlobalAveragePooling2D(name=b.name("squeeze")), x), 8)
    gate = b.quantize(b.dense(pooled, units=x.shape[-1]), 8)
    if b.rng.random() < 0.5:
        gate = b.apply(QActivation(quantized_sigmoid(6), name=b.name("gate")), gate)
    else:
        gate = b.quantize(b.apply(L.Activation("sigmoid", name=b.name("gate")), gate), 6)
    gate = b.apply(L.Reshape((1, 1, x.shape[-1]), name=b.name("shape")), gate)
    return b.activated(b.apply(L.Multiply(name=b.name("scale")), *b.shuffled(x, gate)))


def _average_block(b: _Builder, x: Tensor) -> Tensor:
    geometry = b.geometry(x)
    layer = L.AveragePooling2D(
        geometry["kernel_size"], geometry["strides"], geometry["padding"], name=b.name("average")
    )
    return b.quantize(b.apply(layer, x))


def _max_block(b: _Builder, x: Tensor) -> Tensor:
    geometry = b.geometry(x)
    return b.apply(
        L.MaxPooling2D(
            geometry["kernel_size"], geometry["strides"], geometry["padding"], name=b.name("max")
        ),
        x,
    )


def _shuffle_block(b: _Builder, x: Tensor) -> Tensor:
    """ShuffleNet: a grouped layer, its channels shuffled, a depthwise layer."""
    groups, group_channels = (int(v) for v in b.rng.integers(2, 4, 2))
    channels = groups * group_channels
    x = b.activated(b.conv(x, filters=channels, kernel_size=1, strides=1))
    if b.rng.random() < 0.5:
        x = b.activated(b.conv(x, filters=channels, kernel_size=1, strides=1, groups=groups))
    height, width = x.shape[:2]
    x = b.apply(L.Reshape((height, width, groups, group_channels), name=b.name("shape")), x)
    x = b.apply(L.Permute((1, 2, 4, 3), name=b.name("shuffle")), x)
    x = b.apply(L.Reshape((height, width, channels), name=b.name("shape")), x)
    return b.activated(b.depthwise(x)) if b.rng.random() < 0.5 else x


def _small_block(b: _Builder, x: Tensor) -> Tensor:
    """One node without weights: another scale, a ReLU on codes, a repetition, a table."""
    choice = int(b.rng.integers(4))
    if choice == 0:
        return b.quantize(x)
    if choice == 1:
        return b.apply(L.ReLU(name=b.name("relu")), x)
    if choice == 2 and max(x.shape[:2]) < 8:
        return b.apply(L.UpSampling2D((2, 1), name=b.name("up")), x)
    narrow = b.quantize(x, 7)
    return b.quantize(b.apply(L.Activation(b.pick(("swish", "tanh")), name=b.name("f")), narrow))


_BLOCKS = (
    _conv_block, _conv_block, _separable_block, _residual_block, _residual_block, _concat_block,
    _gate_block, _average_block, _max_block, _small_block,
)  # fmt: skip


def _norm(b: _Builder, x: Tensor) -> Tensor:
    settings = {"center": bool(b.rng.random() < 0.8), "scale": bool(b.rng.random() < 0.8)}
    make = b.pick((L.BatchNormalization, L.BatchNormalization, QBatchNormalization))
    return b.apply(make(name=b.name("norm"), **settings), x)


def _norm_block(b: _Builder, x: Tensor) -> Tensor:
    """Batch normalization of codes, or of the sums of a layer."""
    choice = int(b.rng.integers(4))
    if choice == 0:
        return b.activated(_norm(b, x))
    if choice == 1:
        return b.activated(_norm(b, b.depthwise(x)))
    return b.activated(_norm(b, b.conv(x)))


def _sign_block(b: _Builder, x: Tensor) -> Tensor:
    """A table of one or two bits."""
    signs = (binary(alpha=1), binary(use_01=True, alpha=1), ternary(), ternary(threshold=0.7))
    return b.apply(QActivation(b.pick(signs), name=b.name("sign")), b.quantize(x, 6))


_MORE_BLOCKS = (_norm_block, _norm_block, _norm_block, _sign_block)
