"""Whole networks: the reference's integers whatever the batch, the threads and the dtype."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from flow.errors import ConfigError, DataError
from flow.graph import (
    InputMap,
    IntGraph,
    Kind,
    MatVec,
    MaxPool,
    Rescale,
    TensorType,
    Upsample,
    Window,
    run,
    run_taps,
)
from flow.graph.engine import Engine
from flow.graph.engine._layout import layout
from flow.graph.engine._step import SLACK, dtype_of
from flow.graph.types import Node
from tests.graph.test_operators import branched
from tests.helpers import random_codes, random_matvec, small_graph, tensor

GRAPHS = {"branched": branched(), **{f"small{seed}": small_graph(seed) for seed in range(3)}}


def wide_in_the_middle() -> IntGraph:
    """Tensors of 20 bits between narrow ones, which only the reference computes."""
    shape = (3, 3, 4)
    conv = random_matvec(
        np.random.default_rng(0), "conv", "codes", Kind.CONV, shape, tensor(8, True, -4), cout=4
    )
    exponent = conv.y.scale_exp
    wide = TensorType(20, True, exponent - 10, 0, -(1 << 19), (1 << 19) - 1)
    narrow = tensor(6, False, exponent + 1)
    nodes: tuple[Node, ...] = (
        conv,
        Rescale("finer", "conv", shape, conv.y, wide),
        MaxPool("most", "finer", shape, (2, 2, 4), Window(2, 2, 1, 1, 0, 0), wide),
        Rescale("coarser", "most", (2, 2, 4), wide, narrow),
        Upsample("twice", "coarser", (2, 2, 4), 2, 2, narrow),
    )
    return IntGraph("middle", "codes", shape, conv.x, InputMap("float32", 0, None), nodes)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("frames", [1, 7, 100, 261])
def test_the_engine_equals_the_reference_at_every_layer(
    name: str, threads: int, frames: int
) -> None:
    graph = GRAPHS[name]
    codes, engine = random_codes(graph, frames, seed=frames), Engine(graph, threads)
    engine.batch_frames = min(engine.batch_frames, 60)  # ragged ends
    expected = run_taps(graph, codes)
    np.testing.assert_array_equal(engine.run(codes), expected[graph.output.name])
    taps = engine.run_taps(codes)
    assert list(taps) == list(expected)
    for layer, values in expected.items():
        assert taps[layer].dtype == np.int64
        np.testing.assert_array_equal(taps[layer], values, layer)


@pytest.mark.parametrize("threads", [1, 2])
def test_wide_tensors_go_through_the_reference(threads: int) -> None:
    graph = wide_in_the_middle()
    engine, codes = Engine(graph, threads), random_codes(graph, 50)
    assert engine.by_reference == ("most", "coarser")
    expected = run_taps(graph, codes)
    assert expected["finer"].max() >= 1 << 15
    for layer, values in engine.run_taps(codes).items():
        np.testing.assert_array_equal(values, expected[layer], layer)
    np.testing.assert_array_equal(engine.run(codes), expected[graph.output.name])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint64"])
def test_narrower_codes_are_taken_as_they_are(dtype: str) -> None:
    graph = small_graph()
    codes = np.abs(random_codes(graph, 9))
    np.testing.assert_array_equal(Engine(graph).run(codes.astype(dtype)), run(graph, codes))


def test_unsigned_16_bit_inputs_are_stored_with_an_offset() -> None:
    x = TensorType(16, False, -6, 3, 0, (1 << 16) - 1)
    rng = np.random.default_rng(1)
    conv = random_matvec(rng, "conv", "codes", Kind.CONV, (5, 5, 2), x, cout=3, kernel=(3, 3))
    graph = IntGraph("wide", "codes", (5, 5, 2), x, InputMap("float32", 0, None), (conv,))
    codes = random_codes(graph, 20)
    codes[0], codes[1] = x.lo, x.hi
    for given in (codes, codes.astype(np.uint16)):
        np.testing.assert_array_equal(Engine(graph).run(given), run(graph, codes))
        np.testing.assert_array_equal(Engine(graph).run_taps(given)["codes"], codes)


def test_batches_stream_in_order() -> None:
    graph = small_graph()
    engine, codes = Engine(graph, threads=2), random_codes(graph, 100)
    engine.batch_frames = 7
    batches = list(engine.batches(codes))
    assert [len(batch) for batch in batches] == [7] * 14 + [2]
    np.testing.assert_array_equal(np.concatenate(batches), run(graph, codes))


def test_a_network_of_one_element_runs() -> None:
    x = tensor(3, True, 0)
    node = Rescale("half", "codes", (1, 1, 1), x, tensor(2, True, 1))
    graph = IntGraph("tiny", "codes", (1, 1, 1), x, InputMap("float32", 0, None), (node,))
    codes = random_codes(graph, 1000)
    np.testing.assert_array_equal(Engine(graph).run(codes), run(graph, codes))


def test_progress_counts_frames_to_the_end() -> None:
    graph = small_graph()
    engine, codes, told = Engine(graph), random_codes(graph, 20), []
    engine.batch_frames = 8
    engine.run(codes, lambda done, total: told.append((done, total)))
    assert told == [(8, 20), (16, 20), (20, 20)]
    told.clear()
    engine.run_taps(codes, lambda done, total: told.append((done, total)))
    assert told == [(8, 20), (16, 20), (20, 20)]


def test_one_engine_serves_several_callers_at_once() -> None:
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 300)
    expected, wrong = run(graph, codes), []

    def call() -> None:
        for _ in range(5):
            wrong.append(int((engine.run(codes) != expected).sum()))

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == [0] * 15


def test_two_thousand_frames_need_no_more_memory_than_stated() -> None:
    graph = small_graph()
    engine = Engine(graph)
    codes = random_codes(graph, 2000).astype(np.int8)
    output_bytes = 8 * engine.batch_frames * int(np.prod(graph.output.out_shape))
    list(engine.batches(codes[:1]))
    tracemalloc.start()
    for _ in engine.batches(codes):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * output_bytes + 100_000
    assert engine.memory_bytes < 4 << 20


@pytest.mark.parametrize("graph", [branched(), small_graph(), wide_in_the_middle()])
def test_tensors_that_are_alive_together_lie_apart(graph: IntGraph) -> None:
    found = layout(graph, 5)
    shapes = {graph.input_name: (graph.input_shape, graph.input_type)}
    shapes |= {node.name: (node.out_shape, node.y) for node in graph.nodes}
    spans = {}
    for name, (shape, kind) in shapes.items():
        size_bytes = (int(np.prod(shape)) * 5 + SLACK) * dtype_of(kind).itemsize
        spans[name] = found.first_byte[name], found.first_byte[name] + size_bytes
    assert max(end for _, end in spans.values()) <= found.size_bytes
    for index, node in enumerate(graph.nodes):
        later = {source for user in graph.nodes[index:] for source in user.sources}
        earlier = {graph.input_name, *(other.name for other in graph.nodes[:index])}
        for name in later & earlier:
            (a, b), (c, d) = spans[node.name], spans[name]
            assert b <= c or d <= a, (node.name, name)


def test_memory_is_used_again() -> None:
    graph = small_graph()
    frame_bytes = 2 * sum(int(np.prod(node.out_shape)) for node in graph.nodes)
    grown = layout(graph, 101).size_bytes - layout(graph, 1).size_bytes
    assert grown < 0.85 * 100 * frame_bytes


def test_one_corrupted_weight_turns_its_layer_red() -> None:
    graph = small_graph()
    codes = random_codes(graph, 50)
    expected = run_taps(graph, codes)
    for index, node in enumerate(graph.nodes):
        if not isinstance(node, MatVec):
            continue
        engine, red = Engine(graph), 0
        step = engine.steps[index]
        assert step is not None
        packed = next(a for a in step.arrays if a.dtype == np.int16).reshape(-1)
        sampled = np.flatnonzero(packed)[:: max(np.count_nonzero(packed) // 10, 1)]
        for at in sampled:
            packed[at] *= -1
            red += bool((engine.run_taps(codes)[node.name] != expected[node.name]).any())
            packed[at] *= -1
        assert red >= 2, node.name  # the others' channels are always 0


def test_wrong_codes_are_refused_as_the_reference_refuses_them() -> None:
    graph = small_graph()
    engine, codes = Engine(graph), random_codes(graph, 4)
    for wrong in (codes[:0], codes[0], codes[..., :1], np.array(1), codes + 200):
        with pytest.raises(DataError) as expected:
            run(graph, wrong)
        for call in (engine.run, engine.run_taps, lambda wrong: list(engine.batches(wrong))):
            with pytest.raises(DataError) as found:
                call(wrong)
            assert str(found.value) == str(expected.value)
    with pytest.raises(DataError, match="are float64, not integers"):
        engine.run(codes.astype(float))


def test_threads_are_one_or_more_or_all_cores() -> None:
    with pytest.raises(ConfigError, match="0 threads cannot work; give 1 or more, or None for all"):
        Engine(small_graph(), 0)
    assert Engine(small_graph(), None).threads >= 1
