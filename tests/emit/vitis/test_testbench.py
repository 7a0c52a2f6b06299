"""The project's own testbench passes, and is able to fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flow.emit.vitis import TestbenchResult, load_vitis_project, run_testbench
from flow.errors import Mismatch, ToolFailed
from tests.emit.vitis.conftest import Written

pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def compiled(little: Written, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small project whose testbench has been compiled and has passed."""
    folder = tmp_path_factory.mktemp("compiled") / "project"
    shutil.copytree(little.project.root, folder)
    assert run_testbench(load_vitis_project(folder)) == TestbenchResult(4, 16)
    assert len((folder / "tb_data" / "csim_results.log").read_text().splitlines()) == 4
    return folder


@pytest.fixture
def bench(compiled: Path, tmp_path: Path):
    shutil.copytree(compiled, tmp_path / "project")
    return load_vitis_project(tmp_path / "project")


def data(bench, name: str) -> Path:
    return bench.root / "tb_data" / name


def test_it_passes(bench) -> None:
    assert run_testbench(bench) == TestbenchResult(frames=4, codes_compared=16)


def test_a_wrong_expected_code_is_red(bench) -> None:
    path = data(bench, "tb_output_predictions.dat")
    lines = path.read_text().splitlines()
    codes = lines[2].split()
    right, codes[1] = int(codes[1]), str(int(codes[1]) + 1)
    lines[2] = " ".join(codes)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(Mismatch) as caught:
        run_testbench(bench)
    assert str(caught.value) == (
        f"layer 'pool': 1 of 16 values differ; first at (2, 1): expected {right + 1}, got {right}."
        f"\n  log: {bench.root / 'csim.log'}"
    )


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("tb_output_predictions.dat", lambda text: text[: text.rindex("\n", 0, -1) + 1],
         "frame 3 of tb_data is not complete"),
        ("tb_input_features.dat", lambda text: text[: text.rindex("\n", 0, -1) + 1],
         "tb_data has more outputs than inputs"),
        ("tb_input_features.dat", lambda text: "x" + text, "frame 0 of tb_data is not complete"),
        ("tb_output_predictions.dat", lambda text: "7 " + text, "frame 0 of tb_data is not"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_red(bench, file: str, edit, message: str) -> None:
    path = data(bench, file)
    path.write_text(edit(path.read_text()))
    with pytest.raises(ToolFailed, match=message):
        run_testbench(bench)


def test_no_frames_are_red(bench) -> None:
    for name in ("tb_input_features.dat", "tb_output_predictions.dat"):
        data(bench, name).write_text("")
    with pytest.raises(ToolFailed, match="0 frames, 0 codes compared"):
        run_testbench(bench)


def test_data_that_are_missing_are_red(bench) -> None:
    data(bench, "tb_input_features.dat").unlink()
    with pytest.raises(ToolFailed, match="tb_data cannot be read"):
        run_testbench(bench)
