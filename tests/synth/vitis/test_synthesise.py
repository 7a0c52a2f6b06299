"""Vitis HLS and Vivado through stand-ins that behave as the tools do; no test needs the tools."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from flow.emit.vitis import VitisProject, write_vitis_project
from flow.emit.vitis.tool import reports_folder, verilog_folder
from flow.errors import DataError, FlowError, ToolFailed
from flow.simulate.result import SimRun
from flow.synth.vitis import (
    NotRun,
    RtlCheck,
    VitisSynth,
    installed_tools,
    load_vitis_synth,
    save_vitis_synth,
    synthesise,
)
from tests.synth.vitis.conftest import OTHER_PROGRAMS, Little, Tools
from tests.synth.vitis.stand_in import LICENCE

CHECK = RtlCheck(6, 24, 0, 72, 300, (SimRun("none", 1, 6, 24, 0, 500, 0.1),))


@pytest.fixture
def unsimulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the bench out: test_rtl.py and the test of the whole path run it."""
    module = sys.modules["flow.synth.vitis.synthesise"]  # the package's name is the function
    monkeypatch.setattr(module, "check_rtl", lambda *a, **k: CHECK)


def run(little: Little, folder: Path, timeout_s: float = 60, cosim: bool = False) -> VitisSynth:
    return synthesise(
        little.project, little.plan, folder, timeout_s=timeout_s, graph=little.graph,
        codes=little.codes, cosim=cosim,
    )  # fmt: skip


def test_without_vitis_nothing_is_run_and_the_result_says_why(
    little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", OTHER_PROGRAMS)
    result = run(little, tmp_path / "synth")
    why = "neither vitis-run nor vitis_hls on PATH"
    assert (result.ran, result.reason, result.csynth, result.vivado) == (False, why, None, None)
    assert result.not_run[0] == NotRun("Vitis HLS (synthesis, co-simulation)", why)
    assert not (tmp_path / "synth").exists()
    assert installed_tools() == ()


def test_the_steps_that_are_asked_for_reach_the_tool(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    result = run(little, tmp_path)
    assert (
        "    synth      1\n    cosim      0\n" in (tmp_path / "project/build_opt.tcl").read_text()
    )
    assert result.cosim is None
    assert NotRun("Vitis HLS (co-simulation)", "not asked for") in result.not_run


def test_progress_tells_what_begins(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    told: list[tuple[str, float]] = []
    synthesise(
        little.project, little.plan, tmp_path, timeout_s=60, graph=little.graph,
        codes=little.codes, progress=lambda text, share: told.append((text, share)),
    )  # fmt: skip
    assert [text for text, _ in told] == ["Vitis HLS", "simulation of Vitis HLS' Verilog", "Vivado"]
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_a_missing_vivado_leaves_its_part_out(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    result = run(little, tmp_path)
    assert (result.vivado, result.timing, result.vivado_version) == (None, None, None)
    assert NotRun("Vivado (logic synthesis)", "vivado not on PATH") in result.not_run
    assert result.csynth is not None and result.rtl == CHECK


def test_arrays_at_the_ports_have_no_bench(little: Little, tools: Tools, tmp_path: Path) -> None:
    tools.add("vitis-run")
    project = write_vitis_project(little.graph, little.plan, tmp_path / "parallel", "io_parallel")
    result = run(little._replace(project=project), tmp_path / "synth")
    why = "the bench drives streams, and io_parallel has none"
    assert result.rtl is None and NotRun("simulation of Vitis HLS' Verilog", why) in result.not_run


FAILURES = {
    "licence": (
        f"Vitis HLS on 'little': {LICENCE}\n"
        "  Set XILINXD_LICENSE_FILE to a licence that covers this device.\n"
        "  vitis-run failed with exit code 1.\n"
    ),
    "licence_exit_0": (
        f"Vitis HLS on 'little': {LICENCE}\n"
        "  Set XILINXD_LICENSE_FILE to a licence that covers this device.\n"
        "  vitis-run did not say so in its exit code, but failed with exit code 0.\n"
    ),
    "part": (
        "Vitis HLS on 'little': ERROR: [HLS 200-1023] Part 'xc7z020clg400-1' is not installed.\n"
        "  Add the device of 'xc7z020clg400-1' to the installation (AMD's installer, 'Add Design "
        "Tools or Devices'), or choose another target.\n"
        "  vitis-run failed with exit code 1.\n"
    ),
    "crash": (
        "Vitis HLS on 'little': its process died: Killed.\n"
        "  Too little memory is the usual cause: give it more, or ask for fewer multipliers.\n"
        "  vitis-run failed with exit code 137.\n"
    ),
}


@pytest.mark.parametrize("behaviour", FAILURES)
def test_a_failing_vitis_is_an_error(
    little: Little, tools: Tools, tmp_path: Path, behaviour: str
) -> None:
    tools.add("vitis-run", behaviour)
    with pytest.raises(ToolFailed) as caught:
        run(little, tmp_path / "synth")
    message = str(caught.value)
    assert message.startswith(FAILURES[behaviour])
    assert f"\n  log: {tmp_path}/synth/project/vitis_hls.log\n" in message
    assert not (tmp_path / "synth/project/little_prj/solution1/syn").exists()


@pytest.mark.parametrize("behaviour", ["crash", "no_reports"])
def test_reports_of_an_earlier_run_are_not_read(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None, behaviour: str
) -> None:
    tools.add("vitis-run")
    tools.add("vivado")
    run(little, tmp_path)
    tools.add("vitis-run", behaviour)
    with pytest.raises(FlowError):
        run(little, tmp_path)
    assert not (tmp_path / "project/vivado_synth.rpt").exists()


def test_a_tool_that_says_nothing_and_leaves_nothing_is_an_error(
    little: Little, tools: Tools, tmp_path: Path
) -> None:
    tools.add("vitis-run", "no_reports")
    with pytest.raises(DataError, match=r"little_csynth\.xml is missing, although the step"):
        run(little, tmp_path)


def test_what_tools_left_in_the_project_is_not_taken_along(
    project: VitisProject, little: Little, tools: Tools, tmp_path: Path
) -> None:
    reports_folder(project).mkdir(parents=True)
    (reports_folder(project) / "little_csynth.xml").write_text("<profile/>")
    (project.root / "little_prj" / "stale.app").write_text("of an earlier run")
    tools.add("vitis-run", "no_reports")
    with pytest.raises(DataError, match="is missing, although"):
        run(little._replace(project=project), tmp_path / "synth")
    assert not (tmp_path / "synth/project/little_prj/stale.app").exists()


def test_a_changed_project_is_refused_before_the_tool_runs(
    project: VitisProject, little: Little, tools: Tools, tmp_path: Path
) -> None:
    tools.add("vitis-run")
    (project.root / "firmware/defines.h").write_text("changed")
    with pytest.raises(DataError, match=r"defines\.h has sha256"):
        run(little._replace(project=project), tmp_path / "synth")
    assert not (tmp_path / "synth").exists()


def test_at_the_limit_the_tool_dies_with_its_children(
    little: Little, tools: Tools, tmp_path: Path
) -> None:
    tools.add("vitis-run", "hang")
    with pytest.raises(FlowError) as caught:
        run(little, tmp_path, timeout_s=2)
    log = tmp_path / "project/vitis_hls.log"
    assert str(caught.value) == (f"Vitis HLS on 'little' did not end within 2 s.\n  log: {log}")
    child = int((tmp_path / "project/child.pid").read_text())
    with pytest.raises(ProcessLookupError):
        _wait_for_end(child)


def _wait_for_end(child: int) -> None:
    """Signals go to zombies too: wait until init has collected it."""
    for _ in range(50):
        os.kill(child, 0)
        if _state(child) == "Z":
            raise ProcessLookupError
        time.sleep(0.1)


def _state(child: int) -> str:
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_failing_vivado_is_an_error_and_vitis_reports_stay(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    tools.add("vivado", "fail")
    with pytest.raises(ToolFailed) as caught:
        run(little, tmp_path)
    assert str(caught.value).startswith(
        "Vivado on 'little': ERROR: [Synth 8-439] module 'little_fifo' not found\n"
        "  vivado failed with exit code 1.\n"
    )
    assert (tmp_path / "project/little_prj/solution1/syn/report/little_csynth.xml").is_file()


def test_a_vivado_that_dies_between_its_reports_is_an_error(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    tools.add("vivado", "crash")
    with pytest.raises(ToolFailed, match=r"Vivado on 'little': its process died: Killed\."):
        run(little, tmp_path)
    assert not list((tmp_path / "project").glob("vivado_*.rpt"))


def test_the_newer_program_is_run_whatever_the_older_one_is(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis_hls", "licence", release="2019.2")
    tools.add("vitis-run")
    assert installed_tools() == ("vitis-run 2024.1",)
    result = run(little, tmp_path)
    assert (result.tool, result.version) == ("vitis-run", "2024.1")


def test_a_release_that_is_too_old_is_not_run(little: Little, tools: Tools, tmp_path: Path) -> None:
    tools.add("vitis_hls", release="2019.2")
    result = run(little, tmp_path / "synth")
    assert (result.ran, result.csynth) == (False, None)
    assert result.reason == "vitis_hls on PATH is version 2019.2, older than 2020.2"


def test_vitis_hls_is_run_where_it_is_new_enough(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis_hls", release="2022.2")
    tools.add("vivado", release="2022.2")
    assert run(little, tmp_path).tool == "vitis_hls"
    assert installed_tools() == ("vitis_hls 2022.2", "vivado 2022.2")


def test_a_damaged_result_is_not_read(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    result = run(little, tmp_path / "synth")
    path = tmp_path / "vitis.json"
    save_vitis_synth(result, path)
    whole = path.read_text()
    for damaged in (whole[:-20], whole.replace('"ran": true', '"ran": false'), "[]"):
        path.write_text(damaged)
        with pytest.raises(DataError, match="cannot read the Vitis result"):
            load_vitis_synth(path)
    path.unlink()
    with pytest.raises(DataError, match="cannot read the Vitis result"):
        load_vitis_synth(path)
    with pytest.raises(ValueError, match="csynth belongs to a run"):
        replace(result, csynth=None)


def test_verilog_is_not_left_from_an_earlier_run(
    little: Little, tools: Tools, tmp_path: Path, unsimulated: None
) -> None:
    tools.add("vitis-run")
    run(little, tmp_path)
    stale = verilog_folder(replace(little.project, root=tmp_path / "project")) / "stale.v"
    shutil.copyfile(stale.with_name("little.v"), stale)
    run(little, tmp_path)
    assert not stale.exists()
