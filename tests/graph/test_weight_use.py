"""Bits and zeros of weights, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from flow.graph import IntGraph, Kind, MatVec, TensorType
from flow.graph.types import POINT, InputMap
from flow.graph.weight_use import TensorUse, weight_use

CODES = TensorType(8, True, 0, 0, -128, 127)


def graph(weights: list[int], bias: list[int], bias_bits: int) -> IntGraph:
    zeros = np.zeros(2, np.int64)
    node = MatVec(
        "one", "codes", Kind.DENSE, (1, 1, 2), (1, 1, 2), POINT,
        np.array(weights, np.int64).reshape(1, 1, 2, 2), 8, zeros, np.array(bias, np.int64),
        bias_bits, zeros, CODES, CODES,
    )  # fmt: skip
    return IntGraph("g", "codes", (1, 1, 2), CODES, InputMap("float32", 0, None), (node,))


@pytest.mark.parametrize(
    ("weights", "used", "zeros"),
    [([0, 0, 0, 0], 1, 1.0), ([3, -4, 0, 1], 3, 0.25), ([4, -4, 1, 1], 4, 0.0)],
)
def test_a_kernel(weights: list[int], used: int, zeros: float) -> None:
    (kernel,) = weight_use(graph(weights, [0, 0], 0))
    assert kernel == TensorUse("one", "kernel", 4, 8, used, zeros)


def test_a_bias() -> None:
    _, bias = weight_use(graph([1, 1, 1, 1], [0, -129], 16))
    assert bias == TensorUse("one", "bias", 2, 16, 9, 0.5)
