"""The trained keyword spotter: QKeras and integers agree at every layer, on real samples."""

from __future__ import annotations

import numpy as np

from flow.config import load_config
from flow.data import find_samples, load_samples
from flow.frontend.equality import check_equality
from flow.frontend.extract import extract
from flow.graph import map_input, run_taps
from models import weights

FRAMES = 500


def test_the_trained_network_is_exact_at_every_layer() -> None:
    config = load_config()
    samples = load_samples(find_samples(config, "kws"), config.models["kws"])
    graph, model = extract("kws", "mpq"), weights.load("kws", "mpq")
    codes = map_input(graph, samples.x[:FRAMES])
    compared = check_equality(model, graph, run_taps(graph, codes))
    assert len(codes) >= 100
    assert [(layer.name, layer.compared) for layer in compared] == [
        (node.name, len(codes) * int(np.prod(node.out_shape))) for node in graph.nodes
    ]
    assert len(compared) == 11
