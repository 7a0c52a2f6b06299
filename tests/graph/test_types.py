"""Invalid tensors, graphs and samples cannot exist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.errors import DataError, RangeError
from flow.graph import arithmetic, map_input
from flow.graph.types import InputMap, MatVec, TensorType
from tests.helpers import small_graph


def test_real_zero_must_be_a_code():
    with pytest.raises(RangeError, match="real 0 exists"):
        TensorType(8, True, 0, 0, 5, 6)


@pytest.mark.parametrize("name", ["conv-1", "a/b", "1conv", "ingress", "output", ""])
def test_a_layer_must_be_nameable_in_hardware(name):
    graph = small_graph()
    conv = graph.nodes[0]
    with pytest.raises(RangeError, match="cannot name a module"):
        replace(graph, nodes=(replace(conv, name=name),))


def test_a_graph_needs_a_layer():
    with pytest.raises(RangeError, match="has no layer"):
        replace(small_graph(), nodes=())


def test_samples_outside_the_input_table_are_refused():
    graph = small_graph()
    mapped = replace(graph, input_map=InputMap("int8", -100, tuple(range(100))))
    raw = np.full((1, *graph.input_shape), -101, np.int8)
    with pytest.raises(DataError, match=r"span -101\.\.-101, outside -100\.\.-1"):
        map_input(mapped, raw)


def test_accumulators_beyond_int64_are_measured_and_refused():
    dense = small_graph().nodes[-1]
    assert isinstance(dense, MatVec)
    weights = np.full((1, 1, 12, 5), 2**30 - 1)
    wide = replace(dense, weights=weights, x=TensorType(32, True, 0, 0, -(2**31) + 1, 2**31 - 1))
    assert arithmetic.accumulator_bits(wide) == 66
    with pytest.raises(RangeError, match="the accumulator"):
        arithmetic.fold_requant(wide)


def test_left_shifts_beyond_int64_are_refused():
    dense = small_graph().nodes[-1]
    assert isinstance(dense, MatVec)
    fine = replace(dense.y, scale_exp=dense.y.scale_exp - 60)
    with pytest.raises(RangeError, match="accumulator"):
        arithmetic.fold_requant(replace(dense, y=fine))
