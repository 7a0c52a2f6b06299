"""Random nodes of every kind, and what they compute by definition: loops over exact rationals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from flow.graph import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Rounding,
    Table,
    TensorType,
    Upsample,
    Window,
)
from flow.graph.arithmetic._textbook import nearest
from flow.graph.types import IntArray, Shape

Generator = np.random.Generator


def random_tensor(rng: Generator, scale_exp: int | None = None) -> TensorType:
    """Any width from 1 to 12, sign, zero point and range."""
    signed = bool(rng.integers(2))
    bits = int(rng.integers(2 if signed else 1, 13))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    lo = int(rng.integers(low, high)) if rng.random() < 0.3 else low
    zero = int(rng.integers(lo, high + 1)) if rng.random() < 0.5 else max(lo, 0)
    exponent = int(rng.integers(-6, 3)) if scale_exp is None else scale_exp
    return TensorType(bits, signed, exponent, zero, lo, high)


def random_rounding(rng: Generator) -> Rounding:
    return (Rounding.HALF_UP, Rounding.HALF_EVEN)[rng.integers(2)]


def random_shape(rng: Generator) -> Shape:
    height, width, channels = (int(rng.integers(1, top)) for top in (6, 6, 5))
    return height, width, channels


def random_window(rng: Generator, shape: Shape, *, inside: bool) -> tuple[Window, tuple[int, int]]:
    """Kernel, stride and padding, and the output's height and width; `inside`: no empty window."""
    axes = []
    for size in shape[:2]:
        kernel, stride = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        before, after = (int(rng.integers(kernel)) for _ in range(2))
        if size + before + after < kernel:
            kernel, before, after = 1, 0, 0
        out = (size + before + after - kernel) // stride + 1
        axes.append((kernel, stride, before, out))
    (kh, sh, top, oh), (kw, sw, left, ow) = axes
    return Window(kh, kw, sh, sw, top, left), (oh, ow)


def matrix(rng: Generator) -> MatVec:
    kind = (Kind.CONV, Kind.CONV, Kind.DEPTHWISE, Kind.DENSE)[rng.integers(4)]
    shape = random_shape(rng)
    groups = 1
    if kind is Kind.DENSE:
        shape = (1, 1, shape[2])
    elif kind is Kind.CONV:
        groups = int(rng.choice([g for g in (1, 2, 3, 4) if shape[2] % g == 0]))
    window, out = (
        (Window(1, 1, 1, 1, 0, 0), (1, 1)) if kind is Kind.DENSE
        else random_window(rng, shape, inside=True)
    )  # fmt: skip
    cout = shape[2] if kind is Kind.DEPTHWISE else groups * int(rng.integers(1, 4))
    size: tuple[int, ...] = (window.kernel_h, window.kernel_w, shape[2] // groups)
    size = size if kind is Kind.DEPTHWISE else (*size, cout)
    weight_bits = int(rng.integers(1, 9))
    mults = rng.integers(1, 2**15, cout) if rng.random() < 0.4 else np.ones(1, np.int64)
    x = random_tensor(rng)
    return MatVec(
        "node", "x0", kind, shape, (*out, cout), window,
        rng.integers(-(1 << (weight_bits - 1)), (1 << (weight_bits - 1)) + 1, size),
        weight_bits + 1, rng.integers(-8, -2, cout) - (14 if mults.size > 1 else 0),
        rng.integers(-64, 64, cout), 8, rng.integers(-9, -2, cout), x,
        random_tensor(rng, x.scale_exp - 5 + int(rng.integers(-3, 9))), random_rounding(rng),
        groups, mults,
    )  # fmt: skip


def average(rng: Generator) -> AveragePool:
    shape = random_shape(rng)
    window, out = random_window(rng, shape, inside=True)
    x = random_tensor(rng)
    y = random_tensor(rng, x.scale_exp + int(rng.integers(-4, 3)))
    return AveragePool(
        "node", "x0", shape, (*out, shape[2]), window, x, y, rounding=random_rounding(rng)
    )


def largest(rng: Generator) -> MaxPool:
    shape = random_shape(rng)
    window, out = random_window(rng, shape, inside=True)
    return MaxPool("node", "x0", shape, (*out, shape[2]), window, random_tensor(rng))


def add(rng: Generator) -> Add:
    count, shape = int(rng.integers(2, 4)), random_shape(rng)
    types = tuple(random_tensor(rng) for _ in range(count))
    names = tuple(f"x{i}" for i in range(count))
    return Add("node", names, (shape,) * count, types, random_tensor(rng), random_rounding(rng))


def multiply(rng: Generator) -> Multiply:
    shape = random_shape(rng)
    other: Shape = shape if rng.random() < 0.5 else (1, 1, shape[2])
    types = (random_tensor(rng), random_tensor(rng))
    y = random_tensor(rng, sum(x.scale_exp for x in types) + int(rng.integers(-2, 6)))
    return Multiply("node", ("x0", "x1"), (shape, other), types, y, random_rounding(rng))


def concat(rng: Generator) -> Concat:
    height, width, _ = random_shape(rng)
    count = int(rng.integers(2, 4))
    shapes: tuple[Shape, ...] = tuple(
        (height, width, int(rng.integers(1, 4))) for _ in range(count)
    )
    names = tuple(f"x{i}" for i in range(count))
    types = tuple(random_tensor(rng) for _ in range(count))
    return Concat("node", names, shapes, types, random_tensor(rng), random_rounding(rng))


def rescale(rng: Generator) -> Rescale:
    x, y = random_tensor(rng), random_tensor(rng)
    return Rescale("node", "x0", random_shape(rng), x, y, random_rounding(rng))


def table(rng: Generator) -> Table:
    x, y = random_tensor(rng), random_tensor(rng)
    entries = rng.integers(y.lo, y.hi + 1, x.hi - x.lo + 1).tolist()
    return Table("node", "x0", random_shape(rng), x, y, tuple(entries), "random")


def upsample(rng: Generator) -> Upsample:
    rows, cols = (int(rng.integers(1, 4)) for _ in range(2))
    return Upsample("node", "x0", random_shape(rng), rows, cols, random_tensor(rng))


def shuffle(rng: Generator) -> ChannelShuffle:
    height, width, _ = random_shape(rng)
    groups, group_channels = (int(rng.integers(1, 5)) for _ in range(2))
    shape = height, width, groups * group_channels
    return ChannelShuffle("node", "x0", shape, groups, random_tensor(rng))


KINDS: dict[str, Callable[[Generator], Node]] = {
    "matrix": matrix, "average": average, "largest": largest, "add": add, "multiply": multiply,
    "concat": concat, "rescale": rescale, "table": table, "upsample": upsample,
    "shuffle": shuffle,
}  # fmt: skip


def random_node(kind: str, seed: int) -> Node:
    """A legal node; a geometry whose average has an empty window is drawn again."""
    rng = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    while True:
        try:
            return KINDS[kind](rng)
        except Exception as error:
            if "lies in the padding alone" not in str(error):
                raise


def random_inputs(node: Node, count: int, seed: int) -> list[IntArray]:
    """Legal codes [count, h, w, c] of every input, the ends of the range among them."""
    rng = np.random.default_rng([seed, 99])
    result = []
    for x, shape in zip(node.x_types, node.in_shapes, strict=True):
        codes = rng.integers(x.lo, x.hi + 1, (count, *shape))
        codes.flat[0], codes.flat[-1] = x.lo, x.hi
        result.append(codes)
    return result


def by_definition(node: Node, inputs: list[IntArray], y: int, x: int, c: int) -> int:
    """One output code of one frame, from real values; `inputs` are [h, w, c]."""
    if isinstance(node, Table):
        return node.table[int(inputs[0][y, x, c]) - node.x.lo]
    if isinstance(node, MaxPool):
        return max(int(inputs[0][iy, ix, c]) for iy, ix, _ in _inside(node, y, x))
    if isinstance(node, Upsample):
        return int(inputs[0][y // node.rows, x // node.cols, c])
    if isinstance(node, ChannelShuffle):
        row, column = divmod(c, node.groups)
        return int(inputs[0][y, x, column * (node.in_shape[2] // node.groups) + row])
    value = _real_value(node, inputs, y, x, c) / Fraction(2) ** node.y.scale_exp
    code = nearest(value, node.rounding) + node.y.zero_point
    return min(max(code, node.y.lo), node.y.hi)


def _real_value(node: Node, inputs: list[IntArray], y: int, x: int, c: int) -> Fraction:
    if isinstance(node, Concat):
        for index, shape in enumerate(node.in_shapes):
            if c < shape[2]:
                return _real(node, inputs, index, y, x, c)
            c -= shape[2]
    if isinstance(node, Add):
        return sum((_real(node, inputs, i, y, x, c) for i in range(len(inputs))), Fraction(0))
    if isinstance(node, Multiply):
        second = (0, 0) if node.in_shapes[1] != node.in_shapes[0] else (y, x)
        return _real(node, inputs, 0, y, x, c) * _real(node, inputs, 1, *second, c)
    if isinstance(node, AveragePool):
        values = [_real(node, inputs, 0, iy, ix, c) for iy, ix, _ in _inside(node, y, x)]
        return sum(values, Fraction(0)) / len(values)
    if isinstance(node, MatVec):
        return _sum(node, inputs, y, x, c)
    return _real(node, inputs, 0, y, x, c)


def _sum(node: MatVec, inputs: list[IntArray], y: int, x: int, c: int) -> Fraction:
    scale = int(node.weight_mult[c]) * Fraction(2) ** int(node.weight_exp[c])
    total = int(node.bias[c]) * Fraction(2) ** int(node.bias_exp[c])
    for iy, ix, (ky, kx) in _inside(node, y, x):
        if node.kind is Kind.DEPTHWISE:
            total += _real(node, inputs, 0, iy, ix, c) * int(node.weights[ky, kx, c]) * scale
            continue
        per_group = node.in_shape[2] // node.groups
        first = c // (node.out_shape[2] // node.groups) * per_group
        for k in range(per_group):
            weight = int(node.weights[ky, kx, k, c]) * scale
            total += _real(node, inputs, 0, iy, ix, first + k) * weight
    return total


def _real(node: Node, inputs: list[IntArray], index: int, y: int, x: int, c: int) -> Fraction:
    tensor = node.x_types[index]
    return (int(inputs[index][y, x, c]) - tensor.zero_point) * Fraction(2) ** tensor.scale_exp


def _inside(
    node: MatVec | AveragePool | MaxPool, y: int, x: int
) -> list[tuple[int, int, tuple[int, int]]]:
    """Pixels of a window that lie in the map, each with its position in the window."""
    window, (height, width, _) = node.window, node.in_shape
    found = []
    for ky in range(window.kernel_h):
        for kx in range(window.kernel_w):
            iy = y * window.stride_h + ky - window.pad_top
            ix = x * window.stride_w + kx - window.pad_left
            if 0 <= iy < height and 0 <= ix < width:
                found.append((iy, ix, (ky, kx)))
    return found


def with_wrong_zero_point(node: Node) -> Node:
    """The node with one input's zero point off by one, for tests that must turn red."""
    first, *rest = node.x_types
    up = first.zero_point < first.hi
    wrong = replace(first, zero_point=first.zero_point + (1 if up else -1))
    if isinstance(node, Add | Multiply | Concat):
        return replace(node, x_types=(wrong, *rest))
    return replace(node, x=wrong)
