"""Networks with branches through hls4ml's ModelGraph: the same graph, and its real values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hls4ml  # noqa: F401  (before the plug-in, which it loads)
import numpy as np
import pytest

from flow.emit._shift_layers import graph_of
from flow.emit.hls4ml_backend import convert
from flow.errors import UnsupportedLayer
from flow.graph import MatVec, graph_hash, run
from flow.graph.arithmetic import dequantise
from tests.emit.vitis.branched import BRANCHED


@pytest.mark.parametrize("name", BRANCHED)
def test_a_graph_survives_the_way_through_hls4ml(name: str, tmp_path: Path) -> None:
    graph = BRANCHED[name]()
    model = convert(graph, tmp_path, engine="vitis", ii_cycles=8000)
    assert graph_hash(graph_of(model)) == graph_hash(graph)
    outputs = {layer.name: list(layer.get_output_variable().shape) for layer in model.get_layers()}
    for node in graph.nodes:
        vector = node.out_shape[:2] == (1, 1)
        assert outputs[node.name] == list(node.out_shape[2:] if vector else node.out_shape)


def test_a_gate_is_predicted_and_traced(tmp_path: Path) -> None:
    graph = BRANCHED["gate"]()
    model = convert(graph, tmp_path / "p", engine="vitis", ii_cycles=8000)
    model.compile()
    codes = np.random.default_rng(0).integers(-31, 32, (3, *graph.input_shape))
    real = dequantise(codes, graph.input_type)
    expected = dequantise(run(graph, codes), graph.output.y)
    np.testing.assert_array_equal(model.predict(real), expected)
    _, traced = model.trace(real.astype(np.float32))
    np.testing.assert_array_equal(traced["total"].reshape(expected.shape), expected)


def test_real_weights_include_their_factors(tmp_path: Path) -> None:
    graph = BRANCHED["gate"]()
    stem = graph.nodes[0]
    assert isinstance(stem, MatVec)
    stem = replace(stem, weight_mult=np.array([1, 3, 5, 7, 9, 20001]))
    model = convert(replace(graph, nodes=(stem, *graph.nodes[1:])), tmp_path, engine="vitis")
    layer = next(layer for layer in model.get_layers() if layer.name == "stem")
    expected = np.ldexp(stem.weights * stem.weight_mult, stem.weight_exp)
    np.testing.assert_array_equal(layer.weights["real_weight"].data, expected)


def test_engine_xls_refuses_what_it_has_no_hardware_for(tmp_path: Path) -> None:
    model = convert(BRANCHED["twice"](), tmp_path / "p", engine="xls", ii_cycles=8000)
    with pytest.raises(UnsupportedLayer) as caught:
        model.write()
    assert str(caught.value) == (
        "graph 'twice' has no hardware of engine 'xls' yet:\n"
        "  - layer 'square' is of kind 'multiply'.\n"
        "  - layer 'total' is of kind 'add'.\n"
        "  Choose --engine vitis, which has more; or stop before plan (--to evaluate)."
    )
    assert not (tmp_path / "p").exists()
