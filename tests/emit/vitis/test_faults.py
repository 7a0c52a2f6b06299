"""Faults planted in the C++: C simulation shows each of them in the layer that has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import Mode, write_vitis_project
from flow.errors import FlowError
from flow.graph import InputMap, IntGraph, Kind
from flow.graph.arithmetic import accumulator_bits, accumulator_range
from flow.graph.reference import accumulate
from flow.graph.types import IntArray, MatVec
from flow.plan import plan
from tests.emit.vitis.batch import PART, compile_projects, differences
from tests.helpers import random_matvec, tensor


def two_layers(fault: str) -> IntGraph:
    """Two pointwise layers on one pixel."""
    name = f"with_{fault}"
    rng = np.random.default_rng(0)
    x = tensor(6, True, -4)
    first = random_matvec(rng, "first", "codes", Kind.CONV, (1, 1, 8), x, cout=6)
    second = random_matvec(rng, "second", "first", Kind.DENSE, (1, 1, 6), first.y, cout=3)
    return IntGraph(name, "codes", (1, 1, 8), x, InputMap("float32", 0, None), (first, second), {})


def extreme_codes(node: MatVec) -> IntArray:
    """Inputs at which the layer's accumulators take their smallest and largest values."""
    weights = node.weights.reshape(-1, node.out_shape[2])
    high = np.where(weights > 0, node.x.hi, node.x.lo)
    low = np.where(weights > 0, node.x.lo, node.x.hi)
    return np.concatenate([high, low], axis=1).T.reshape((-1, *node.in_shape))


def substitute(path: str, pattern: str, new: Callable[[re.Match[str]], str]):
    """An edit of the first match in a file of the firmware."""

    def edit(root: Path) -> None:
        file = root / "firmware" / path
        text, count = re.subn(pattern, new, file.read_text(), count=1)
        assert count == 1, (path, pattern)
        file.write_text(text)

    return edit


def in_first(pattern: str, new: Callable[[re.Match[str]], str]):
    """An edit inside the configuration of layer `first`."""
    return substitute("parameters.h", rf"(struct first_config \{{[^}}]*?){pattern}", new)


FAULTS = {
    "none": lambda root: None,
    "weight": substitute("weights/first_weights.h", r"(?<=\{)-?[1-9]", lambda m: str(-int(m[0]))),
    "constant": substitute(
        "weights/first_constants.h", r"(?<=\{)-?\d+", lambda m: str(int(m[0]) ^ 256)
    ),
    "channel_shift": substitute(
        "weights/first_shifts.h", r"(?<=\{)\d+", lambda m: str(int(m[0]) + 1)
    ),
    "shift": in_first(r"shift_min = (\d+)", lambda m: f"{m[1]}shift_min = {int(m[2]) - 1}"),
    "surplus": in_first(r"pixels = 1;", lambda m: f"{m[1]}pixels = 2;"),
    "narrow": in_first(r"sint<(\d+)> acc_t", lambda m: f"{m[1]}sint<{int(m[2]) - 1}> acc_t"),
}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[Mode, Path]:
    """All faulty networks, compiled in both arithmetics."""
    folder = tmp_path_factory.mktemp("faults")
    for name, plant in FAULTS.items():
        graph = two_layers(name)
        write_vitis_project(graph, plan(graph, PART, 100), folder / graph.name)
        plant(folder / graph.name)
    names = [two_layers(name).name for name in FAULTS]
    return {mode: compile_projects(names, folder, mode) for mode in Mode}


@pytest.fixture(scope="module")
def codes() -> IntArray:
    """Extreme inputs of the first layer; they do reach the ends of its accumulator."""
    first = two_layers("none").nodes[0]
    assert isinstance(first, MatVec)
    found = extreme_codes(first)
    sums = accumulate(first, found)
    low, high = accumulator_range(first)
    assert (sums.min(), sums.max()) == (low, high)
    narrower = 1 << (accumulator_bits(first) - 2)
    assert low < -narrower or high >= narrower
    return found


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("fault", ["weight", "constant", "channel_shift", "shift"])
def test_a_fault_is_seen_in_its_layer(libraries, codes, fault: str, mode: Mode) -> None:
    found = differences(libraries[mode], mode, two_layers(fault), codes)
    assert found["codes"] == 0
    assert found["first"] > 0


@pytest.mark.parametrize("mode", Mode)
def test_without_a_fault_nothing_differs(libraries, codes, mode: Mode) -> None:
    found = differences(libraries[mode], mode, two_layers("none"), codes)
    assert found == {"codes": 0, "first": 0, "second": 0}


def test_an_accumulator_one_bit_too_narrow_is_seen_in_exact_widths(libraries, codes) -> None:
    graph = two_layers("narrow")
    assert differences(libraries[Mode.BIT_TRUE], Mode.BIT_TRUE, graph, codes)["first"] > 0
    assert differences(libraries[Mode.NATIVE], Mode.NATIVE, graph, codes)["first"] == 0


@pytest.mark.parametrize("mode", Mode)
def test_a_process_that_wants_more_than_there_is_is_seen(libraries, codes, mode: Mode) -> None:
    with pytest.raises(FlowError) as caught:
        differences(libraries[mode], mode, two_layers("surplus"), codes)
    assert str(caught.value) == (
        f"C simulation of 'with_surplus': {len(codes)} of {len(codes)} frames left words in a "
        "stream or lacked some.\n  The firmware was changed; write the project again."
    )
