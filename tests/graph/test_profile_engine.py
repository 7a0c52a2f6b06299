"""Profiles by the fast engine: the reference's figures, all of them, and faults that are seen."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest

from flow.errors import DataError, Mismatch
from flow.graph import Engine, profile
from flow.graph.engine import check_observed
from flow.graph.engine._watch import Watch
from flow.graph.observe import observe
from flow.graph.profile import reference_profile
from tests.graph.engine.test_engine import wide_in_the_middle
from tests.graph.random_graphs import offset_input, random_graph
from tests.graph.random_nodes import KINDS
from tests.graph.test_operators import branched
from tests.helpers import random_codes, small_graph

SEEDS, MORE = 12, 200
GRAPHS = {
    "branched": branched(), "small0": small_graph(), "small1": small_graph(1),
    "wide": wide_in_the_middle(), "offset": offset_input(small_graph(2)),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_profile_by_the_engine_is_the_reference_s(name: str, threads: int) -> None:
    graph = GRAPHS[name]
    codes, engine = random_codes(graph, 261, seed=threads), Engine(graph, threads)
    engine.batch_frames = 60  # ragged ends
    assert profile(graph, codes, engine=engine) == reference_profile(graph, codes)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_random_networks_have_the_same_profile(kind: str) -> None:
    check_profiles(kind, range(SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_more_random_networks_have_the_same_profile(kind: str) -> None:
    check_profiles(kind, range(SEEDS, SEEDS + MORE))


def check_profiles(kind: str, seeds: range) -> None:
    for seed in seeds:
        graph = random_graph(kind, seed)
        codes = random_codes(graph, 7, seed)
        assert profile(graph, codes) == reference_profile(graph, codes), f"seed {seed}"


def test_the_random_networks_clip_at_both_ends_and_go_everywhere() -> None:
    profiles = [
        reference_profile(graph, random_codes(graph, 7, seed))
        for kind in KINDS
        for seed in range(SEEDS)
        for graph in [random_graph(kind, seed)]
    ]
    layers = [layer for found in profiles for layer in found.layers]
    assert sum(bool(layer.y.clipped_low) for layer in layers) > 10
    assert sum(bool(layer.y.clipped_high) for layer in layers) > 10
    assert sum(layer.acc is not None for layer in layers) > 10


@pytest.mark.parametrize(
    ("fault", "what"),
    [("accumulator", "acc"), ("limit", "codes"), ("weight", "acc")],
)
def test_a_wrong_note_of_the_engine_is_a_mismatch(fault: str, what: str) -> None:
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 50)
    step = engine.steps[0]
    assert step is not None and step.zero is not None
    if fault == "accumulator":
        step.zero[:] += 1
    elif fault == "limit":
        step.argument.requant.hi -= 1  # clips more, too
    else:
        packed = next(array for array in step.arrays if array.dtype == np.int16).reshape(-1)
        packed[packed > 0] += 1
    with pytest.raises(
        Mismatch, match=rf"layer 'conv'.*at {what}: expected \((.|\n)*please report"
    ) as e:
        check_observed(engine, codes)
    assert e.value.layer == "conv"
    with pytest.raises(Mismatch):
        profile(graph, codes, engine=engine)


def test_notes_that_only_the_engine_takes_wrongly_change_the_profile() -> None:
    """Codes stay right: nothing but the comparison of profiles would tell."""
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 50)
    expected = engine.run(codes)
    step = engine.steps[1]
    assert step is not None and step.zero is not None
    step.zero[:] -= 1
    np.testing.assert_array_equal(engine.run(codes), expected)
    assert engine.observe(codes) != observe(graph, codes)


def test_a_note_is_of_the_frames_given_only() -> None:
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 40)
    first = engine.observe(codes[:20])
    assert engine.observe(codes[:20]) == first
    both = engine.observe(codes[20:])
    assert {name: first[name] + both[name] for name in first} == engine.observe(codes)


def test_a_watch_that_was_never_used_holds_nothing() -> None:
    watch = Watch(None)
    assert watch.acc is None and watch.clipped == (0, 0)


def test_profiling_streams() -> None:
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 4000).astype(np.int8)
    engine.observe(codes[:1])
    tracemalloc.start()
    engine.observe(codes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000
    told: list[tuple[int, int]] = []
    engine.observe(codes[:20], lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)


def test_wrong_codes_are_refused_by_name() -> None:
    graph = small_graph()
    codes = random_codes(graph, 4)
    with pytest.raises(DataError, match=re.escape(f"input codes of {graph.name!r} have shape")):
        profile(graph, codes[..., :1])
    with pytest.raises(DataError, match="outside"):
        profile(graph, codes + 200)
    with pytest.raises(DataError, match="n > 0"):
        profile(graph, codes[:0])
