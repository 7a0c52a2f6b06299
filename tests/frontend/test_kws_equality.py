"""The trained keyword spotter: QKeras and integers agree at every layer, on real samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.config import load_config
from flow.data import find_samples, load_samples
from flow.errors import Mismatch
from flow.frontend.equality import check_equality
from flow.frontend.extract import extract
from flow.graph import map_input, run_taps
from models import weights
from models.raw import RAW_INPUTS

FRAMES = 500


def test_the_trained_network_is_exact_at_every_layer() -> None:
    config = load_config()
    samples = load_samples(find_samples(config, "kws"), config.models["kws"])
    graph, model = extract("kws", "mpq"), weights.load("kws", "mpq")
    codes = map_input(graph, samples.x[:FRAMES])
    real = RAW_INPUTS["kws"].to_real(samples.x[:FRAMES])
    compared = check_equality(model, graph, run_taps(graph, codes), real)
    assert len(codes) >= 100
    assert [(layer.name, layer.compared) for layer in compared] == [
        (graph.input_name, codes.size),
        *((node.name, len(codes) * int(np.prod(node.out_shape))) for node in graph.nodes),
    ]
    assert len(compared) == 12


def test_one_wrong_entry_of_the_input_table_is_found() -> None:
    graph, model = extract("kws", "mpq"), weights.load("kws", "mpq")
    raw = np.arange(-128, 128, dtype=np.int8)
    raw = np.resize(raw, (1, 49, 10, 1))
    table = list(graph.input_map.table or ())
    table[40] += 7
    wrong = replace(graph, input_map=replace(graph.input_map, table=tuple(table)))
    real = RAW_INPUTS["kws"].to_real(raw)
    taps = run_taps(wrong, map_input(wrong, raw))
    with pytest.raises(Mismatch, match=r"layer 'codes': \d+ of 490 values differ"):
        check_equality(model, wrong, taps, real)
