"""Random QKeras models, their integers and the fast engine agree in every code of every layer."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from flow.errors import FlowError, Mismatch
from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.graph import Engine, IntGraph, Node, map_input, run_taps
from flow.graph.engine import check_engine
from tests.frontend.random_models import described, random_model, random_samples

QUICK, MORE = 40, 300
FRAMES = 6


def compared(seed: int) -> IntGraph:
    """Compare one model; a failure prints the whole of it."""
    model = random_model(seed)
    try:
        graph = from_keras(model)
        real = random_samples(graph.input_shape, FRAMES, seed + 1_000_000)
        codes = map_input(graph, real)
        check_equality(model, graph, run_taps(graph, codes), real)
        check_engine(Engine(graph), codes)
    except FlowError as error:
        pytest.fail(f"seed {seed}: {error}\n{described(model)}")
    return graph


@pytest.mark.parametrize("seed", range(QUICK))
def test_a_random_model_is_exact(seed: int) -> None:
    compared(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(QUICK, QUICK + MORE))
def test_more_random_models_are_exact(seed: int) -> None:
    compared(seed)


@pytest.mark.slow
def test_the_models_cover_every_kind_of_node_and_most_widths() -> None:
    nodes = [node for seed in range(QUICK) for node in from_keras(random_model(seed)).nodes]
    kinds = Counter(type(node).__name__ for node in nodes)
    assert set(kinds) == {cls.__name__ for cls in Node.__args__}
    assert min(kinds.values()) >= 4
    assert {node.y.bits for node in nodes} >= set(range(2, 17))


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_one_wrong_code_of_any_layer_is_found(seed: int) -> None:
    model = random_model(seed)
    graph = from_keras(model)
    real = random_samples(graph.input_shape, 2, seed)
    taps = run_taps(graph, map_input(graph, real))
    for node in graph.nodes:
        wrong = {name: codes.copy() for name, codes in taps.items()}
        codes = wrong[node.name]
        codes.flat[-1] += 1 if codes.flat[-1] < node.y.hi else -1
        with pytest.raises(Mismatch) as caught:
            check_equality(model, graph, wrong)
        assert caught.value.layer == node.name
        assert caught.value.different == 1
        assert caught.value.index == tuple(int(i) - 1 for i in np.shape(codes))
