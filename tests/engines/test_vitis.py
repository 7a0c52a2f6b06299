"""Engine `vitis` through the command line: its stages are real, its network is small."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flow import build, runs, stages
from flow.commands._markdown import escape
from flow.config import ROOT
from flow.orphans import VARIABLE
from flow.simulate import csim_result
from tests.engines import small_run
from tests.engines.small_run import LAYERS, VITIS, small_graph, start
from tests.report.example import ran
from tests.robustness.case import Place, config

WAIT_S = 60
CLIP = ROOT / "models" / "samples" / "wav" / "yes.wav"
NO_LICENCE = "ERROR: [COMMON 17-345] A valid license was not found for feature Synthesis"
NOT_ON_PATH = "neither vitis-run nor vitis_hls on PATH"
WORDS = sum(node.out_shape[0] * node.out_shape[1] * node.out_shape[2] for node in
            small_graph().nodes)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole run of three frames."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _work_in(folder, monkeypatch)
        assert build.main([*VITIS, "--junit", "junit.xml", "--summary", "summary.md"]) == 0
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the command line works."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    _work_in(tmp_path, monkeypatch)
    return tmp_path


def _work_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (runs, "BUILD"), (runs, "REPORTS"), (stages, "_first_steps"), (stages, "git_commit"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.delenv("SHIFTFLOW_DATA", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    small_run.install(folder)
    monkeypatch.chdir(folder)


def run_folder(folder: Path) -> Path:
    return folder / "build" / "kws-vitis"


def report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (folder / "reports" / "kws-vitis" / "report.json").read_text()
    )
    return content


def test_every_word_of_every_layer_is_compared(built: Path) -> None:
    sim = report(built)["sim"]
    assert [(run["program"], run["frames"], run["outputs_compared"]) for run in sim["runs"]] == [
        ("native", 3, 3 * WORDS), ("bit_true", 3, 3 * WORDS), ("testbench", 3, 36),
    ]  # fmt: skip
    assert sim["outputs_compared"] == 6 * WORDS + 36
    assert (sim["engine"], sim["io_type"], sim["mismatches"]) == ("csim", "io_stream", 0)
    assert sim["passed"] and sim["inferences_per_s"] > 0 and sim["compile_s"] > 0
    layers = {layer["name"]: layer for layer in report(built)["layers"]}
    assert tuple(layers) == LAYERS
    assert [layer["words_compared"] for layer in layers.values()] == [
        6 * node.out_shape[0] * node.out_shape[1] * node.out_shape[2]
        for node in small_graph().nodes
    ]


def test_what_c_simulation_does_not_know_is_null_and_said(built: Path) -> None:
    found = report(built)
    assert found["sim"]["ii_cycles"] is found["sim"]["latency_cycles"] is None
    for layer in found["layers"]:
        for key in ("sim_cycles", "starved", "blocked", "utilisation", "synth_lut", "synth_dsp"):
            assert layer[key] is None, key
    assert found["synth"] is found["vitis"] is found["network"]["frames_per_s"] is None
    assert found["accuracy"]["rtl"] is None
    assert found["accuracy"]["csim_samples"] == 3
    assert {"what": "Vitis HLS (synthesis, co-simulation)", "why": NOT_ON_PATH} in found["not_run"]
    assert [stage["name"] for stage in found["stages"]] == [
        "extract", "evaluate", "plan", "emit", "simulate", "synth",
    ]  # fmt: skip


def test_files_for_ci_say_what_was_not_run(built: Path) -> None:
    junit = (built / "junit.xml").read_text()
    assert 'classname="kws-vitis.C simulation equals integer reference" name="conv"' in junit
    assert f'<skipped message="not run: {NOT_ON_PATH}"' in junit
    assert "RTL" not in junit.replace("Verilog", "")
    summary = (built / "summary.md").read_text()
    assert f"| not run | Vitis HLS (synthesis, co-simulation): {escape(NOT_ON_PATH)} |" in summary
    header = "layer | op | w / a bits | PE x SIMD | cycles est. | words compared | mismatches"
    assert f"| {header} |" in summary


def test_second_run_is_cached(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow.gxx.run_limited", None)  # nothing is compiled
    assert build.main(list(VITIS)) == 0
    out = capsys.readouterr().out
    assert out.count(" cached") == 7
    assert f"not run       Vitis HLS (synthesis, co-simulation): {NOT_ON_PATH}" in out


def test_damaged_project_is_written_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = run_folder(folder) / "emit" / "project" / "firmware" / "kws.cpp"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-10])
    assert build.main([*VITIS, "--to", "emit"]) == 0
    assert (
        "note: emit: the stored result is damaged (project/firmware/kws.cpp has changed); "
        "making it again."
    ) in capsys.readouterr().out
    assert damaged.read_bytes() == whole


def test_simulation_leaves_the_emitted_project_as_it_is(built: Path) -> None:
    emitted = run_folder(built) / "emit" / "project"
    assert not [path for path in emitted.rglob("*") if path.suffix in (".so", ".log")]
    assert list((run_folder(built) / "simulate" / "project" / "firmware").glob("*.so"))


def test_io_types_are_runs_of_their_own(folder: Path) -> None:
    assert build.main([*VITIS, "--io-type", "io_parallel", "--to", "emit"]) == 0
    project = folder / "build" / "kws-vitis-io_parallel" / "emit" / "project" / "project.json"
    assert json.loads(project.read_text())["io_type"] == "io_parallel"


def test_a_recording_is_heard_by_the_compiled_network(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow.gxx.run_limited", None)  # nothing is compiled again
    assert build.main([*VITIS, "--wav", str(CLIP)]) == 0
    *_, recording, integer, simulated = capsys.readouterr().out.splitlines()
    assert recording.startswith("recording        yes.wav, 1.00 s")
    word = integer.removeprefix("integer network").split()[0]
    assert simulated == (
        f"C simulation     {word}  ({WORDS} words compared at every layer, 0 mismatches)"
    )
    assert not (run_folder(folder) / ".hear.tmp").exists()


def test_a_vitis_without_licence_fails_the_stage_and_leaves_no_result(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / "bin"
    place.mkdir()
    program = place / "vitis_hls"
    program.write_text(f"#!/bin/sh\necho '{NO_LICENCE}'\nexit 1\n")
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{place}:{os.environ['PATH']}")
        assert build.main(list(VITIS)) == 1
    captured = capsys.readouterr()
    assert captured.out.count(" cached") == 5  # up to simulate
    assert captured.err.startswith(f"error: Vitis HLS on 'kws': {NO_LICENCE}\n")
    assert f"log: {run_folder(folder)}/.synth.tmp/project/" in captured.err
    before = report(folder)
    assert before["not_run"]  # the published report is still the one before
    assert build.main(list(VITIS)) == 0
    assert report(folder)["not_run"] == before["not_run"]


def test_what_the_vendors_tools_say_reaches_report_and_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow.synth.vitis.synthesise", lambda *arguments, **more: ran())
    assert build.main([*VITIS, "--from", "synth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "RTL simulation    Verilog of Vitis HLS, 64 frames, 35,000 outputs compared, 0 mismatches",
        "cycles per frame  8,020 (latency 18,600)",
        "clock             114.3 MHz after Vivado's synthesis, with estimated wires",
        "not run           co-simulation: not asked for",
    ):
        assert line in lines, line
    assert any(line.startswith("resources         LUT 17,000 (31.9 %)") for line in lines)
    found = report(folder)
    assert found["vitis"]["csynth"]["est_clock_ns"] == 7.3
    assert found["accuracy"]["rtl"] == found["accuracy"]["csim"]  # the same frames


def _compiler(folder: Path, script: str) -> Path:
    """A folder with a g++ that does only this; it still tells its version."""
    place = folder / "bin"
    place.mkdir()
    program = place / "g++"
    real = shutil.which("g++")
    program.write_text(f'#!/bin/sh\ncase "$*" in *--version*) exec {real} "$@";; esac\n{script}\n')
    program.chmod(0o755)
    return place


def _no_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))


def _fails_with(text: str) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = _compiler(folder, f"echo '{text}'\nexit 1")
        monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    return prepare


def _does_not_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _compiler(folder, "exec sleep 60")
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")


ERROR = "firmware/kws.cpp:3:7: error: expected a type"
FULL = "cc1plus: fatal error: error writing to /tmp/x.s: No space left on device"


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        pytest.param(
            _no_compiler,
            "tool 'g++' is missing; it is needed for C simulation.\n"
            "  Install it (Debian: apt-get install g++).\n",
            id="missing",
        ),
        pytest.param(
            _fails_with(ERROR),
            f"the C++ of 'kws' does not compile: {ERROR}\n"
            "  g++ failed with exit code 1.\n"
            "  command: {command}\n"
            "  log: {log}\n"
            f"  | {ERROR}\n",
            id="failing",
        ),
        pytest.param(
            _fails_with(FULL),
            f"the C++ of 'kws' does not compile: {FULL}\n"
            "  g++ failed with exit code 1.\n"
            "  command: {command}\n"
            "  log: {log}\n"
            f"  | {FULL}\n",
            id="disk full",
        ),
        pytest.param(
            _does_not_end,
            "g++ on the C++ of 'kws' did not end within 1 s.\n  log: {log}\n",
            id="too slow",
        ),
    ],
)
def test_trouble_with_the_compiler_is_clear_and_leaves_no_result(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Path, pytest.MonkeyPatch], None],
    message: str,
) -> None:
    config(("    timeout_s: 1800", "    timeout_s: 1"))(Place(folder, monkeypatch))
    shutil.rmtree(run_folder(folder) / "simulate")
    prepare(folder, monkeypatch)
    assert build.main([*VITIS, "--config", "config.yaml", "--from", "simulate"]) == 1
    error = capsys.readouterr().err
    log = run_folder(folder) / ".simulate.tmp" / "project" / "g++.log"
    wanted = message.replace("{log}", str(log))
    head, _, tail = wanted.partition("{command}")
    assert error.startswith(f"error: {head}") and error.endswith(tail), error
    assert not (run_folder(folder) / "simulate").exists()


def test_a_full_disk_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(csim_result.Path, "write_bytes", write)
    _quick_simulation(monkeypatch)
    assert build.main([*VITIS, "--from", "simulate"]) == 1
    assert capsys.readouterr().err == (
        f"error: no space is left on the disk of {run_folder(folder)}/.simulate.tmp/sim.json.\n"
        "  Free some space and run the same command again: finished stages are kept.\n"
    )


def _quick_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is simulated does not matter to the test."""
    nothing = csim_result.CsimResult("csim", "io_stream", 1, 1, 0, 0.0, (), ())
    monkeypatch.setattr("flow.simulate.csimulate", lambda *arguments, **more: nothing)


@pytest.fixture
def held(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A build that waits for its compiler, and the compiler's process."""
    mark = folder / "held"
    path = _compiler(folder, f"echo $$ > {mark}.part; mv {mark}.part {mark}; exec sleep 60")
    with start(folder, "--from", "simulate", path=str(path)) as process:
        deadline = time.monotonic() + WAIT_S
        while not mark.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        try:
            yield process, int(mark.read_text())
        finally:
            process.kill()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_interrupted_compiler_ends_and_the_next_run_goes_on(
    folder: Path, held: tuple[subprocess.Popen[str], int]
) -> None:
    process, compiler = held
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=WAIT_S)
    assert (process.returncode, error) == (130, "interrupted; run the same command to resume.\n")
    assert not alive(compiler)
    _check_rerun(folder)


@pytest.mark.slow
def test_killed_build_leaves_a_compiler_that_the_next_run_ends(
    folder: Path, held: tuple[subprocess.Popen[str], int]
) -> None:
    process, compiler = held
    shutil.rmtree(run_folder(folder) / "simulate")  # nothing to fall back on
    process.kill()
    process.wait(WAIT_S)
    assert alive(compiler)
    assert VARIABLE.encode() in Path(f"/proc/{compiler}/environ").read_bytes()
    assert (run_folder(folder) / ".simulate.tmp").is_dir()
    _check_rerun(folder)
    assert not alive(compiler)


def test_two_at_once_are_told_apart(
    folder: Path, held: tuple[subprocess.Popen[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    process, _ = held
    assert build.main(list(VITIS)) == 1
    assert capsys.readouterr().err == (
        f"error: another run (process {process.pid}) is working in {run_folder(folder)}.\n"
        f"  Wait until it ends, or stop it with: kill {process.pid}\n"
    )


def _check_rerun(folder: Path) -> None:
    """A plain rerun ends right and takes no part of the killed build's result."""
    assert build.main(list(VITIS)) == 0
    assert not list(run_folder(folder).glob(".*.tmp"))
    assert report(folder)["sim"]["passed"]
