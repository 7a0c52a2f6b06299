"""The worked example of docs/arithmetic.md."""

from __future__ import annotations

import numpy as np

from flow.graph.arithmetic import fold_requant, requantise, requantise_textbook
from flow.graph.reference import accumulate
from flow.graph.types import POINT, Kind, MatVec, TensorType


def test_worked_example_of_the_document() -> None:
    node = MatVec(
        name="example",
        source="input",
        kind=Kind.DENSE,
        in_shape=(1, 1, 2),
        out_shape=(1, 1, 1),
        window=POINT,
        weights=np.array([5, 7], np.int64).reshape(1, 1, 2, 1),
        weight_bits=4,
        weight_exp=np.array([-3]),
        bias=np.array([13]),
        bias_bits=5,
        bias_exp=np.array([-9]),
        x=TensorType(8, True, -2, 1, -128, 127),
        y=TensorType(8, True, -3, 0, -128, 127),
    )
    acc = accumulate(node, np.array([3, -2], np.int64).reshape(1, 1, 1, 2))
    requant = fold_requant(node)
    assert acc.ravel().tolist() == [1]
    assert (requant.shift.tolist(), requant.constant.tolist()) == ([2], [-10])
    assert requantise(acc, requant).ravel().tolist() == [-3]
    assert requantise_textbook(acc, node).ravel().tolist() == [-3]
