"""Compiles the C simulation of a project with g++, once for the same sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow import gxx
from flow.emit.vitis.command import (
    FIRMWARE_FLAGS,
    MODE_FLAGS,
    Mode,
    library_command,
    testbench_command,
)
from flow.emit.vitis.project import VitisProject

TIMEOUT_S = 600.0
LOG = "g++.log"


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
    key = gxx.key(project.root, library_command(project.name, "", flags))
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
    key = gxx.key(project.root, testbench_command(project.name, "", flags))
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
    gxx.make(
        f"the C++ of {project.name!r}",
        lambda made: command_of(project.name, made, flags),
        project.root, output, project.root.absolute() / LOG, timeout_s, "C simulation",
    )  # fmt: skip
