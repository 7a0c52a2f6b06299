"""Compiles the C simulation of a project with g++, once for the same sources."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.emit.vitis.command import (
    COMPILER,
    FIRMWARE_FLAGS,
    MODE_FLAGS,
    Mode,
    library_command,
    testbench_command,
)
from flow.emit.vitis.project import VitisProject
from flow.errors import FlowError, ToolFailed, ToolMissing
from flow.run_limited import Outcome, run_limited

SOURCES = (".h", ".cpp")
TIMEOUT_S = 600.0
LOG = "g++.log"
PLAIN = {"LC_ALL": "C"}  # messages in English and in ASCII


@dataclass(frozen=True, slots=True)
class Library:
    """The compiled C simulation of a project."""

    path: Path
    name: str  # of the network
    mode: Mode = Mode.NATIVE


def compile_vitis(
    project: VitisProject,
    cache_dir: Path | None = None,
    mode: Mode | str = Mode.NATIVE,
    timeout_s: float = TIMEOUT_S,
) -> Library:
    """Compile firmware and bridge into a shared library.

    Args:
        cache_dir: where libraries are kept by the hash of everything that decides them; by default
            in the project's folder.
        mode: see `command.Mode`.

    Raises:
        ToolMissing: g++ is not installed.
        ToolFailed: it failed; the message holds the first error and the log's path.
        FlowError: it did not end within `timeout_s`.
    """
    mode = Mode(mode)
    flags = (*FIRMWARE_FLAGS, *MODE_FLAGS[mode])
    key = _key(project, library_command(project.name, "", flags))
    folder = cache_dir if cache_dir is not None else project.root / "firmware"
    output = folder.absolute() / f"{project.name}-{key[:16]}.so"
    if not output.is_file():
        _make(project, library_command, output, flags, timeout_s)
    return Library(output, project.name, mode)


def compile_testbench(
    project: VitisProject, mode: Mode | str = Mode.NATIVE, timeout_s: float = TIMEOUT_S
) -> Path:
    """Compile firmware and testbench into a program, kept in the project's folder.

    Raises:
        As `compile_vitis`.
    """
    flags = (*FIRMWARE_FLAGS, *MODE_FLAGS[Mode(mode)])
    key = _key(project, testbench_command(project.name, "", flags))
    output = project.root.absolute() / f"{project.name}_test-{key[:16]}"
    if not output.is_file():
        _make(project, testbench_command, output, flags, timeout_s)
    return output


def _make(
    project: VitisProject,
    command_of: Callable[[str, str, Sequence[str]], list[str]],
    output: Path,
    flags: Sequence[str],
    timeout_s: float,
) -> None:
    """Run g++ and give its result its name by one rename."""
    if shutil.which(COMPILER) is None:
        raise ToolMissing(COMPILER, "C simulation", "Install it (Debian: apt-get install g++).")
    output.parent.mkdir(parents=True, exist_ok=True)
    log = project.root.absolute() / LOG
    with tempfile.TemporaryDirectory(prefix=".g++.", dir=output.parent) as scratch:
        made = Path(scratch) / output.name
        command = command_of(project.name, str(made), flags)
        outcome, code = run_limited(command, project.root, log, timeout_s, env=os.environ | PLAIN)
        if outcome is not Outcome.EXITED:
            raise FlowError(
                f"g++ on the C++ of {project.name!r} did not end within {timeout_s:g} s.\n"
                f"  log: {log}"
            )
        if code != 0:
            first = _first_error(log)
            raise ToolFailed(
                f"the C++ of {project.name!r} does not compile: {first}\n  g++", command, code, log
            )
        os.replace(made, output)


def _first_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = (line.strip() for line in lines if "error:" in line or "error " in line)
    return next(errors, lines[0].strip() if lines else "it said nothing")


def _key(project: VitisProject, command: Sequence[str]) -> str:
    """Hash of the sources, the command, the compiler and the processor it optimises for."""
    digest = hashlib.sha256("\0".join((*command, _compiler(), _processor())).encode())
    for path in sorted(project.root.rglob("*")):
        if path.suffix in SOURCES and path.is_file():
            name = path.relative_to(project.root).as_posix()
            digest.update(f"\0{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _compiler() -> str:
    """Version of g++; '' without one."""
    path = shutil.which(COMPILER)
    return _version(path) if path else ""


@functools.cache
def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


@functools.cache
def _processor() -> str:
    """The instruction sets that -march=native may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
