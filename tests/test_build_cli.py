"""The command line: options, exit codes, progress, interruption and resuming."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flow import build, runs, stages
from flow.config import ROOT
from flow.processes import descendants
from tests import fake_run
from tests.only_kws import only_kws

WAIT_S = 20
NO_COMMAND = (
    "'{}' is no command; choose one of: doctor, fetch, analyse, accuracy, compare, clean.\n"
    "  To build, say for example: python flow/build.py --model kws"
)


@pytest.fixture
def folder(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The command line, in this process, works here with stand-ins for the stages."""
    only_kws(tmp_path_factory.mktemp("weights"), monkeypatch)
    for module, name in ((runs, "BUILD"), (runs, "REPORTS"), (stages, "stages_of")):
        monkeypatch.setattr(module, name, getattr(module, name))
    fake_run.install(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def calls(folder: Path) -> list[str]:
    """The stages that ran since the last question."""
    path = folder / "calls"
    made = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return made


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fake_run", str(folder), "--model", "kws", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + WAIT_S
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.02)
    return path.read_text()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "no model is given.\n  Say for example: python flow/build.py --model kws"),
        (
            "--model kwz",
            "model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet.",
        ),
        (
            "--model vww_mbv2",
            "model 'vww_mbv2' has no trained weights: no file is "
            "models/weights/vww_mbv2-<quant>.h5.\n"
            "  models/train.py makes them (models/README.md); or choose one of: kws.",
        ),
        (
            "--model kws --quant int8",
            "quant 'int8' is unknown; choose one of: mpq.",
        ),
        ("--model kws --engine hls", "engine 'hls' is unknown; choose one of: xls, vitis."),
        (
            "--model kws --target z7",
            "target 'z7' is unknown; choose one of: xc7z020, lfe5u-85f.",
        ),
        (
            "--model kws --to place",
            "stage 'place' is unknown; choose one of: "
            "extract, evaluate, plan, emit, simulate, synth, route, report.",
        ),
        (
            "--model kws --from synth --to plan",
            "--from synth comes after --to plan.\n"
            "  The order is: extract, evaluate, plan, emit, simulate, synth, route, report.",
        ),
        ("--model kws --frames 0", "--frames 0 is not allowed; choose 1 or more."),
        (
            "--model kws --frames many",
            "argument --frames: 'many' is not allowed; choose a whole number.\n"
            "  See: python flow/build.py --help",
        ),
        (
            "--model kws --fast",
            "unrecognized arguments: --fast.\n  See: python flow/build.py --help",
        ),
        (
            "--model kws --forc",
            "unrecognized arguments: --forc.\n  See: python flow/build.py --help",
        ),
        ("doctr", NO_COMMAND.format("doctr")),
        ("kws", NO_COMMAND.format("kws")),
        (
            "--model kws --waves-frame 3",
            "--waves-frame needs --waves LAYER: name the layer to look at.",
        ),
        (
            "--model kws --waves conv --waves-frame -1",
            "--waves-frame -1 is not allowed; choose 0 or more.",
        ),
        ("--model all --waves conv", "--waves looks into one model; name it with --model."),
        ("--model all --wav a.wav", "--wav looks into one model; name it with --model."),
        (
            "--model kws --wav a.wav --to emit",
            "--wav needs the stage simulate, but --to emit stops before it.\n"
            "  Leave --to out, or choose one of: simulate, synth, route, report.",
        ),
        (
            "--model kws --waves conv --from synth",
            "--from synth comes after simulate, the last stage for --waves.\n"
            "  The order is: extract, evaluate, plan, emit, simulate, synth, route, report.",
        ),
        (
            "--model kws --config none.yaml",
            "cannot read none.yaml: No such file or directory.\n"
            "  Give an existing file with --config FILE.",
        ),
        (
            "--model kws --data none.npz",
            "data file none.npz does not exist.\n  Give an existing .npz file with --data.",
        ),
    ],
)
def test_wrong_use_ends_with_2_and_one_message(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, text: str
) -> None:
    assert build.main(arguments.split()) == 2
    assert capsys.readouterr().err == f"error: {text}\n"
    assert calls(folder) == []


EMPTY = "argument {}: '' is no name of a file.\n  See: python flow/build.py --help"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("--keras none.h5", "model file 'none.h5' does not exist.\n  Name a .h5 or .keras file."),
        (
            "--keras none.h5 --model kws",
            "--model kws is not available with --keras none.h5.\n  Leave one of the two out.",
        ),
        (
            "--keras none.h5 --wav yes.wav",
            "--wav yes.wav is not available with --keras none.h5.\n  Leave one of the two out.",
        ),
        (
            "--keras none.h5 --quant mpq",
            "--quant mpq is not available with --keras, whose file says every bit-width.\n"
            "  Leave --quant out.",
        ),
        ("--keras=", EMPTY.format("--keras")),
        ("--keras none.h5 --data=", EMPTY.format("--data")),
        ("--model kws --cycles 0", "--cycles 0 is not allowed; choose 1 or more."),
    ],
)
def test_options_of_a_model_of_ones_own(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, text: str
) -> None:
    assert build.main(arguments.split()) == 2
    assert capsys.readouterr().err == f"error: {text}\n"
    assert calls(folder) == []


def test_run_prints_stages_and_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--model", "kws"]) == 0
    assert calls(folder) == list(fake_run.NAMES)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:7]] == [["kws:", name] for name in fake_run.NAMES]
    assert lines[7:] == [
        "accuracy          float 90.00 %, QKeras 80.00 %, integer 80.00 % on 10 samples of set"
        " (float: recorded in training)",
        "RTL simulation    2 frames, 24 outputs compared, 0 mismatches",
        "cycles per frame  8,000 (latency 9,000)",
        "multipliers       333, utilisation 99.7 %",
        "resources         LUT 25,000 (47.0 %), DSP 60 (27.3 %), BRAM 7.5 (5.4 %) of xc7z020 "
        "(yosys, per unit)",
        "report            reports/kws/report.json",
        "report            reports/kws/index.html",
    ]


def test_second_run_is_cached_and_force_and_from_make_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build.main(["--model", "kws"])
    calls(folder)
    assert build.main(["--model", "kws"]) == 0
    assert calls(folder) == []
    assert capsys.readouterr().out.count(" cached") == 7
    assert build.main(["--model", "kws", "--from", "synth"]) == 0
    assert calls(folder) == ["synth", "report"]
    assert build.main(["--model", "kws", "--force", "--to", "plan"]) == 0
    assert calls(folder) == ["extract", "evaluate", "plan"]
    assert build.main(["--model", "all"]) == 0
    assert calls(folder) == []


def test_deleted_report_is_published_again(folder: Path) -> None:
    build.main(["--model", "kws"])
    shutil.rmtree(folder / "reports")
    build.main(["--model", "kws"])
    assert sorted(path.name for path in (folder / "reports" / "kws").iterdir()) == [
        "index.html", "report.json", "report.txt",
    ]  # fmt: skip


def test_run_is_named_after_what_differs_from_the_default(folder: Path) -> None:
    build.main(["--model", "kws", "--target", "lfe5u-85f", "--to", "extract"])
    build.main(["--model", "kws", "--target", "xc7z020", "--quant", "mpq", "--to", "extract"])
    assert sorted(path.name for path in (folder / "build").iterdir()) == ["kws", "kws-lfe5u-85f"]


def test_failing_tool_ends_with_1_and_names_command_exit_code_and_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "fail-emit").touch()
    assert build.main(["--model", "kws"]) == 1
    log = folder / "build" / "kws" / ".emit.tmp" / "tool.log"
    assert capsys.readouterr().err == (
        "error: stage emit failed with exit code 3.\n"
        "  command: tool --input 'a b'\n"
        f"  log: {log}\n"
        "  | first line\n"
        "  | last line\n"
    )
    assert log.exists()
    assert calls(folder) == ["extract", "evaluate", "plan"]
    (folder / "fail-emit").unlink()
    assert build.main(["--model", "kws"]) == 0
    assert calls(folder) == ["emit", "simulate", "synth", "report"]


def test_unexpected_error_is_short_and_names_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(work: Path, text: str) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(Path, "write_text", broken)
    assert build.main(["--model", "kws"]) == 1
    error = capsys.readouterr().err
    assert error == (
        "error: unexpected ZeroDivisionError: division by zero\n"
        "  log: build/kws/build.log\n"
        "  Rerun with --debug.\n"
    )
    assert "Traceback" in (folder / "build" / "kws" / "build.log").read_text()
    assert build.main(["--model", "kws", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_kills_the_tools_and_the_next_run_resumes(folder: Path) -> None:
    (folder / "hold-simulate").touch()
    with start(folder) as process:
        child = int(wait_for(folder / "child"))
        assert descendants(process.pid) == [child]
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert error == "interrupted; run the same command to resume.\n"
    assert not alive(child)
    assert calls(folder) == ["extract", "evaluate", "plan", "emit"]
    (folder / "hold-simulate").unlink()
    assert build.main(["--model", "kws"]) == 0
    assert calls(folder) == ["simulate", "synth", "report"]


def test_killed_run_leaves_nothing_half_done(folder: Path) -> None:
    (folder / "hold-emit").touch()
    with start(folder) as process:
        child = int(wait_for(folder / "child"))
        process.kill()
        os.kill(child, signal.SIGKILL)
        process.wait(WAIT_S)
    run = folder / "build" / "kws"
    assert (run / ".emit.tmp").exists()
    assert not (run / "emit").exists()
    (folder / "hold-emit").unlink()
    calls(folder)
    assert build.main(["--model", "kws"]) == 0
    assert calls(folder) == ["emit", "simulate", "synth", "report"]
    assert not list(run.glob(".*.tmp"))


def test_second_run_at_the_same_time_fails_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "hold-plan").touch()
    with start(folder) as process:
        wait_for(folder / "child")
        assert build.main(["--model", "kws"]) == 1
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WAIT_S)
    assert capsys.readouterr().err == (
        f"error: another run (process {process.pid}) is working in {folder}/build/kws.\n"
        f"  Wait until it ends, or stop it with: kill {process.pid}\n"
    )
    assert process.returncode == 130


def without_packages(*arguments: str, program: Path) -> subprocess.CompletedProcess[str]:
    """Run build.py by this Python version without any installed package."""
    environment = {"PATH": os.environ["PATH"]}
    bare = Path(sys.base_prefix) / "bin" / "python3"
    return subprocess.run(
        [bare, "-S", str(program), *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def test_python_without_packages_asks_for_the_setup(tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()
    program = shutil.copy(ROOT / "flow" / "build.py", tmp_path / "flow" / "build.py")
    result = without_packages("--model", "kws", program=program)
    assert result.returncode == 2
    assert result.stderr == (
        "error: the Python packages of this project are not installed.\n  Run: make setup\n"
    )


def test_python_without_packages_uses_the_project_environment(tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()
    program = shutil.copy(ROOT / "flow" / "build.py", tmp_path / "flow" / "build.py")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "project python: $*"\n')
    python.chmod(0o755)
    result = without_packages("--model", "kws", program=program)
    assert result.stdout == f"project python: {program} --model kws\n"


def test_cached_run_loads_no_heavy_package(folder: Path) -> None:
    build.main(["--model", "kws"])
    program = (
        "import sys; from pathlib import Path; from flow import build; from tests import fake_run\n"
        "fake_run.install(Path(sys.argv[1])); build.main(['--model', 'kws'])\n"
        "print([n for n in ('tensorflow', 'qkeras', 'hls4ml') if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines()[-1] == "[]"


def test_interrupted_command_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flow.commands.clean.main", interrupted)
    assert build.main(["clean"]) == 130
    assert capsys.readouterr().err == "interrupted.\n"


def test_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "flow/build.py", "doctor", "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert error == b""
    assert process.returncode == 1


def test_path_that_the_terminal_cannot_show_is_no_bug(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "flow/build.py", "--model", "kws", "--data", tmp_path / "größe\udcff.npz"],
        cwd=ROOT, capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert result.returncode == 2
    assert b"gr\\xf6\\xdfe\\udcff.npz does not exist" in result.stderr
