"""g++: what it compiled is kept, by the hash of everything that decides it."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from flow.errors import FlowError, ToolFailed, ToolMissing
from flow.run_limited import Outcome, run_limited

COMPILER = "g++"
SOURCES = (".h", ".cpp")
PLAIN = {"LC_ALL": "C"}  # messages in English and in ASCII


def key(root: Path, command: Sequence[str]) -> str:
    """Hash of the C++ below `root`, the command, the compiler and the processor it optimises for.

    The command must not hold the name of its output.
    """
    digest = hashlib.sha256("\0".join((*command, _compiler(), _processor())).encode())
    for path in sorted(root.rglob("*")):
        if path.suffix in SOURCES and path.is_file():
            name = path.relative_to(root).as_posix()
            digest.update(f"\0{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def make(
    what: str,
    command_of: Callable[[str], Sequence[str]],
    folder: Path,
    output: Path,
    log: Path,
    timeout_s: float,
    needed_for: str,
) -> None:
    """Run g++ in `folder` and give its result its name by one rename.

    Args:
        what: is compiled, for messages.
        command_of: the command that writes to the path it is given.

    Raises:
        ToolMissing: g++ is not installed.
        ToolFailed: it failed; the message holds the first error and the log's path.
        FlowError: it did not end within `timeout_s`.
    """
    if shutil.which(COMPILER) is None:
        raise ToolMissing(COMPILER, needed_for, "Install it (Debian: apt-get install g++).")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".g++.", dir=output.parent) as scratch:
        made = Path(scratch) / output.name
        command = command_of(str(made))
        outcome, code = run_limited(command, folder, log, timeout_s, env=os.environ | PLAIN)
        if outcome is not Outcome.EXITED:
            raise FlowError(f"g++ on {what} did not end within {timeout_s:g} s.\n  log: {log}")
        if code != 0:
            first = _first_error(log)
            raise ToolFailed(f"{what} does not compile: {first}\n  g++", command, code, log)
        os.replace(made, output)


def _first_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = (line.strip() for line in lines if "error:" in line or "error " in line)
    return next(errors, lines[0].strip() if lines else "it said nothing")


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
