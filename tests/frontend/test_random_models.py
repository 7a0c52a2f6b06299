"""Random QKeras models, their integers and the fast engine agree in every code of every layer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.errors import FlowError, Mismatch, RangeError
from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.frontend.user_model import load_user_model
from flow.graph import Engine, IntGraph, MaxPool, Node, graph_hash, map_input, run_taps
from flow.graph.engine import check_engine
from models.quantizers import keep_settings
from tests.frontend.random_models import (
    Limits,
    described,
    random_model,
    random_samples,
    shrunk,
)

QUICK, PARTS, PER_PART = 34, 10, 100
NORMALIZED = range(6)
COVERED = 40
INSTEAD = 10_000  # added to a seed whose model is refused
MOST_REFUSED = 4  # of a part: a batch normalization of random statistics may be extreme
FRAMES = 6
EQUAL, REFUSED = "equal", "refused"
PLAIN, RICH = Limits(), Limits(normalized=True)


def compared(seed: int, limits: Limits = PLAIN) -> IntGraph:
    """Compare one model; a failure is shrunk, and the small model printed."""
    problem = difference(seed, limits)
    if problem is not None:
        least = shrunk(seed, limits, lambda *model: difference(*model) is not None)
        pytest.fail(
            f"seed {seed}, {limits}: {problem}\n"
            f"The same with {least}: {difference(seed, least)}\n"
            f"{described(random_model(seed, least))}"
        )
    return from_keras(random_model(seed, limits))


def difference(seed: int, limits: Limits) -> str | None:
    """What differs between QKeras, reference and engine of a model; None: nothing."""
    found = outcome(seed, limits)
    return None if found in (EQUAL, REFUSED) else found


def outcome(seed: int, limits: Limits) -> str:
    """EQUAL, REFUSED (numbers too wide: steps of tensors lie far apart), or a difference."""
    model = random_model(seed, limits)
    try:
        graph = from_keras(model)
        real = random_samples(graph.input_shape, FRAMES, seed + 1_000_000)
        codes = map_input(graph, real)
        check_equality(model, graph, run_taps(graph, codes), real)
        check_engine(Engine(graph), codes)
    except RangeError:
        return REFUSED
    except FlowError as error:
        return str(error)
    return EQUAL


@pytest.mark.parametrize("seed", range(QUICK))
def test_a_random_model_is_exact(seed: int) -> None:
    assert outcome(seed, PLAIN) == EQUAL or compared(seed)


@pytest.mark.parametrize("seed", NORMALIZED)
def test_a_random_model_with_batch_normalization_is_exact(seed: int) -> None:
    assert outcome(seed, RICH) == EQUAL or compared(seed, RICH)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_random_models_are_exact(part: int) -> None:
    """Half of them with batch normalization; one that is refused has another in its place."""
    refused = 0
    for place in range(part * PER_PART, (part + 1) * PER_PART):
        seed, limits = place, RICH if place % 2 else PLAIN
        while (found := outcome(seed, limits)) == REFUSED:
            seed, refused = seed + INSTEAD, refused + 1
        assert found == EQUAL or compared(seed, limits)
    assert refused <= MOST_REFUSED


@pytest.mark.parametrize(("seed", "limits"), [(1, PLAIN), (5, RICH)])
def test_a_random_model_is_the_same_after_its_file(
    seed: int, limits: Limits, tmp_path: Path
) -> None:
    through_a_file(seed, limits, tmp_path)


@pytest.mark.slow
def test_more_random_models_are_the_same_after_their_files(tmp_path: Path) -> None:
    for seed in range(60):
        limits = RICH if seed % 2 else PLAIN
        if outcome(seed, limits) != REFUSED:
            through_a_file(seed, limits, tmp_path)


def through_a_file(seed: int, limits: Limits, folder: Path) -> None:
    model = random_model(seed, limits)
    keep_settings(model).save(folder / "model.h5", save_format="h5")
    loaded = load_user_model(folder / "model.h5")
    assert loaded.notes == ()
    assert graph_hash(from_keras(loaded.model)) == graph_hash(from_keras(model)), described(model)


def test_a_failing_model_is_shrunk() -> None:
    """Whatever fails here, the smallest model that still does is found."""
    seed = next(s for s in range(COVERED) if has_max_pool(s, PLAIN))
    least = shrunk(seed, PLAIN, has_max_pool)
    assert has_max_pool(seed, least)
    assert not any(has_max_pool(seed, replace(least, blocks=b)) for b in range(least.blocks))
    assert least.size < PLAIN.size


def has_max_pool(seed: int, limits: Limits) -> bool:
    nodes = from_keras(random_model(seed, limits)).nodes
    return any(isinstance(node, MaxPool) for node in nodes)


@pytest.mark.slow
def test_the_models_cover_every_kind_of_node_and_most_widths() -> None:
    nodes = [node for seed in range(COVERED) for node in from_keras(random_model(seed)).nodes]
    kinds = Counter(type(node).__name__ for node in nodes)
    assert set(kinds) == {reference.__forward_arg__ for reference in Node.__args__}
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
