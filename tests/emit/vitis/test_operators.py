"""C simulation of every operator by itself: both io types, both arithmetics, hostile codes.

Exact widths are the harder case; test_operator_faults.py runs every operator in native arithmetic.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import IO_TYPES, Mode, write_vitis_project
from flow.emit.vitis.operators import OPERATORS
from flow.errors import PlanError
from flow.graph import (
    AveragePool,
    ChannelShuffle,
    Concat,
    IntGraph,
    MatVec,
    MaxPool,
    Multiply,
    Node,
)
from flow.graph.types import Kind
from flow.plan import HwPlan, plan
from tests.emit.vitis.around import around, codes_of
from tests.emit.vitis.batch import IO_NAMES, PART, compile_batch, differences, hostile_codes
from tests.emit.vitis.branched import BRANCHED
from tests.graph.random_nodes import KINDS, random_node

FEATURES = {
    *("matrix:conv", "matrix:depthwise", "matrix:dense", "matrix:groups", "matrix:mult"),
    *("matrix:half_up", "matrix:half_even", "matrix:gathered window of a group"),
    *("matrix:lanes < PE", "average:half_up", "average:half_even", "average:counts differ"),
    *("average:PE > 1", "largest:padding", "largest:PE > 1", "add:half_up", "add:half_even"),
    *("add:three", "add:lanes > 1", "multiply:half_up", "multiply:half_even", "multiply:vector"),
    *("multiply:map", "multiply:lanes > 1", "concat:half_up", "concat:half_even"),
    *("concat:in turn", "concat:whole pixels", "concat:three", "concat:a part as it is"),
    "rescale:half_up",
    *("rescale:half_even", "rescale:lanes > 1", "table:signed", "table:unsigned"),
    *("table:lanes > 1", "upsample:rows", "upsample:cols", "upsample:lanes > 1"),
    *("shuffle:one by one", "shuffle:parts of a pixel", "shuffle:whole pixels"),
}
SEEDS = {
    "matrix": (1, 2, 20, 28), "average": (0, 1), "largest": (0,), "add": (1, 20),
    "multiply": (1, 9), "concat": (1, 3), "rescale": (0, 1), "table": (0, 4), "upsample": (5,),
    "shuffle": (0, 4, 5),
}  # fmt: skip
COMPILED = (  # together
    ("matrix", "average", "largest"), ("add", "multiply", "concat"),
    ("rescale", "table", "upsample", "shuffle"),
)  # fmt: skip
SLOW = [range(first, first + 5) for first in range(100, 140, 5)]


def planned(kind: str, seed: int, name: str = "planned") -> tuple[Node, IntGraph, HwPlan]:
    """A random node in a network of its own, at a random interval."""
    node = random_node(kind, seed)
    if isinstance(node, Concat) and seed % 3 == 0:  # one part that needs no requantisation
        node = replace(node, x_types=(node.y, *node.x_types[1:]))
    graph = around(node, name)
    rng = np.random.default_rng([seed, 5])
    slowest = plan(graph, PART, 1 << 30, engine="vitis").est_ii_cycles
    ii_cycles = max(1, int(slowest / rng.choice((1, 2, 4, 8, 64))))
    while True:
        try:
            return node, graph, plan(graph, PART, ii_cycles, engine="vitis", lut_budget=100)
        except PlanError:
            ii_cycles = ii_cycles * 5 // 4 + 1


def features(kind: str, seed: int) -> set[str]:
    """What a random node and its plan have of FEATURES."""
    node, _, hw_plan = planned(kind, seed)
    unit = hw_plan.units[-1]
    has = {
        node.kind.value: True,
        node.rounding.value: True,
        "PE > 1": unit.pe > 1,
        "lanes > 1": unit.lanes > 1,
        "lanes < PE": unit.lanes < unit.pe,
        "three": len(node.x_types) == 3,
        "signed" if node.y.signed else "unsigned": True,
    }
    if isinstance(node, MatVec):
        groups = node.groups > 1 and node.window.taps > 1
        has |= {"groups": groups, "mult": bool((node.weight_mult != 1).any())}
        has["gathered window of a group"] = groups and unit.repeat > 1
    if isinstance(node, AveragePool):
        has["counts differ"] = len(np.unique(node.counts)) > 1
    if isinstance(node, MaxPool):
        has["padding"] = node.window.pad_top > 0
    if isinstance(node, Multiply):
        has["map" if node.in_shapes[0] == node.in_shapes[1] else "vector"] = True
    if isinstance(node, Concat):
        has["a part as it is"] = node.x_types[0] == node.y
        has["whole pixels" if unit.lanes == node.out_shape[2] else "in turn"] = True
    if isinstance(node, ChannelShuffle) and 1 < node.groups < node.in_shape[2]:
        whole = unit.lanes == node.in_shape[2]
        parts = "one by one" if unit.lanes == 1 else "parts of a pixel"
        has["whole pixels" if whole else parts] = True
    if node.kind is Kind.UPSAMPLE:
        has |= {"rows": node.rows > 1, "cols": node.cols > 1}
    return {f"{kind}:{name}" for name, present in has.items() if present} & FEATURES


def check(nodes: list[tuple[str, int]], mode: Mode, folder: Path) -> int:
    """Compile networks around the nodes in both io types and compare; return their number."""
    networks = [
        (*planned(kind, seed, f"{kind}{seed}_{IO_NAMES[io_type]}"), io_type, seed)
        for kind, seed in nodes
        for io_type in IO_TYPES
    ]
    library = compile_batch([(g, p, io) for _, g, p, io, _ in networks], folder, mode)
    for node, graph, _, _, seed in networks:
        different = differences(library, mode, graph, codes_of(node, seed))
        assert not any(different.values()), (graph.name, different, node)
    return len(networks)


def test_the_engine_has_every_kind_and_the_seeds_cover_every_feature() -> None:
    assert set(OPERATORS) == set(Kind)
    assert {kind for kinds in COMPILED for kind in kinds} == set(SEEDS) == set(KINDS)
    found = [features(kind, seed) for kind, seeds in SEEDS.items() for seed in seeds]
    assert set().union(*found) == FEATURES


@pytest.mark.parametrize("mode", [Mode.BIT_TRUE, pytest.param(Mode.NATIVE, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kinds", COMPILED, ids=["windows", "merges", "rest"])
def test_every_operator_is_exact(kinds: tuple[str, ...], mode: Mode, tmp_path: Path) -> None:
    nodes = [(kind, seed) for kind in kinds for seed in SEEDS[kind]]
    assert check(nodes, mode, tmp_path) == 2 * len(nodes)


@pytest.mark.parametrize("mode", [Mode.NATIVE, pytest.param(Mode.BIT_TRUE, marks=pytest.mark.slow)])
def test_every_shape_of_branch_is_exact(mode: Mode, tmp_path: Path) -> None:
    networks = []
    for build in BRANCHED.values():
        for io_type in IO_TYPES:
            graph = build()
            graph = replace(graph, name=f"{graph.name}_{IO_NAMES[io_type]}")
            networks.append((graph, plan(graph, PART, 8000, engine="vitis"), io_type))
    library = compile_batch(networks, tmp_path, mode)
    for graph, _, _ in networks:
        different = differences(library, mode, graph, hostile_codes(graph, 0))
        assert not any(different.values()), (graph.name, different)


@pytest.mark.slow
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_forty_random_nodes_of_each_kind_are_exact(
    seeds: range, mode: Mode, tmp_path: Path
) -> None:
    nodes = [(kind, seed) for kind in KINDS for seed in seeds]
    assert check(nodes, mode, tmp_path) == 2 * len(nodes)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", IO_TYPES)
def test_what_only_synthesis_sees_compiles(io_type: str, tmp_path: Path) -> None:
    """The open ap_int refuses __SYNTHESIS__, so another macro stands for it here."""
    for kind, seeds in SEEDS.items():
        for seed in seeds:
            _, graph, hw_plan = planned(kind, seed, f"{kind}{seed}")
            root = write_vitis_project(graph, hw_plan, tmp_path / graph.name, io_type).root
            for path in (*root.glob("firmware/shift/*.h"), root / f"firmware/{graph.name}.cpp"):
                path.write_text(path.read_text().replace("__SYNTHESIS__", "SHIFT_SYNTHESIS"))
            done = subprocess.run(
                ["g++", "-std=c++14", "-DSHIFT_SYNTHESIS", "-fsyntax-only", "-Wno-unknown-pragmas",
                 "-isystem", "firmware/ap_types", f"firmware/{graph.name}.cpp"],
                cwd=root, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (graph.name, done.stderr[:2000])
