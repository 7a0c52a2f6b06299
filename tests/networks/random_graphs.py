"""Random legal networks whose shapes, widths, signs and folds nobody chose; a seed decides all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.errors import PlanError
from flow.graph import (
    AveragePool,
    InputMap,
    IntGraph,
    Kind,
    MatVec,
    Node,
    TensorType,
    Window,
    run_node,
)
from flow.graph.reference import accumulate
from flow.graph.types import IntArray, Shape
from flow.plan import HwPlan, Override, Target, plan
from tests.helpers import random_matvec, tensor

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
KERNELS = ((1, 1), (2, 2), (3, 3), (2, 3), (4, 1), (3, 2), (1, 3))
STRIDES = ((1, 1), (1, 1), (2, 2), (1, 2), (2, 1))
CHANNELS = (1, 2, 3, 4, 6, 8)
MAX_CYCLES = 6000  # of one frame, so that a network simulates in a second


def random_graph(seed: int) -> IntGraph:
    """A chain of two to four layers; pools and dense layers come after at least one other."""
    rng = np.random.default_rng([seed, 1])
    shape: Shape = (int(rng.integers(3, 10)), int(rng.integers(3, 9)), int(rng.choice((1, 2, 3))))
    x = random_tensor(rng, int(rng.integers(-8, 0)))
    nodes: list[Node] = []
    codes = rng.integers(x.lo, x.hi + 1, (4, *shape))
    source, current, tensor = "codes", shape, x
    for index in range(int(rng.integers(2, 5))):
        node = _random_node(rng, f"n{index}", source, current, tensor)
        if isinstance(node, MatVec):
            node = _with_full_outputs(node, codes)
        nodes.append(node)
        codes = run_node(node, codes)
        source, current, tensor = node.name, node.out_shape, node.y
    return IntGraph(
        f"random{seed}", "codes", shape, x, InputMap("float32", 0, None), tuple(nodes),
        {"seed": str(seed)},
    )  # fmt: skip


def random_plan(graph: IntGraph, seed: int) -> HwPlan:
    """A plan at a random interval: the slowest fold's, or a fraction of it that is feasible."""
    rng = np.random.default_rng([seed, 2])
    slowest = plan(graph, TARGET, 1 << 30).est_ii_cycles
    overrides = {
        node.name: Override(products=str(rng.choice(("lut", "dsp"))))
        for node in graph.nodes
        if isinstance(node, MatVec) and rng.random() < 0.5
    }
    ii_cycles = min(MAX_CYCLES, max(1, int(slowest / rng.choice((1, 2, 4, 8, 16, 64)))))
    while True:
        try:
            return plan(graph, TARGET, ii_cycles, overrides)
        except PlanError:
            ii_cycles = ii_cycles * 5 // 4 + 1


def random_tensor(rng: np.random.Generator, scale_exp: int) -> TensorType:
    """Symmetric, unsigned, asymmetric with any zero point, or cut by a ReLU or ReLU6."""
    bits = int(rng.integers(2, 17))
    signed = bool(rng.integers(2))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if rng.random() < 0.4:
        zero = int(rng.integers(low, high + 1))
        return TensorType(bits, signed, scale_exp, zero, *_relu(rng, low, high, zero))
    return TensorType(bits, signed, scale_exp, 0, *_relu(rng, -high if signed else 0, high, 0))


def _relu(rng: np.random.Generator, lo: int, hi: int, zero: int) -> tuple[int, int]:
    if rng.random() < 0.5 or zero >= hi:
        return lo, hi
    return max(lo, zero), hi if rng.random() < 0.5 else int(rng.integers(zero + 1, hi + 1))


def _random_node(
    rng: np.random.Generator, name: str, source: str, shape: Shape, x: TensorType
) -> Node:
    kinds = ["conv", "depthwise", "pointwise"]
    if source != "codes":
        kinds += ["pool", "dense"]
    kind = str(rng.choice(kinds))
    if kind == "pool":
        return _random_pool(rng, name, source, shape, x)
    kernel = KERNELS[rng.integers(len(KERNELS))] if kind in ("conv", "depthwise") else (1, 1)
    stride = STRIDES[rng.integers(len(STRIDES))] if kind != "dense" else (1, 1)
    node = random_matvec(
        rng, name, source,
        {"depthwise": Kind.DEPTHWISE, "dense": Kind.DENSE}.get(kind, Kind.CONV), shape,
        tensor(x.bits, x.signed, x.scale_exp), cout=int(rng.choice(CHANNELS)), kernel=kernel,
        stride=stride, weight_bits=int(rng.integers(2, 17)),
    )  # fmt: skip
    if rng.random() < 0.3 and kernel[0] <= shape[0] and kernel[1] <= shape[1] and kind != "dense":
        node = _as_valid(node)
    return replace(node, x=x, y=random_tensor(rng, 0))


def _with_full_outputs(node: MatVec, codes: IntArray) -> MatVec:
    """The same layer with the output exponent at which these inputs fill the output's range."""
    zero = node.x.zero_point * node.weights.reshape(-1, node.out_shape[2]).sum(axis=0)
    acc = accumulate(node, codes.reshape((-1, *node.in_shape))) - zero
    real = acc * 2.0 ** (node.x.scale_exp + node.weight_exp) + node.bias * 2.0**node.bias_exp
    room = max(node.y.hi - node.y.zero_point, node.y.zero_point - node.y.lo, 1)
    exponent = int(np.round(np.log2(max(float(np.abs(real).max()), 2.0**-20) / room)))
    return replace(node, y=replace(node.y, scale_exp=exponent))


def _as_valid(node: MatVec) -> MatVec:
    window = replace(node.window, pad_top=0, pad_left=0)
    height = (node.in_shape[0] - window.kernel_h) // window.stride_h + 1
    width = (node.in_shape[1] - window.kernel_w) // window.stride_w + 1
    return replace(node, window=window, out_shape=(height, width, node.out_shape[2]))


def _random_pool(
    rng: np.random.Generator, name: str, source: str, shape: Shape, x: TensorType
) -> AveragePool:
    height, width, channels = shape
    y = random_tensor(rng, x.scale_exp + int(rng.integers(-3, 3)))
    if rng.random() < 0.5:
        window = Window(height, width, 1, 1, 0, 0)
        return AveragePool(name, source, shape, (1, 1, channels), window, x, y)
    kernel = (min(int(rng.integers(1, 4)), height), min(int(rng.integers(1, 4)), width))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    out = ((height - kernel[0]) // stride[0] + 1, (width - kernel[1]) // stride[1] + 1, channels)
    return AveragePool(name, source, shape, out, Window(*kernel, *stride, 0, 0), x, y)
