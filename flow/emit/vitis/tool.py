"""Vitis HLS itself, where it is installed: synthesis, co-simulation, export."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields
from pathlib import Path

from flow.emit.vitis.files import write_atomically
from flow.emit.vitis.project import VitisProject
from flow.errors import FlowError, ToolFailed, ToolMissing
from flow.run_limited import Outcome, run_limited

SCRIPT = "build_prj.tcl"
STEPS = "build_opt.tcl"
LOG = "vitis_hls.log"
# programs that run the script, the one of newer releases first
COMMANDS: dict[str, tuple[str, ...]] = {
    "vitis-run": ("--mode", "hls", "--tcl", SCRIPT),
    "vitis_hls": ("-f", SCRIPT),
}
TIMEOUT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Steps:
    """What build_prj.tcl does; the names are hls4ml's."""

    reset: bool = False
    csim: bool = True
    synth: bool = False
    cosim: bool = False
    validation: bool = False
    export: bool = False
    vsynth: bool = False

    @property
    def needs_vitis(self) -> bool:
        """Whether any step is beyond g++."""
        return self.synth or self.cosim or self.export or self.vsynth


def write_steps(folder: Path, steps: Steps = Steps()) -> None:
    """Write build_opt.tcl, from which the script takes its steps."""
    lines = [f"    {field.name:<10} {int(getattr(steps, field.name))}" for field in fields(steps)]
    write_atomically(folder / STEPS, "\n".join(["array set opt {", *lines, "}", ""]))


def find_vitis() -> tuple[str, ...]:
    """The command that runs the project's script.

    Raises:
        ToolMissing: neither vitis-run nor vitis_hls is on PATH.
    """
    for program, arguments in COMMANDS.items():
        if path := shutil.which(program):
            return (path, *arguments)
    raise ToolMissing(
        "Vitis HLS",
        "synthesis, co-simulation and export of a Vitis project",
        "Install it and put vitis-run (or vitis_hls) on PATH; C simulation (csim) needs only g++.",
    )


def run_vitis(project: VitisProject, steps: Steps, timeout_s: float = TIMEOUT_S) -> Path:
    """Run the steps in the project's folder and return the log's path.

    Raises:
        ToolMissing: Vitis HLS is not on PATH.
        ToolFailed: a step failed.
        FlowError: it did not end within `timeout_s`.
    """
    command = find_vitis()
    write_steps(project.root, steps)
    log = project.root.absolute() / LOG
    outcome, code = run_limited(command, project.root, log, timeout_s)
    if outcome is not Outcome.EXITED:
        raise FlowError(
            f"Vitis HLS on {project.name!r} did not end within {timeout_s:g} s.\n  log: {log}"
        )
    if code != 0:
        raise ToolFailed(f"Vitis HLS on {project.name!r}", command, code, log)
    return log
