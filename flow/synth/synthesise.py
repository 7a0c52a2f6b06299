"""Synthesise the units of a project in parallel, redoing only what changed."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from flow.emit import Project, ProjectUnit, check_roms
from flow.errors import DataError
from flow.plan.hwplan import Target
from flow.synth import yosys
from flow.synth._cells import count_cells
from flow.synth._units import Progress, UnitRun, Work, check_files, run_units
from flow.synth.result import SynthResult, UnitResources

SCOPE = "sum of separately synthesised units, post-synthesis, not placed or routed"


def synthesise(
    project: Project,
    target: Target,
    folder: Path,
    *,
    jobs: int,
    timeout_s: int,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> SynthResult:
    """Synthesise every unit with Yosys and sum the cells.

    A failing unit does not stop the others: what they give stays in the cache, so that the next
    run redoes the failed unit only.

    Args:
        folder: gets one folder per unit with its sources, script, log and cell statistics.
        jobs: units at a time; one takes about 400 MB.
        timeout_s: limit for one unit.
        cache_dir: results by content hash; None: nothing is kept.
        progress: called after each unit with its name and the share of units done (0 to 1).

    Raises:
        DataError: a source or ROM file is missing, or a ROM file is not the one that was emitted.
        ToolMissing: Yosys is not installed.
        ToolFailed: a unit failed or took longer than `timeout_s`.
    """
    tool = yosys.tool_name()
    check_files(project, project.units)
    check_roms(project)

    def key(unit: ProjectUnit) -> str:
        return yosys.content_key(unit, target.family, project.rtl)

    def run(unit: ProjectUnit, place: Path, stop: Event) -> dict[str, int]:
        return yosys.run(yosys.Job(unit, target.family, place, timeout_s), stop)

    work = Work(key, yosys.prepare, run)
    runs = run_units(
        project, project.units, work, folder, jobs=jobs, cache_dir=cache_dir, progress=progress
    )
    return _sum(tool, target, runs)


def _sum(tool: str, target: Target, runs: list[UnitRun]) -> SynthResult:
    counts = [count_cells(run.values, target.family) for run in runs]
    units = tuple(
        UnitResources(run.name, count.lut, count.ff, count.dsp, count.bram, run.seconds)
        for run, count in zip(runs, counts, strict=True)
    )
    warnings = tuple(
        f"unit {run.name!r}: {number} cells of type {cell!r} are in no resource count"
        for run, count in zip(runs, counts, strict=True)
        for cell, number in count.unknown.items()
    )
    lut, ff, dsp = (sum(getattr(unit, name) for unit in units) for name in ("lut", "ff", "dsp"))
    bram = float(sum(unit.bram for unit in units))
    used = {"lut": lut, "ff": ff, "dsp": dsp, "bram": bram}
    return SynthResult(
        tool=tool,
        target=target.name,
        scope=SCOPE,
        units=units,
        **used,
        device_fit={name: _percent(name, count, target) for name, count in used.items()},
        warnings=warnings,
    )


def _percent(name: str, used: float, target: Target) -> float:
    available: int = getattr(target, name)
    if available == 0 and used:
        raise DataError(
            f"target {target.name!r} has no {name.upper()}, but the units use {used:g}.\n"
            "  Choose another target, or correct its resources in config.yaml (targets)."
        )
    return round(100.0 * used / max(available, 1), 2)
