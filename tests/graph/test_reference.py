"""Reference inference against loops written out by definition; storage round trip."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from flow.errors import DataError, RangeError
from flow.graph import graph_hash, load_graph, map_input, run_taps, save_graph
from flow.graph.types import IntGraph, Kind, MatVec
from tests.helpers import random_codes, small_graph


def by_definition(node: MatVec, x: np.ndarray, oy: int, ox: int, channel: int) -> int:
    """One output code from rationals and four loops."""
    window, total = node.window, Fraction(0)
    for ky in range(window.kernel_h):
        for kx in range(window.kernel_w):
            iy = oy * window.stride_h + ky - window.pad_top
            ix = ox * window.stride_w + kx - window.pad_left
            if not (0 <= iy < node.in_shape[0] and 0 <= ix < node.in_shape[1]):
                continue
            for cin in [channel] if node.kind is Kind.DEPTHWISE else range(node.in_shape[2]):
                weight = (
                    node.weights[ky, kx, cin]
                    if node.kind is Kind.DEPTHWISE
                    else node.weights[ky, kx, cin, channel]
                )
                total += int(x[iy, ix, cin] - node.x.zero_point) * int(weight)
    real = total * Fraction(2) ** (node.x.scale_exp + int(node.weight_exp[channel]))
    real += int(node.bias[channel]) * Fraction(2) ** int(node.bias_exp[channel])
    code = (real / Fraction(2) ** node.y.scale_exp + Fraction(1, 2)).__floor__()
    return min(max(code + node.y.zero_point, node.y.lo), node.y.hi)


@pytest.mark.parametrize("seed", range(4))
def test_every_layer_equals_its_definition(seed):
    graph = small_graph(seed)
    taps = run_taps(graph, random_codes(graph, 2, seed))
    for node in graph.nodes:
        if not isinstance(node, MatVec):
            continue
        x = taps[node.source].reshape((-1, *node.in_shape))
        got = taps[node.name]
        for oy, ox, channel in np.ndindex(node.out_shape):
            assert got[1, oy, ox, channel] == by_definition(node, x[1], oy, ox, channel)


def test_small_graph_exercises_its_range():
    graph = small_graph(0)
    taps = run_taps(graph, random_codes(graph, 8))
    for node in graph.nodes:
        assert len(np.unique(taps[node.name])) > 6, node.name


def test_graph_survives_storage(tmp_path):
    graph = small_graph(1)
    save_graph(graph, tmp_path)
    again = load_graph(tmp_path)
    assert graph_hash(again) == graph_hash(graph)
    codes = random_codes(graph, 3)
    for name, codes_out in run_taps(again, codes).items():
        np.testing.assert_array_equal(codes_out, run_taps(graph, codes)[name])


def test_one_changed_weight_changes_the_hash():
    graph = small_graph(1)
    weights = graph.nodes[0].weights.copy()
    weights.flat[5] += 1
    node = graph.nodes[0]
    changed = MatVec(**{**{n: getattr(node, n) for n in node.__slots__}, "weights": weights})
    other = IntGraph(
        graph.name,
        graph.input_name,
        graph.input_shape,
        graph.input_type,
        graph.input_map,
        (changed, *graph.nodes[1:]),
    )
    assert graph_hash(other) != graph_hash(graph)


def test_damaged_storage_is_refused(tmp_path):
    save_graph(small_graph(1), tmp_path)
    data = (tmp_path / "graph.npz").read_bytes()
    (tmp_path / "graph.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        load_graph(tmp_path)


def test_wrong_input_is_refused():
    graph = small_graph(0)
    with pytest.raises(DataError, match="shape"):
        map_input(graph, np.zeros((3, 4, 4, 1), np.float32))
    with pytest.raises(DataError, match="float64, not float32"):
        map_input(graph, np.zeros((3, 9, 6, 2)))
    with pytest.raises(DataError, match=r"outside -127\.\.127"):
        run_taps(graph, np.full((1, 9, 6, 2), 200))


def test_nodes_must_join():
    graph = small_graph(0)
    conv, deep, *_ = graph.nodes
    stranger = type(deep)(**{**{n: getattr(deep, n) for n in deep.__slots__}, "source": "codes"})
    with pytest.raises(RangeError, match="'deep' of 'small' expects"):
        IntGraph(
            graph.name,
            graph.input_name,
            graph.input_shape,
            graph.input_type,
            graph.input_map,
            (conv, stranger),
        )
    with pytest.raises(RangeError, match="not an earlier node"):
        IntGraph(
            graph.name,
            graph.input_name,
            graph.input_shape,
            graph.input_type,
            graph.input_map,
            (deep,),
        )
