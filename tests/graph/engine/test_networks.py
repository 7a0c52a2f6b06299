"""The benchmark networks, with random calibrated weights: every layer's codes, and no fallback."""

from __future__ import annotations

import pytest

from flow.graph import Engine
from flow.graph.engine import check_engine
from tests.helpers import random_codes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ad", "ic", "kws", "vww", "vww_effnet", "vww_mbv2"])
def test_a_benchmark_network_equals_the_reference(name: str) -> None:
    from flow.frontend import from_keras
    from models.networks import untrained

    graph = from_keras(untrained(name))
    engine, codes = Engine(graph), random_codes(graph, 6)
    codes[0], codes[1] = graph.input_type.lo, graph.input_type.hi
    assert engine.by_reference == ()
    check_engine(engine, codes)
