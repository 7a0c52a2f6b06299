"""The project folder: complete, repeatable, and never in place of something else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import load_vitis_project, write_vitis_project, writer
from flow.errors import ConfigError, DataError, PlanError, UnsupportedLayer
from flow.graph import graph_hash, run
from flow.plan import plan
from tests.emit.conftest import TARGET
from tests.emit.vitis.batch import PART
from tests.emit.vitis.conftest import Written
from tests.helpers import random_codes, small_graph

TEXTS = (".cpp", ".h", ".tcl", ".sh")


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_the_layout_is_that_of_hls4ml(little: Written) -> None:
    found = set(contents(little.project.root))
    assert found >= {
        "firmware/little.cpp", "firmware/little.h", "firmware/defines.h", "firmware/parameters.h",
        "firmware/weights/conv_weights.h", "firmware/shift/shift_arith.h",
        "firmware/ap_types/ap_int.h", "little_test.cpp", "little_bridge.cpp", "build_prj.tcl",
        "build_opt.tcl", "project.tcl", "vivado_synth.tcl", "build_lib.sh", "project.json",
        "tb_data/tb_input_features.dat", "tb_data/tb_output_predictions.dat",
    }  # fmt: skip


def test_generated_files_name_their_origin_and_no_place(little: Written) -> None:
    origin = re.compile(
        rf"shiftflow \S+, graph {graph_hash(little.graph)[:16]}, plan [0-9a-f]{{16}}; generated"
    )
    for name, content in contents(little.project.root).items():
        if "ap_types" in name or not name.endswith(TEXTS):
            continue
        text = content.decode()
        assert str(little.project.root.parent) not in text, name
        copied_as_it_is = "/shift/" in name or name in (
            "build_prj.tcl", "build_opt.tcl", "vivado_synth.tcl",
        )  # fmt: skip
        assert copied_as_it_is or origin.search(text), name


def test_the_same_network_gives_the_same_bytes(little: Written, tmp_path: Path) -> None:
    write_vitis_project(little.graph, little.plan, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(little.project.root)


def test_part_and_clock_reach_the_script(little: Written) -> None:
    script = (little.project.root / "project.tcl").read_text()
    assert 'set part "xc7z020clg400-1"' in script
    assert "set clock_period 10\n" in script
    assert 'set project_name "little"' in script


def test_the_testbench_expects_what_the_reference_computes(little: Written, tmp_path: Path) -> None:
    codes = random_codes(little.graph, 3)
    write_vitis_project(little.graph, little.plan, tmp_path / "p", codes=codes)
    inputs = np.loadtxt(tmp_path / "p" / "tb_data" / "tb_input_features.dat", np.int64)
    outputs = np.loadtxt(tmp_path / "p" / "tb_data" / "tb_output_predictions.dat", np.int64)
    np.testing.assert_array_equal(inputs, codes.reshape(3, -1))
    np.testing.assert_array_equal(outputs, run(little.graph, codes).reshape(3, -1))


def test_writing_again_keeps_what_tools_added(little: Written, copied, tmp_path: Path) -> None:
    report = copied.root / "little_prj" / "report.xml"
    report.parent.mkdir()
    report.write_text("a report")
    assert write_vitis_project(little.graph, little.plan, copied.root) == copied
    assert report.read_text() == "a report"


def test_another_plan_of_the_same_network_replaces_the_project(little: Written, copied) -> None:
    slower = plan(little.graph, PART, 500)
    again = write_vitis_project(little.graph, slower, copied.root)
    assert again.plan_hash != copied.plan_hash
    assert load_vitis_project(copied.root) == again


def test_a_project_of_another_network_is_kept(copied, tmp_path: Path) -> None:
    other = small_graph()
    before = contents(copied.root)
    with pytest.raises(DataError) as caught:
        write_vitis_project(other, plan(other, PART, 400), copied.root)
    assert str(caught.value) == (
        f"{copied.root} holds the project of another network: 'little', graph "
        f"{copied.graph_hash[:16]}, not {other.name!r}, graph {graph_hash(other)[:16]}; nothing in "
        "it was changed.\n  Choose another output folder, or remove this one."
    )
    assert contents(copied.root) == before


def test_a_folder_of_other_files_is_kept(little: Written, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError) as caught:
        write_vitis_project(little.graph, little.plan, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} exists and holds no project of engine 'vitis'; nothing in it was changed.\n"
        "  Choose another output folder, or remove this one."
    )
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_a_failure_half_way_leaves_no_project(
    little: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "write_steps", fail)
    with pytest.raises(OSError, match="disk full"):
        write_vitis_project(little.graph, little.plan, tmp_path / "project")
    assert contents(tmp_path) == {}


def test_a_changed_file_is_found(copied) -> None:
    header = copied.root / "firmware" / "weights" / "conv_weights.h"
    header.write_text(header.read_text().replace("1", "2", 1))
    with pytest.raises(DataError, match=r"conv_weights\.h has sha256 [0-9a-f]{64}, not "):
        load_vitis_project(copied.root)


def test_a_folder_without_manifest_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no Vitis HLS project"):
        load_vitis_project(tmp_path)


def test_a_target_without_part_is_refused(little: Written, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write_vitis_project(little.graph, plan(little.graph, TARGET, 80), tmp_path / "p")
    assert str(caught.value) == (
        "target 'xc7z020' has no part; engine 'vitis' needs AMD's name of the device.\n"
        "  Give it in config.yaml (targets.xc7z020.part, such as xc7z020clg400-1), or choose "
        "another target."
    )
    assert contents(tmp_path) == {}


def test_an_unknown_io_type_is_refused(little: Written, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="io_type 'io_serial' is unknown; choose one of: io_s"):
        write_vitis_project(little.graph, little.plan, tmp_path / "p", "io_serial")


def test_a_plan_of_another_graph_is_refused(little: Written, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="the hardware plan is of another graph"):
        write_vitis_project(small_graph(), little.plan, tmp_path / "p")


@pytest.mark.parametrize("name", ["double", "shift", "main", "input_t"])
def test_names_that_c_plus_plus_keeps_for_itself_are_refused(
    little: Written, tmp_path: Path, name: str
) -> None:
    graph = replace(little.graph, name=name)
    with pytest.raises(ConfigError, match=f"'{name}' cannot name the network"):
        write_vitis_project(graph, plan(graph, PART, 80), tmp_path / "p")


def test_an_operator_that_is_missing_is_named(
    little: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flow.emit.vitis.operators import OPERATORS
    from flow.graph.types import Kind

    monkeypatch.delitem(OPERATORS, Kind.AVERAGE_POOL)
    with pytest.raises(UnsupportedLayer) as caught:
        write_vitis_project(little.graph, little.plan, tmp_path / "p")
    assert str(caught.value) == (
        "layer 'pool' of 'little' is of kind 'average_pool'; engine 'vitis' has conv, depthwise, "
        "dense, max_pool, add, multiply, concat, rescale, table, upsample, "
        "channel_shuffle.\n"
        "  Its integers can be computed: stop before stage plan (--to evaluate)."
    )
    assert contents(tmp_path) == {}
