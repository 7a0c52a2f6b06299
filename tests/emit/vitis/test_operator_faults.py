"""A fault planted in the C++ of every operator: C simulation shows it in that layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import Mode, write_vitis_project
from flow.errors import FlowError
from flow.graph import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Rounding,
    Table,
    TensorType,
    Upsample,
    Window,
)
from flow.graph.types import Shape
from flow.plan import plan
from tests.emit.vitis.around import around, codes_of
from tests.emit.vitis.batch import PART, compile_projects, differences
from tests.helpers import tensor

EVEN = Rounding.HALF_EVEN
X = tensor(4, True, 0, zero_point=1)
Y = tensor(7, True, 2)
MAP: Shape = (3, 4, 2)
SAME = Window(3, 3, 1, 1, 1, 1)


def conv() -> MatVec:
    """Two groups of three channels, with ties in every channel."""
    rng = np.random.default_rng(1)
    zeros = np.zeros(4, np.int64)
    return MatVec(
        "node", "x0", Kind.CONV, (3, 4, 6), (3, 4, 4), SAME, rng.integers(-3, 4, (3, 3, 3, 4)), 3,
        zeros, zeros, 2, zeros, X, Y, EVEN, groups=2,
    )  # fmt: skip


def scaled() -> MatVec:
    """Factors that are no powers of two."""
    return replace(
        conv(), weight_mult=np.array([3, 5, 20001, 7]), weight_exp=np.array([-1, -2, -15, -2])
    )


def average() -> AveragePool:
    return AveragePool("node", "x0", MAP, MAP, SAME, X, tensor(6, True, -1), rounding=EVEN)


def largest() -> MaxPool:
    return MaxPool("node", "x0", MAP, MAP, SAME, X)


def add() -> Add:
    other = replace(X, scale_exp=1)
    return Add("node", ("x0", "x1", "x2"), (MAP,) * 3, (X, other, X), Y, EVEN)


def gate() -> Multiply:
    return Multiply("node", ("x0", "x1"), (MAP, (1, 1, 2)), (X, X), Y, EVEN)


def product() -> Multiply:
    return Multiply("node", ("x0", "x1"), (MAP, MAP), (X, X), Y)


def concat() -> Concat:
    return Concat("node", ("x0", "x1"), (MAP, (3, 4, 4)), (X, Y), replace(Y, scale_exp=1), EVEN)


def rescale() -> Rescale:
    return Rescale("node", "x0", MAP, X, tensor(4, True, 1), EVEN)


def table() -> Table:
    entries = tuple(int(v) for v in np.random.default_rng(2).permutation(15) - 7)
    return Table("node", "x0", MAP, X, tensor(4, True, 0), entries, "random")


def upsample() -> Upsample:
    return Upsample("node", "x0", MAP, 2, 3, TensorType(9, False, 0, 0, 0, 511))


def shuffle() -> ChannelShuffle:
    return ChannelShuffle("node", "x0", (3, 4, 6), 2, X)


def wires() -> ChannelShuffle:
    """The same, planned for whole pixels."""
    return shuffle()


def changed(file: str, pattern: str, new: str | Callable[[re.Match[str]], str]):
    """An edit of the first match in a file of the firmware."""

    def edit(root: Path) -> None:
        path = root / "firmware" / file.replace("NET", root.name)
        text, count = re.subn(pattern, new, path.read_text(), count=1, flags=re.DOTALL)
        assert count == 1, (file, pattern)
        path.write_text(text)

    return edit


def constant(struct: str, field: str, change: Callable[[int], int]):
    """A constant of a configuration changed."""
    return changed(
        "parameters.h", rf"(struct {struct} [^}}]*? {field} = )(-?\d+)",
        lambda m: f"{m[1]}{change(int(m[2]))}",
    )  # fmt: skip


def narrower(struct: str, role: str):
    """A type one bit too narrow."""
    return changed(
        "parameters.h", rf"(struct {struct} [^}}]*?<)(\d+)(> {role};)",
        lambda m: f"{m[1]}{int(m[2]) - 1}{m[3]}",
    )  # fmt: skip


def entry(name: str, change: Callable[[int], int], index: int = 0):
    """An entry of a table changed."""
    return changed(
        f"weights/node_{name}.h", rf"(= \{{\s*\{{?(?:-?\d+, ){{{index}}})(-?\d+)",
        lambda m: f"{m[1]}{change(int(m[2]))}",
    )  # fmt: skip


FAULTS: dict[str, tuple[Callable[[], Node], Callable[[Path], None]]] = {
    "tie": (conv, entry("ties", lambda v: 1 - v)),
    "rounding": (conv, changed("parameters.h", "half_even = true", "half_even = false")),
    "group": (conv, changed("parameters.h", r"outer_folds = 2;(.*)inner_folds = 3;",
                            r"outer_folds = 3;\1inner_folds = 2;")),
    "factor": (scaled, entry("mults", lambda v: v + 1)),
    "division": (average, entry("divisions", lambda v: v // 2, 1)),
    "pool_rounding": (average, changed("parameters.h", "half_even = true", "half_even = false")),
    "class": (average, entry("cols", lambda v: 1 - v)),
    "padding": (largest, constant("node_window", "pad_value", lambda v: 7)),
    "shift": (add, changed("NET.cpp", r"plus<node_config, 0, 1>", "plus<node_config, 1, 0>")),
    "sum": (add, constant("node_config", "constant", lambda v: v + 1)),
    "zero": (gate, constant("node_config", "zero_point1", lambda v: v + 1)),
    "map": (product, constant("node_config", "zero_point0", lambda v: v - 1)),
    "part": (concat, constant("node_config1", "constant", lambda v: v + 2)),
    "turn": (concat, changed("NET.cpp", r"(shift::join<12, )2, 4>", r"\g<1>4, 2>")),
    "offset": (rescale, constant("node_config", "zero_point", lambda v: v + 1)),
    "entry": (table, constant("node_config", "x_lo", lambda v: v - 1)),
    "copies": (upsample, changed("parameters.h", r" rows = 2;(\s+static const int) cols = 3;",
                                 r" rows = 3;\1 cols = 2;")),
    "picked": (shuffle, entry("words", lambda v: v + 1)),
    "order": (wires, constant("node_config", "groups", lambda v: v + 1)),
}  # fmt: skip
II_CYCLES = {wires: 12}  # of others: slow, with one lane
SURPLUS = {"turn"}  # more is asked of one stream than it has, which is an error of its own
NARROW: dict[str, tuple[Callable[[], Node], Callable[[Path], None]]] = {
    "factor": (scaled, narrower("node_config", "mult_t")),
    "sum": (add, narrower("node_config", "acc_t")),
    "centred": (product, narrower("node_config", "centred1_t")),
    "dividend": (average, narrower("node_config", "numerator_t")),
}


def library(faults: dict, prefix: str, mode: Mode, folder: Path) -> Path:
    for name, (node, plant) in faults.items():
        graph = around(node(), f"{prefix}_{name}")
        hw_plan = plan(graph, PART, II_CYCLES.get(node, 100_000), engine="vitis")
        write_vitis_project(graph, hw_plan, folder / graph.name)
        plant(folder / graph.name)
    return compile_projects([f"{prefix}_{name}" for name in faults], folder, mode)


def different(path: Path, mode: Mode, node: Node, name: str) -> dict[str, int]:
    return differences(path, mode, around(node, name), codes_of(node, 0, frames=40))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = (conv, scaled, average, largest, add, gate, product, concat, rescale, table, upsample,
             shuffle, wires)  # fmt: skip
    faults = {node.__name__: (node, lambda root: None) for node in nodes}
    return library(faults, "sound", Mode.NATIVE, tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(FAULTS, "bad", Mode.NATIVE, tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(NARROW, "narrow", Mode.BIT_TRUE, tmp_path_factory.mktemp("narrow"))


def test_the_faults_reach_every_kind() -> None:
    kinds = {node().kind for node, _ in FAULTS.values()}
    assert kinds == set(Kind) - {Kind.DENSE, Kind.DEPTHWISE}  # test_faults.py has a dense layer


@pytest.mark.parametrize(
    "build", dict.fromkeys(node for node, _ in FAULTS.values()), ids=lambda build: build.__name__
)
def test_without_a_fault_nothing_differs(sound: Path, build: Callable[[], Node]) -> None:
    found = different(sound, Mode.NATIVE, build(), f"sound_{build.__name__}")
    assert not any(found.values()), found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen_in_its_layer(faulty: Path, fault: str) -> None:
    node = FAULTS[fault][0]()
    if fault in SURPLUS:
        with pytest.raises(FlowError, match="left words in a stream or lacked some"):
            different(faulty, Mode.NATIVE, node, f"bad_{fault}")
        return
    found = different(faulty, Mode.NATIVE, node, f"bad_{fault}")
    assert [name for name, count in found.items() if count] == ["node"]


@pytest.mark.parametrize("fault", NARROW)
def test_a_type_one_bit_too_narrow_is_seen_in_exact_widths(narrow: Path, fault: str) -> None:
    found = different(narrow, Mode.BIT_TRUE, NARROW[fault][0](), f"narrow_{fault}")
    assert [name for name, count in found.items() if count] == ["node"]
