"""Every kind of node equals its definition, in all shapes, widths, zero points and roundings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow.errors import RangeError
from flow.graph import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    InputMap,
    IntGraph,
    MatVec,
    MaxPool,
    Multiply,
    Rescale,
    Rounding,
    Table,
    TensorType,
    Upsample,
    Window,
    graph_hash,
    load_graph,
    profile,
    run_node,
    run_taps,
    save_graph,
)
from flow.graph.accumulate import accumulate
from flow.graph.arithmetic import (
    accumulator_range,
    fold_pool,
    fold_requant,
    pool_rescale,
    requantise,
    requantise_textbook,
)
from tests.graph.random_nodes import (
    KINDS,
    by_definition,
    random_inputs,
    random_node,
    with_wrong_zero_point,
)
from tests.helpers import tensor

SEEDS = 60
REQUANTISED = ("matrix", "add", "multiply", "concat", "rescale")


@pytest.mark.parametrize("kind", KINDS)
def test_a_node_equals_its_definition(kind: str) -> None:
    for seed in range(SEEDS):
        node = random_node(kind, seed)
        inputs = random_inputs(node, 2, seed)
        got = run_node(node, *inputs)
        assert got.shape == (2, *node.out_shape)
        frame = [x[1] for x in inputs]
        expected = [by_definition(node, frame, *index) for index in np.ndindex(*node.out_shape)]
        np.testing.assert_array_equal(got[1].ravel(), expected, err_msg=f"seed {seed}: {node}")


@pytest.mark.parametrize("kind", KINDS)
def test_sums_stay_inside_their_declared_range(kind: str) -> None:
    for seed in range(SEEDS):
        node = random_node(kind, seed)
        if kind == "table":
            continue
        sums = accumulate(node, *random_inputs(node, 4, seed))
        low, high = accumulator_range(node)
        assert low <= sums.min() and sums.max() <= high


@pytest.mark.parametrize("kind", REQUANTISED)
def test_the_folded_form_equals_the_textbook_at_every_tie(kind: str) -> None:
    """Accumulators around multiples of half an output step, in both roundings."""
    for seed in range(SEEDS):
        node = random_node(kind, seed)
        fold = fold_requant(node)
        around = np.arange(-4, 5)[:, None] << np.maximum(fold.shift - fold.pre_shift - 1, 0)
        zero = np.array([-(fold.constant >> fold.pre_shift)])
        acc = np.concatenate([around + zero + offset for offset in (-1, 0, 1)])
        if fold.mult is not None:
            acc = acc // fold.mult
        for rounding in Rounding:
            rounded = replace(node, rounding=rounding)
            np.testing.assert_array_equal(
                requantise(acc, fold_requant(rounded)), requantise_textbook(acc, rounded)
            )


def test_half_even_differs_from_half_up_only_on_ties() -> None:
    x = TensorType(8, True, -2, 0, -128, 127)
    y = TensorType(8, True, -1, 0, -128, 127)
    codes = np.arange(-6, 7).reshape(1, 1, -1, 1)
    node = Rescale("node", "x", (1, 13, 1), x, y)
    half_even = replace(node, rounding=Rounding.HALF_EVEN)
    assert run_node(node, codes).ravel().tolist() == [-3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3, 3]
    even = run_node(half_even, codes).ravel().tolist()
    assert even == [-3, -2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2, 3]


def test_a_pool_with_padding_counts_what_is_inside() -> None:
    x = tensor(8, True, 0)
    window = Window(3, 3, 2, 2, 1, 0)
    node = AveragePool("pool", "x", (4, 4, 1), (2, 2, 1), window, x, x)
    assert node.counts.tolist() == [[6, 4], [9, 6]]
    with pytest.raises(RangeError, match="'pool': a window of its average lies in the padding"):
        replace(node, out_shape=(4, 2, 1))


def test_a_largest_code_is_never_padding() -> None:
    x = TensorType(4, True, 0, 0, -8, 7)
    node = MaxPool("pool", "x", (1, 1, 1), (1, 1, 1), Window(3, 3, 1, 1, 1, 1), x)
    assert run_node(node, np.full((1, 1, 1, 1), -5)).item() == -5


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_reciprocal_form_of_a_pool_is_exact_at_every_position(seed: int) -> None:
    node = random_node("average", seed)
    assert isinstance(node, AveragePool)
    sums = accumulate(node, *random_inputs(node, 2, seed))
    expected = pool_rescale(sums, node)
    for index in np.ndindex(*node.out_shape):
        fold = fold_pool(node, int(node.counts[index[:2]]))
        numerator = (int(sums[(1, *index)]) << fold.pre_shift) + fold.constant
        quotient = (numerator * fold.reciprocal) >> fold.shift
        if fold.even and quotient * fold.divisor == numerator:
            quotient &= ~1
        assert quotient + fold.offset == expected[(1, *index)]


@pytest.mark.parametrize("kind", ["matrix", "average", "add", "multiply", "concat", "rescale"])
def test_a_wrong_zero_point_is_seen(kind: str) -> None:
    seen = 0
    for seed in range(SEEDS):
        node = random_node(kind, seed)
        inputs = random_inputs(node, 2, seed)
        seen += bool(
            (run_node(with_wrong_zero_point(node), *inputs) != run_node(node, *inputs)).any()
        )
    assert seen > SEEDS // 3


def test_a_shuffle_interleaves_its_groups_and_another_undoes_it() -> None:
    x = tensor(4, True, 0)
    node = ChannelShuffle("node", "x0", (1, 1, 6), 2, x)
    codes = np.arange(6).reshape(1, 1, 1, 6)
    assert run_node(node, codes).ravel().tolist() == list(node.order) == [0, 3, 1, 4, 2, 5]
    assert run_node(replace(node, groups=3), run_node(node, codes)).ravel().tolist() == [*range(6)]


def branched() -> IntGraph:
    """Every kind of node, a shortcut, and a tensor that three nodes read."""
    x, half = tensor(6, True, -3), tensor(6, True, -2)
    shape = (4, 4, 2)
    twice = tuple([shape] * 2)
    weights = np.random.default_rng(0).integers(-3, 4, (1, 1, 1, 2))
    zeros = np.zeros(2, np.int64)
    conv = MatVec(
        "conv", "codes", random_node("matrix", 0).kind, shape, shape, Window(1, 1, 1, 1, 0, 0),
        weights, 4, zeros, zeros, 0, zeros, x, half, groups=2, weight_mult=np.array([3, 5]),
    )  # fmt: skip
    conv = replace(conv, kind=type(conv.kind).CONV)
    nodes = (
        conv,
        Add("add", ("conv", "codes"), twice, (half, x), half),
        Rescale("relu", "add", shape, half, replace(half, lo=0)),
        Table("table", "codes", shape, x, x, tuple(range(x.hi, x.lo - 1, -1)), "minus x"),
        Multiply("product", ("relu", "table"), twice, (replace(half, lo=0), x), half),
        Concat("concat", ("product", "add"), twice, (half, half), half),
        MaxPool("largest", "concat", (4, 4, 4), (2, 2, 4), Window(2, 2, 2, 2, 0, 0), half),
        ChannelShuffle("shuffle", "largest", (2, 2, 4), 2, half),
        Upsample("upsample", "shuffle", (2, 2, 4), 2, 2, half),
        AveragePool("pool", "upsample", (4, 4, 4), (1, 1, 4), Window(4, 4, 1, 1, 0, 0), half, x,
                    rounding=Rounding.HALF_EVEN),
    )  # fmt: skip
    return IntGraph("branched", "codes", shape, x, InputMap("float32", 0, None), nodes,
                    notes=("a note",))  # fmt: skip


def test_a_branched_graph_runs_and_is_profiled() -> None:
    graph = branched()
    codes = np.random.default_rng(1).integers(-31, 32, (40, 4, 4, 2))
    taps = run_taps(graph, codes)
    np.testing.assert_array_equal(
        taps["add"], run_node(graph.nodes[1], taps["conv"], taps["codes"])
    )
    np.testing.assert_array_equal(taps["table"], -codes)
    layers = {layer.name: layer for layer in profile(graph, codes).layers}
    for name, layer in layers.items():
        assert (layer.y.seen.low, layer.y.seen.high) == (taps[name].min(), taps[name].max())
    assert graph.consumers("codes") == ("conv", "add", "table")


def test_a_branched_graph_survives_storage(tmp_path) -> None:
    graph = branched()
    save_graph(graph, tmp_path)
    again = load_graph(tmp_path)
    assert graph_hash(again) == graph_hash(graph)
    assert again.notes == ("a note",)
    assert again.nodes[1:] == graph.nodes[1:]
    codes = np.random.default_rng(1).integers(-31, 32, (2, 4, 4, 2))
    np.testing.assert_array_equal(run_taps(again, codes)["pool"], run_taps(graph, codes)["pool"])


@pytest.mark.parametrize("index", range(10))
def test_every_integer_of_every_node_is_in_the_hash(index: int) -> None:
    graph = branched()
    node = graph.nodes[index]
    changed = {
        "conv": {"weight_mult": np.array([3, 7])},
        "add": {"rounding": Rounding.HALF_EVEN},
        "relu": {"rounding": Rounding.HALF_EVEN},
        "table": {"table": tuple(range(-31, 32))},
        "product": {"rounding": Rounding.HALF_EVEN},
        "concat": {"sources": ("add", "product")},
        "largest": {"window": Window(2, 2, 2, 2, 0, 1)},
        "shuffle": {"groups": 4},
        "upsample": {"name": "up"},
        "pool": {"rounding": Rounding.HALF_UP},
    }[node.name]
    nodes = list(graph.nodes)
    nodes[index] = replace(node, **changed)
    if "name" in changed:
        nodes[index + 1] = replace(nodes[index + 1], source="up")
    assert graph_hash(replace(graph, nodes=tuple(nodes))) != graph_hash(graph)


def test_all_that_does_not_join_is_named_at_once() -> None:
    graph = branched()
    conv, add, *rest = graph.nodes
    wrong = replace(add, sources=("conv", "nobody"))
    with pytest.raises(RangeError) as caught:
        replace(graph, nodes=(conv, wrong, *rest[:1], replace(rest[0], name="conv", source="add")))
    message = str(caught.value)
    assert "layer 'add' of 'branched' reads 'nobody', which is not an earlier node" in message
    assert "graph 'branched': two nodes are called 'conv'." in message
    assert "graph 'branched': no layer reads 'relu'." in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: replace(g.nodes[0], groups=3), "3 groups do not divide 2 and 2 channels"),
        (lambda g: replace(g.nodes[0], weight_mult=np.array([1, 2**15])), "spans 1..32768"),
        (lambda g: replace(g.nodes[1], in_shapes=((4, 4, 2), (2, 4, 4))), "cannot be added"),
        (lambda g: replace(g.nodes[1], sources=("conv",)), "names 1 sources, 2 shapes and 2 types"),
        (lambda g: replace(g.nodes[3], table=(1, 2)), "its table has 2 entries, not 63"),
        (lambda g: replace(g.nodes[3], table=(99,) * 63), r"spans 99\.\.99, outside -31\.\.31"),
        (lambda g: replace(g.nodes[4], in_shapes=((1, 1, 2), (4, 4, 2))), "cannot be multiplied"),
        (lambda g: replace(g.nodes[5], in_shapes=((4, 4, 2), (2, 8, 2))), "cannot be joined"),
        (lambda g: replace(g.nodes[7], groups=3), "'shuffle': 3 groups do not divide 4 channels"),
        (lambda g: replace(g.nodes[7], groups=0), "'shuffle': 0 groups do not divide 4 channels"),
    ],
)
def test_an_impossible_node_cannot_exist(change, message: str) -> None:
    with pytest.raises(RangeError, match=message):
        change(branched())
