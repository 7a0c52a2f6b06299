"""Vitis HLS itself, where it is installed: synthesis, co-simulation, export; and Vivado behind it.

Tools leave parts of reports behind when they fail. So nothing that a step writes is there before it
runs, or after it failed: what is found is the result of a run that succeeded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from flow.emit.vitis.files import write_atomically
from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.tool_log import check_run
from flow.emit.vitis.tool_version import OLDEST, too_old, version_of
from flow.errors import FlowError, ToolMissing
from flow.run_limited import Outcome, run_limited

SCRIPT = "build_prj.tcl"
STEPS = "build_opt.tcl"
LOG = "vitis_hls.log"
VIVADO = "vivado"
VIVADO_SCRIPT = "vivado_synth.tcl"
VIVADO_LOG = "vivado_synth.log"
VIVADO_REPORTS = ("vivado_synth.rpt", "vivado_timing.rpt")
COSIM_RESULTS = "tb_data/rtl_cosim_results.log"
SOLUTION = "solution1"
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

    @property
    def needs_script(self) -> bool:
        """Whether any step is beyond g++ and Vivado."""
        return self.synth or self.cosim or self.export


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


def why_not() -> str | None:
    """Why Vitis HLS cannot be run here; None where it can."""
    program = next((name for name in COMMANDS if shutil.which(name)), None)
    if program is None:
        return f"neither {' nor '.join(COMMANDS)} on PATH"
    return too_old(program)


def find_vivado() -> str:
    """The path of Vivado.

    Raises:
        ToolMissing: it is not on PATH.
    """
    if path := shutil.which(VIVADO):
        return path
    raise ToolMissing(
        "Vivado",
        "logic synthesis of Vitis' Verilog (vsynth)",
        "Install it and put vivado on PATH, or leave vsynth out.",
    )


def installed_tools() -> tuple[str, ...]:
    """Names and versions of the programs that `synthesise` would run: what a result depends on."""
    vitis = next((name for name in COMMANDS if shutil.which(name)), None)
    found = [name for name in (vitis, VIVADO) if name is not None and shutil.which(name)]
    return tuple(f"{name} {version_of(name) or '(unknown version)'}" for name in found)


def reports_folder(project: VitisProject) -> Path:
    """Where C synthesis writes its reports."""
    return _solution(project) / "syn" / "report"


def verilog_folder(project: VitisProject) -> Path:
    """Where C synthesis writes its Verilog, and the memory files of its ROMs."""
    return _solution(project) / "syn" / "verilog"


def run_vitis(project: VitisProject, steps: Steps, timeout_s: float = TIMEOUT_S) -> Path:
    """Run the steps of Vitis HLS in the project's folder and return the log's path.

    C simulation is left to g++ (`run_testbench`), which needs no licence, and Vivado to
    `run_vivado`: the script's `exec` would take any word on its error output for a failure.

    Raises:
        ToolMissing: Vitis HLS, or Vivado for `vsynth`, is not on PATH; nothing was run then.
        ToolFailed: a step failed, or printed an error whatever the exit code says; what it had
            written of its result is removed.
        FlowError: it did not end within `timeout_s`; it was killed with all that it started.
    """
    log = project.root.absolute() / LOG
    if steps.vsynth:
        find_vivado()
    if not steps.needs_script:
        return log
    command = find_vitis()
    _check_version(Path(command[0]).name)
    _clear(project, steps)
    write_steps(project.root, replace(steps, csim=False, vsynth=False))
    try:
        _run("Vitis HLS", project, command, log, timeout_s)
    except BaseException:
        _clear(project, steps)
        raise
    return log


def run_vivado(project: VitisProject, timeout_s: float = TIMEOUT_S) -> Path:
    """Synthesise Vitis' Verilog with Vivado and return the log's path.

    Raises:
        ToolMissing, ToolFailed, FlowError: as `run_vitis`; FlowError too where there is no Verilog.
    """
    command = (
        *(find_vivado(), "-mode", "batch", "-nojournal", "-log", "vivado.log"),
        *("-source", VIVADO_SCRIPT),
    )
    if not verilog_folder(project).is_dir():
        raise FlowError(
            f"{verilog_folder(project)} is missing: Vivado has nothing to synthesise.\n"
            "  Run C synthesis first: build(synth=True, vsynth=True)."
        )
    reports = [project.root / name for name in VIVADO_REPORTS]
    log = project.root.absolute() / VIVADO_LOG
    _remove(reports)
    try:
        _run("Vivado", project, command, log, timeout_s)
    except BaseException:
        _remove(reports)
        raise
    return log


def _check_version(program: str) -> None:
    if reason := too_old(program):
        raise ToolMissing(
            f"Vitis HLS {OLDEST} or later",
            "synthesis of a Vitis project",
            f"{reason}: put a newer one before it.",
        )


def _run(
    tool: str, project: VitisProject, command: Sequence[str], log: Path, timeout_s: float
) -> None:
    outcome, code = run_limited(command, project.root, log, timeout_s)
    if outcome is not Outcome.EXITED:
        raise FlowError(
            f"{tool} on {project.name!r} did not end within {timeout_s:g} s.\n  log: {log}"
        )
    check_run(f"{tool} on {project.name!r}", command, code, log)


def _clear(project: VitisProject, steps: Steps) -> None:
    """Remove what the steps will write, and what earlier runs made of it."""
    solution, root = _solution(project), project.root
    cosim = (solution / "sim", root / COSIM_RESULTS)
    if steps.synth:
        reports = (root / name for name in VIVADO_REPORTS)
        _remove((solution / "syn", solution / "impl", *cosim, *reports))
    if steps.cosim:
        _remove(cosim)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _solution(project: VitisProject) -> Path:
    return project.root / f"{project.name}_prj" / SOLUTION
