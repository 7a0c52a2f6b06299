"""Random but legal integer networks for tests; seeds decide everything."""

from __future__ import annotations

import numpy as np

from flow.graph.types import (
    AveragePool,
    InputMap,
    IntGraph,
    Kind,
    MatVec,
    Shape,
    TensorType,
    Window,
)


def tensor(bits: int, signed: bool, scale_exp: int, zero_point: int = 0) -> TensorType:
    """Symmetric signed or full unsigned activation type."""
    hi = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    return TensorType(bits, signed, scale_exp, zero_point, -hi if signed else 0, hi)


def same_window(
    shape: Shape, kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[Window, Shape]:
    """TensorFlow's SAME padding: the odd pixel goes to the bottom and right."""
    out, before = [], []
    for size, k, s in zip(shape[:2], kernel, stride, strict=True):
        count = -(-size // s)
        out.append(count)
        before.append(max((count - 1) * s + k - size, 0) // 2)
    return Window(*kernel, *stride, *before), (out[0], out[1], shape[2])


def random_matvec(
    rng: np.random.Generator,
    name: str,
    source: str,
    kind: Kind,
    in_shape: Shape,
    x: TensorType,
    *,
    cout: int,
    kernel: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    weight_bits: int = 4,
    y_bits: int = 8,
    y_signed: bool = False,
    zero_point: int = 0,
) -> MatVec:
    """A layer whose outputs use most of their range, with per-channel exponents."""
    if kind is Kind.DENSE:
        in_shape = (1, 1, in_shape[0] * in_shape[1] * in_shape[2])
    window, out = same_window(in_shape, kernel, stride)
    channels = in_shape[2] if kind is Kind.DEPTHWISE else cout
    shape = (*kernel, in_shape[2]) if kind is Kind.DEPTHWISE else (*kernel, in_shape[2], cout)
    top = max((1 << (weight_bits - 1)) - 1, 1)
    fan_in = kernel[0] * kernel[1] * (1 if kind is Kind.DEPTHWISE else in_shape[2])
    weight_exp = rng.integers(-9, -5, channels)
    deviation = np.sqrt(fan_in) * top * x.hi / 3 * 2.0 ** (x.scale_exp - 7.5)
    y_top = tensor(y_bits, y_signed, 0).hi
    y_exp = int(np.round(np.log2(2 * deviation / y_top)))
    bias_exp = int(np.round(np.log2(deviation))) - 20
    return MatVec(
        name=name,
        source=source,
        kind=kind,
        in_shape=in_shape,
        out_shape=(out[0], out[1], channels),
        window=window,
        weights=rng.integers(-top, top + 1, shape),
        weight_bits=weight_bits,
        weight_exp=weight_exp,
        bias=rng.integers(-(1 << 20), 1 << 20, channels),
        bias_bits=31,
        bias_exp=bias_exp + rng.integers(-2, 1, channels),
        x=x,
        y=tensor(y_bits, y_signed, y_exp, zero_point),
    )


def small_graph(seed: int = 0) -> IntGraph:
    """Five layers: strided even conv, depthwise, pointwise, average pool, dense."""
    rng = np.random.default_rng(seed)
    x = tensor(8, True, -5)
    shape: Shape = (9, 6, 2)
    conv = random_matvec(
        rng, "conv", "codes", Kind.CONV, shape, x, cout=8, kernel=(4, 3), stride=(2, 2)
    )
    deep = random_matvec(
        rng,
        "deep",
        "conv",
        Kind.DEPTHWISE,
        conv.out_shape,
        conv.y,
        cout=8,
        kernel=(3, 3),
        y_bits=4,
    )
    point = random_matvec(rng, "point", "deep", Kind.CONV, deep.out_shape, deep.y, cout=12)
    height, width, channels = point.out_shape
    pool = AveragePool(
        "pool",
        "point",
        point.out_shape,
        (1, 1, channels),
        Window(height, width, 1, 1, 0, 0),
        point.y,
        tensor(12, False, point.y.scale_exp - 3),
    )
    dense = random_matvec(
        rng,
        "dense",
        "pool",
        Kind.DENSE,
        pool.out_shape,
        pool.y,
        cout=5,
        weight_bits=8,
        y_bits=10,
        y_signed=True,
    )
    return IntGraph(
        name="small",
        input_name="codes",
        input_shape=shape,
        input_type=x,
        input_map=InputMap("float32", 0, None),
        nodes=(conv, deep, point, pool, dense),
        provenance={"seed": str(seed)},
    )


def random_codes(graph: IntGraph, frames: int, seed: int = 0) -> np.ndarray:
    """Legal input codes [n, h, w, c]."""
    rng = np.random.default_rng(seed)
    tensor_type = graph.input_type
    return rng.integers(tensor_type.lo, tensor_type.hi + 1, (frames, *graph.input_shape))
