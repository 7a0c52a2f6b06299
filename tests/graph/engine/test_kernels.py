"""Every kernel, on every kind of processor that it is written for, equals the reference."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from flow.graph import Kind, MatVec, run_node
from flow.graph.engine import _library
from flow.graph.engine._library import Library
from flow.graph.engine._step import Step
from flow.graph.engine._steps import step_of
from flow.graph.engine._watch import Watch
from flow.graph.observe import observe_node
from flow.graph.types import IntArray, Node
from tests.graph.engine.harness import run_step, wide_matrix
from tests.graph.random_nodes import KINDS, random_inputs, random_node

SEEDS, MORE = 60, 600
PORTABLE = ("-DSHIFT_PORTABLE",)
X86 = {
    "portable": PORTABLE,
    "sse2": ("-march=x86-64",),
    "avx2": ("-march=x86-64-v3",),
    "avx512": ("-march=skylake-avx512",),
    "avx512_vnni": ("-march=skylake-avx512", "-mavx512vnni"),
    "avx_vnni": ("-march=x86-64-v3", "-mavxvnni"),
    "native": _library.NATIVE,
}
NEEDS = {
    "avx2": {"avx2", "bmi2", "fma"},
    "avx512": {"avx512bw", "avx512dq", "avx512vl", "clwb"},
    "avx512_vnni": {"avx512_vnni", "avx512bw", "avx512dq", "avx512vl", "clwb"},
    "avx_vnni": {"avx_vnni", "avx2", "bmi2", "fma"},
}


@functools.cache
def processor_flags() -> frozenset[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return frozenset(next((line.split() for line in lines if line.startswith("flags")), []))


def targets() -> list[str]:
    """Those whose instructions this processor has; on others than x86 the portable one."""
    if "sse2" not in processor_flags():
        return ["portable", "native"]
    return [name for name in X86 if NEEDS.get(name, set()) <= processor_flags()]


QUICK = ("portable", "avx2", "native")  # each other one compiles for some seconds


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in targets()
    ],
)
def library(request: pytest.FixtureRequest) -> Library:
    return _library.load(X86[request.param])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_random_nodes_equal_the_reference(library: Library, kind: str) -> None:
    check_seeds(library, kind, range(SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_more_random_nodes_equal_the_reference(library: Library, kind: str) -> None:
    check_seeds(library, kind, range(SEEDS, SEEDS + MORE))


def check_seeds(library: Library, kind: str, seeds: Sequence[int]) -> None:
    for seed in seeds:
        node = random_node(kind, seed)
        step = step_of(node, library)
        assert step is not None, seed
        inputs = random_inputs(node, 5, seed)
        check_step(node, step, library, inputs, seed)


def check_step(node: Node, step: Step, library: Library, inputs: list[IntArray], seed: int) -> None:
    """Codes, and the notes that the kernel takes when it is asked to, over two calls."""
    expected, seen = observe_node(node, *inputs)
    np.testing.assert_array_equal(run_step(node, step, library, inputs), expected, f"seed {seed}")
    watch = Watch(step.zero)
    for part in (slice(1), slice(1, None)):
        found = run_step(node, step, library, [codes[part] for codes in inputs], watch)
        np.testing.assert_array_equal(found, expected[part], f"seed {seed}")
    assert (watch.acc, watch.clipped) == (seen.acc, seen.clipped), f"seed {seed}"


def test_wide_layers_equal_the_reference(library: Library) -> None:
    """Up to 16 x 16 bits, with one limb and with two, codes at both ends of their range."""
    for seed in range(2 * SEEDS):
        node = wide_matrix(seed)
        step = step_of(node, library)
        assert step is not None, seed
        inputs = random_inputs(node, 4, seed)
        inputs[0][2], inputs[0][3] = node.x.lo, node.x.hi
        check_step(node, step, library, inputs, seed)


def test_the_wide_layers_take_every_way_through_the_kernels() -> None:
    library = _library.load()
    seen: Counter[tuple[str, bool]] = Counter()
    for seed in range(2 * SEEDS):
        node = wide_matrix(seed)
        step = step_of(node, library)
        assert step is not None
        plane, requant = step.argument.plane, step.argument.requant
        ways = {
            f"{step.kernel} two limbs": bool(plane.limb_shift),
            f"{step.kernel} int64": bool(requant.wide),
            "wide output": bool(requant.wide_output),
            "unsigned 16 bits": node.x.hi >= 1 << 15,
            "factor": bool(requant.factor),
            "half even": bool(requant.below),
            "map itself": not plane.copied,
            "groups": node.groups > 1,
        }
        seen.update(ways.items())
    names = {name for name, _ in seen}
    assert all(seen[name, chosen] >= 2 for name in names for chosen in (False, True)), seen


@pytest.mark.parametrize("kind", [Kind.CONV, Kind.DEPTHWISE, Kind.DENSE])
def test_one_wrong_weight_in_the_packed_copy_is_seen(kind: Kind) -> None:
    library = _library.load()
    for seed in range(200):
        node = random_node("matrix", seed)
        if node.kind is not kind:
            continue
        assert isinstance(node, MatVec)
        step, inputs = step_of(node, library), random_inputs(node, 20, seed)
        assert step is not None
        expected = run_node(node, *inputs)
        packed = max((a for a in step.arrays if a.dtype == np.int16), key=lambda a: a.size)
        if len(np.unique(expected)) > 8:
            packed[packed != 0] *= -1
            assert (run_step(node, step, library, inputs) != expected).any()
            return
    pytest.fail("no layer with lively outputs was drawn")
