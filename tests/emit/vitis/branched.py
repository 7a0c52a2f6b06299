"""Small networks of every shape of branch: shortcut, gate, skip, parallel, one tensor twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flow.graph import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    InputMap,
    IntGraph,
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
from flow.graph.types import Shape
from tests.helpers import random_matvec, tensor

X = tensor(6, True, -4)
EVEN = Rounding.HALF_EVEN


def residual() -> IntGraph:
    """Two convolutions and a shortcut that another quantizer brings to another scale."""
    stem = _conv("stem", "codes", (16, 7, 2), X, 4)
    first = _conv("first", "stem", stem.out_shape, stem.y, 4)
    second = _conv("second", "first", first.out_shape, first.y, 4)
    short = Rescale(
        "short", "stem", stem.out_shape, stem.y, tensor(6, False, stem.y.scale_exp + 2), EVEN
    )
    total = _add("total", [short, second], EVEN)
    return _graph("residual", (16, 7, 2), [stem, first, second, short, total])


def gate() -> IntGraph:
    """Squeeze and excite, inside a shortcut."""
    stem = _conv("stem", "codes", (6, 5, 2), X, 6)
    height, width, channels = stem.out_shape
    pool = AveragePool(
        "pool", "stem", stem.out_shape, (1, 1, channels), Window(height, width, 1, 1, 0, 0),
        stem.y, tensor(7, False, stem.y.scale_exp), rounding=EVEN,
    )  # fmt: skip
    rng = np.random.default_rng(5)
    dense = random_matvec(
        rng, "dense", "pool", Kind.DENSE, pool.out_shape, pool.y, cout=channels, y_bits=6,
        y_signed=True,
    )  # fmt: skip
    y = TensorType(5, False, -5, 0, 0, 31)
    entries = rng.integers(0, 32, dense.y.hi - dense.y.lo + 1).tolist()
    table = Table("table", "dense", dense.out_shape, dense.y, y, tuple(entries), "random")
    product = Multiply(
        "product", ("stem", "table"), (stem.out_shape, table.out_shape), (stem.y, y),
        tensor(8, False, stem.y.scale_exp - 1), EVEN,
    )  # fmt: skip
    total = _add("total", [product, stem], Rounding.HALF_UP)
    return _graph("gate", (6, 5, 2), [stem, pool, dense, table, product, total])


def skip() -> IntGraph:
    """Down, up again, and the channels of both levels behind each other."""
    stem = _conv("stem", "codes", (8, 6, 2), X, 2)
    down = MaxPool("down", "stem", stem.out_shape, (4, 3, 2), Window(2, 2, 2, 2, 0, 0), stem.y)
    deep = _conv("deep", "down", down.out_shape, down.y, 6)
    up = Upsample("up", "deep", deep.out_shape, 2, 2, deep.y)
    joined = _concat("joined", [stem, up], stem.y)
    last = _conv("last", "joined", joined.out_shape, joined.y, 3)
    return _graph("skip", (8, 6, 2), [stem, down, deep, up, joined, last])


def parallel() -> IntGraph:
    """Three paths of different length from the input, one of them with a shortcut of its own."""
    one = _conv("one", "codes", (7, 6, 2), X, 3, kernel=(1, 1))
    three = _conv("three", "codes", (7, 6, 2), X, 2)
    more = _conv("more", "three", three.out_shape, three.y, 2, kernel=(5, 3))
    inner = _add("inner", [three, more], Rounding.HALF_UP)
    joined = _concat("joined", [one, inner, _Input((7, 6, 2))], tensor(8, True, one.y.scale_exp))
    return _graph("parallel", (7, 6, 2), [one, three, more, inner, joined])


def twice() -> IntGraph:
    """A layer that reads one tensor at both inputs, and a third reader of it."""
    stem = _conv("stem", "codes", (5, 4, 2), X, 4)
    square = Multiply(
        "square", ("stem", "stem"), (stem.out_shape,) * 2, (stem.y,) * 2,
        tensor(9, False, 2 * stem.y.scale_exp + 6),
    )  # fmt: skip
    total = _add("total", [square, stem, square], EVEN)
    return _graph("twice", (5, 4, 2), [stem, square, total])


def shuffled() -> IntGraph:
    """A shortcut beside a shuffle, which waits for the last channels of every pixel."""
    stem = _conv("stem", "codes", (3, 2, 2), X, 160, kernel=(1, 1))
    mixed = ChannelShuffle("mixed", "stem", stem.out_shape, 4, stem.y)
    total = _add("total", [mixed, stem], Rounding.HALF_UP)
    return _graph("shuffled", (3, 2, 2), [stem, mixed, total])


BRANCHED: dict[str, Callable[[], IntGraph]] = {
    build.__name__: build for build in (residual, gate, skip, parallel, twice, shuffled)
}


class _Input:
    """The network's input, as a node that others read."""

    name = "codes"
    y = X

    def __init__(self, shape: Shape) -> None:
        self.out_shape = shape


def _conv(
    name: str, source: str, shape: Shape, x: TensorType, cout: int,
    kernel: tuple[int, int] = (3, 3),
) -> MatVec:  # fmt: skip
    rng = np.random.default_rng(sum(map(ord, name)))
    return random_matvec(rng, name, source, Kind.CONV, shape, x, cout=cout, kernel=kernel)


def _add(name: str, inputs: list[Node], rounding: Rounding) -> Add:
    types = tuple(node.y for node in inputs)
    y = tensor(8, False, max(x.scale_exp for x in types) + 1, zero_point=3)
    names = tuple(node.name for node in inputs)
    return Add(name, names, tuple(node.out_shape for node in inputs), types, y, rounding)


def _concat(name: str, inputs: list[Node], y: TensorType) -> Concat:
    names = tuple(node.name for node in inputs)
    shapes = tuple(node.out_shape for node in inputs)
    return Concat(name, names, shapes, tuple(node.y for node in inputs), y, EVEN)


def _graph(name: str, shape: Shape, nodes: list[Node]) -> IntGraph:
    return IntGraph(name, "codes", shape, X, InputMap("float32", 0, None), tuple(nodes))
