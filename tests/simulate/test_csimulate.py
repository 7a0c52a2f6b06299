"""C simulation against the reference: what is compared, and that each fault turns its layer red."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import VitisProject, load_vitis_project, write_vitis_project
from flow.errors import DataError, Mismatch
from flow.graph import InputMap, IntGraph, Kind, run_taps
from flow.graph.types import IntArray, MatVec
from flow.plan import plan
from flow.simulate import c_answer, csimulate, load_csim, save_csim
from flow.simulate.csimulate import BIT_TRUE_FRAMES
from tests.emit.vitis.batch import PART
from tests.emit.vitis.test_faults import extreme_codes
from tests.helpers import random_codes, random_matvec, tensor

pytestmark = pytest.mark.sim
FRAMES = 20  # more than a batch


@pytest.fixture(scope="module")
def graph() -> IntGraph:
    """Two pointwise layers on one pixel."""
    rng = np.random.default_rng(0)
    x = tensor(6, True, -4)
    first = random_matvec(rng, "first", "codes", Kind.CONV, (1, 1, 8), x, cout=6)
    second = random_matvec(rng, "second", "first", Kind.DENSE, (1, 1, 6), first.y, cout=3)
    nodes = (first, second)
    return IntGraph("two", "codes", (1, 1, 8), x, InputMap("float32", 0, None), nodes, {})


@pytest.fixture(scope="module")
def codes(graph: IntGraph) -> IntArray:
    return random_codes(graph, FRAMES, 4)


@pytest.fixture(scope="module")
def written(graph: IntGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two") / "project"
    write_vitis_project(graph, plan(graph, PART, 100), folder)
    return folder


@pytest.fixture
def project(written: Path, tmp_path: Path) -> VitisProject:
    shutil.copytree(written, tmp_path / "project")
    return load_vitis_project(tmp_path / "project")


def change(
    project: VitisProject, file: str, pattern: str, new: str | Callable[[re.Match[str]], str]
) -> None:
    """Plant a fault in the firmware."""
    path = project.root / "firmware" / file
    text, count = re.subn(pattern, new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


@pytest.mark.slow
def test_every_layer_is_compared_in_both_arithmetics_and_the_output_by_the_testbench(
    graph: IntGraph, codes: IntArray, project: VitisProject, tmp_path: Path
) -> None:
    found = csimulate(project, graph, codes, timeout_s=100)
    assert [(run.name, run.frames, run.outputs_compared) for run in found.runs] == [
        ("native", 20, 20 * 9), ("bit_true", 8, 8 * 9), ("testbench", 8, 8 * 3),
    ]  # fmt: skip
    assert found.outputs_compared == 28 * 9 + 8 * 3
    assert [(layer.name, layer.words_compared) for layer in found.layers] == [
        ("first", 28 * 6), ("second", 28 * 3),
    ]  # fmt: skip
    save_csim(found, tmp_path / "sim.json")
    assert load_csim(tmp_path / "sim.json") == found
    heard = c_answer(project, graph, codes[:1], 100)
    expected = run_taps(graph, codes[:1])["second"]
    assert (heard.simulated == expected).all() and (heard.integer == expected).all()
    assert (heard.words_compared, heard.latency_cycles) == (9, None)


def test_a_wrong_weight_turns_its_layer_red(
    graph: IntGraph, codes: IntArray, project: VitisProject
) -> None:
    change(project, "weights/first_weights.h", r"(?<=\{)-?[1-9]", "0")
    with pytest.raises(Mismatch) as caught:
        csimulate(project, graph, codes, timeout_s=100)
    first, second = str(caught.value).splitlines()
    assert re.fullmatch(
        r"layer 'first': \d+ of 120 values differ; first at \(\d+, 0, 0, \d\): expected \d+, got "
        r"\d+\.",
        first,
    )
    assert second.startswith("  index: (frame, y, x, channel); C simulation in native arithmetic: ")
    assert caught.value.different > 0


@pytest.mark.slow
def test_a_width_one_bit_too_small_is_seen_in_exact_arithmetic_alone(
    graph: IntGraph, project: VitisProject
) -> None:
    change(
        project,
        "parameters.h",
        r"(?<=sint<)(\d+)(?=> acc_t)",
        lambda width: str(int(width[0]) - 1),
    )
    (first, _), few = graph.nodes, BIT_TRUE_FRAMES
    assert isinstance(first, MatVec)
    codes = extreme_codes(first)
    with pytest.raises(Mismatch, match=rf"'first': \d+ of {6 * few} values .*\n.*bit_true"):
        csimulate(project, graph, codes, timeout_s=100)


def test_a_result_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sim.json").write_text('{"engine": "csim"')
    with pytest.raises(DataError, match="Rerun the simulate stage"):
        load_csim(tmp_path / "sim.json")
