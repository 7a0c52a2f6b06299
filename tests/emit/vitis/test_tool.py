"""Vitis HLS through stand-in executables; no test needs the tool itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.emit.vitis.tool import Steps, find_vitis, run_vitis, run_vivado, verilog_folder
from flow.errors import FlowError, ToolFailed, ToolMissing


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put an executable of this name and script on PATH, before all others."""

    def make(name: str, script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return path

    return make


def test_a_missing_tool_is_named(copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolMissing) as caught:
        run_vitis(copied, Steps(synth=True))
    assert str(caught.value) == (
        "tool 'Vitis HLS' is missing; it is needed for synthesis, co-simulation and export of a "
        "Vitis project.\n  Install it and put vitis-run (or vitis_hls) on PATH; C simulation "
        "(csim) needs only g++."
    )


def test_the_newer_command_is_preferred(stand_in) -> None:
    old = stand_in("vitis_hls", "")
    assert find_vitis() == (str(old), "-f", "build_prj.tcl")
    new = stand_in("vitis-run", "")
    assert find_vitis() == (str(new), "--mode", "hls", "--tcl", "build_prj.tcl")


def test_the_steps_reach_the_script(copied, stand_in) -> None:
    stand_in("vitis-run", "cat build_opt.tcl; ls")
    log = run_vitis(copied, Steps(reset=True, csim=True, synth=True, cosim=True))
    text = log.read_text()
    assert text.startswith(
        "array set opt {\n    reset      1\n    csim       0\n    synth      1\n"
        "    cosim      1\n    validation 0\n    export     0\n    vsynth     0\n}\n"
    )
    assert "build_prj.tcl" in text


def test_a_failing_step_is_reported_with_the_log(copied, stand_in) -> None:
    stand_in("vitis-run", "echo 'ERROR: [HLS 200-70] Pre-synthesis failed.'; exit 3")
    with pytest.raises(ToolFailed) as caught:
        run_vitis(copied, Steps(synth=True))
    assert str(caught.value).startswith(
        "Vitis HLS on 'little': ERROR: [HLS 200-70] Pre-synthesis failed.\n"
        "  vitis-run failed with exit code 3.\n"
    )
    assert caught.value.log == copied.root / "vitis_hls.log"


def test_a_tool_that_does_not_end_is_stopped(copied, stand_in) -> None:
    stand_in("vitis-run", '[ "$1" = --version ] || sleep 60')
    with pytest.raises(FlowError, match=r"did not end within 0\.3 s"):
        run_vitis(copied, Steps(synth=True), timeout_s=0.3)


def test_a_missing_vivado_is_named_before_vitis_runs(copied, stand_in) -> None:
    stand_in("vitis-run", '[ "$1" = --version ] || touch started')
    with pytest.raises(ToolMissing) as caught:
        run_vitis(copied, Steps(synth=True, vsynth=True))
    assert str(caught.value) == (
        "tool 'Vivado' is missing; it is needed for logic synthesis of Vitis' Verilog (vsynth).\n"
        "  Install it and put vivado on PATH, or leave vsynth out."
    )
    assert not (copied.root / "started").exists()


def test_vivado_needs_verilog(copied, stand_in) -> None:
    stand_in("vivado", "")
    with pytest.raises(FlowError, match="syn/verilog is missing: Vivado has nothing to synthesise"):
        run_vivado(copied)


def test_vivado_runs_the_projects_script(copied, stand_in) -> None:
    stand_in("vivado", 'echo "$@"')
    verilog_folder(copied).mkdir(parents=True)
    log = run_vivado(copied)
    assert log.read_text() == ("-mode batch -nojournal -log vivado.log -source vivado_synth.tcl\n")


def test_a_release_that_is_too_old_is_refused(copied, stand_in) -> None:
    stand_in("vitis_hls", "echo 'Vitis HLS - High-Level Synthesis v2020.1 (64-bit)'")
    with pytest.raises(ToolMissing) as caught:
        run_vitis(copied, Steps(synth=True))
    assert str(caught.value) == (
        "tool 'Vitis HLS 2020.2 or later' is missing; it is needed for synthesis of a Vitis "
        "project.\n  vitis_hls on PATH is version 2020.1, older than 2020.2: put a newer one "
        "before it."
    )


def test_a_new_synthesis_removes_what_was_made_of_the_old_one(copied, stand_in) -> None:
    solution = copied.root / "little_prj" / "solution1"
    old = [solution / "syn/report/little_csynth.xml", solution / "sim/report/little_cosim.rpt",
           copied.root / "vivado_synth.rpt", copied.root / "vivado_timing.rpt",
           copied.root / "tb_data/rtl_cosim_results.log"]  # fmt: skip
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    stand_in("vitis-run", "")
    run_vitis(copied, Steps(cosim=True))
    assert [path.exists() for path in old] == [True, False, True, True, False]
    run_vitis(copied, Steps(synth=True))
    assert not any(path.exists() for path in old)


DIED = '/opt/rdiArgs.sh: line 280:  2555 {}                  "$RDI_PROG" "$@"'
MEMORY = "  Too little memory is the usual cause: give it more, or ask for fewer multipliers.\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (f"echo '{DIED.format('Killed')}'",
         f"its process died: Killed.\n{MEMORY}  vitis-run did not say so in its exit code, but "
         "failed with exit code 0."),
        (f"echo '{DIED.format('Segmentation fault (core dumped)')}'; exit 139",
         "its process died: Segmentation fault.\n  vitis-run failed with exit code 139."),
        ("exit 134", "ended by signal 6 (SIGABRT).\n  vitis-run failed with exit code 134."),
        ("kill -9 $$", f"ended by signal 9 (SIGKILL).\n{MEMORY}  vitis-run failed with exit code "
         "-9."),
        ("exit 2", None),
    ],
)  # fmt: skip
def test_a_tool_that_dies_is_an_error(copied, stand_in, script: str, message: str | None) -> None:
    stand_in("vitis-run", f'[ "$1" = --version ] && exit 0\n{script}')
    with pytest.raises(ToolFailed) as caught:
        run_vitis(copied, Steps(synth=True))
    expected = f": {message}" if message else "\n  vitis-run failed with exit code 2."
    assert str(caught.value).startswith(f"Vitis HLS on 'little'{expected}\n")
