"""The graph and the profile that belong to the plan of `example.py`."""

from __future__ import annotations

import numpy as np

from flow.graph import AveragePool, InputMap, IntGraph, Kind, MatVec, Profile, TensorType, Window
from flow.graph.profile import Activations, LayerProfile, Range
from flow.graph.types import POINT, Node, Shape

SAMPLES = 500
MAP = (25, 5, 64)  # [h, w, channels] between the layers
VECTOR = (1, 1, 64)

INPUT = TensorType(8, True, -4, 83, -127, 127)


def relu(bits: int, scale_exp: int) -> TensorType:
    """Unsigned codes behind a ReLU."""
    return TensorType(bits, False, scale_exp, 0, 0, (1 << bits) - 1)


CONV1, DEPTHWISE1, POINTWISE1 = relu(4, -1), relu(8, -5), relu(8, -4)
POOL = TensorType(8, True, -6, 0, -128, 127)
DENSE = TensorType(16, True, -9, 0, -32768, 32767)


def graph() -> IntGraph:
    """Five layers in a chain; every weight is 0."""
    first, whole = Window(10, 4, 2, 2, 4, 1), Window(25, 5, 25, 5, 0, 0)
    nodes: tuple[Node, ...] = (
        _matvec("conv1", "audio", Kind.CONV, (49, 10, 1), MAP, first, 8, INPUT, CONV1),
        _matvec(
            "depthwise1", "conv1", Kind.DEPTHWISE, MAP, MAP, Window(3, 3, 1, 1, 1, 1), 4, CONV1,
            DEPTHWISE1,
        ),
        _matvec("pointwise1", "depthwise1", Kind.CONV, MAP, MAP, POINT, 4, DEPTHWISE1, POINTWISE1),
        AveragePool("pool", "pointwise1", MAP, VECTOR, whole, POINTWISE1, POOL),
        _matvec("dense", "pool", Kind.DENSE, VECTOR, (1, 1, 12), POINT, 8, POOL, DENSE),
    )  # fmt: skip
    return IntGraph("kws", "audio", (49, 10, 1), INPUT, InputMap("int8", -128, None), nodes)


def profile() -> Profile:
    """Ranges on 500 samples: spare weight bits in `conv1`, cut values in `depthwise1`."""
    full4, weights8 = Range(4, True, -7, 7, 0), Range(8, True, -31, 30, 2)
    layers = (
        _layer("conv1", weights8, Range(22, True, -90000, 65535, 4), CONV1, (0, 15, 0), 12),
        _layer("depthwise1", full4, Range(14, True, -700, 8191, 0), DEPTHWISE1, (0, 255, 0), 4200),
        _layer("pointwise1", full4, Range(20, True, -9000, 9000, 5), POINTWISE1, (0, 60, 2), 0),
        LayerProfile("pool", None, None, None, _codes(POOL, (-3, 100, 0), VECTOR, 0, 0)),
        LayerProfile(
            "dense", Range(8, True, -128, 127, 0), 0.25, Range(24, True, -80000, 90000, 6),
            _codes(DENSE, (-9000, 7000, 1), (1, 1, 12), 3, 0),
        ),
    )  # fmt: skip
    return Profile(SAMPLES, _codes(INPUT, (-100, 127, 0), (49, 10, 1), None, None), layers)


def _matvec(
    name: str, source: str, kind: Kind, in_shape: Shape, out_shape: Shape, window: Window,
    weight_bits: int, x: TensorType, y: TensorType,
) -> MatVec:  # fmt: skip
    shape: tuple[int, ...] = (window.kernel_h, window.kernel_w, in_shape[2], out_shape[2])
    channels = np.arange(out_shape[2], dtype=np.int64)
    return MatVec(
        name=name,
        source=source,
        kind=kind,
        in_shape=in_shape,
        out_shape=out_shape,
        window=window,
        weights=np.zeros(shape[:3] if kind is Kind.DEPTHWISE else shape, np.int64),
        weight_bits=weight_bits,
        weight_exp=-3 - channels % 4,
        bias=np.zeros_like(channels),
        bias_bits=16,
        bias_exp=np.full_like(channels, -12),
        x=x,
        y=y,
    )


def _layer(
    name: str, weights: Range, acc: Range, y: TensorType, seen: tuple[int, int, int], clipped: int
) -> LayerProfile:
    return LayerProfile(name, weights, 0.125, acc, _codes(y, seen, MAP, None, clipped))


def _codes(
    tensor: TensorType,
    seen: tuple[int, int, int],
    shape: Shape,
    clipped_low: int | None,
    clipped_high: int | None,
) -> Activations:
    low, high, unused = seen
    return Activations(
        Range(tensor.bits, tensor.signed, low, high, unused),
        tensor.scale_exp,
        tensor.zero_point,
        tensor.lo,
        tensor.hi,
        SAMPLES * shape[0] * shape[1] * shape[2],
        clipped_low,
        clipped_high,
    )
