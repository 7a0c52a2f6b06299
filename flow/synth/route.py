"""Place and route the units of a project, each by itself: the clock that each one reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

from flow.emit import Project, ProjectUnit, check_roms
from flow.errors import ConfigError
from flow.plan.hwplan import Target
from flow.synth import nextpnr, yosys
from flow.synth._units import Progress, Work, check_files, run_units
from flow.synth.result import TimingResult, UnitTiming


def route(
    project: Project,
    target: Target,
    folder: Path,
    *,
    jobs: int,
    timeout_s: int,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    units: Sequence[str] | None = None,
) -> TimingResult:
    """Synthesise with Yosys, then place and route with nextpnr, each unit between registers.

    A failing unit does not stop the others, as in `synthesise`.

    Args:
        target: an ECP5; there is no open router for other families here.
        folder: gets one folder per unit with its sources, netlist, logs and nextpnr's report.
        jobs: units at a time; one takes about 1 GB.
        timeout_s: limit for each of a unit's two tools.
        cache_dir: results by content hash; None: nothing is kept.
        progress: called after each unit with its name and the share of units done (0 to 1).
        units: names of those to route; None: all.

    Raises:
        ConfigError: the target is no ECP5, or a name is not a unit's.
        DataError: a source or ROM file is missing, or a ROM file is not the one that was emitted.
        ToolMissing: Yosys or nextpnr is not installed.
        ToolFailed: a unit failed or took longer than `timeout_s`.
    """
    options = nextpnr.options(target)
    tools = f"{yosys.tool_name()}, {nextpnr.tool_name()}"
    chosen = _choose(project, units)
    check_files(project, chosen)
    check_roms(project)

    def key(unit: ProjectUnit) -> str:
        netlist = yosys.content_key(unit, target.family, project.rtl, netlist=True)
        parts = (netlist, nextpnr.tool_name(), str(nextpnr.REPORT_FORMAT), *options)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def run(unit: ProjectUnit, place: Path, stop: Event) -> dict[str, Any]:
        job = yosys.Job(unit, target.family, place, timeout_s, netlist=True)
        yosys.run(job, stop)
        netlist = place / yosys.NETLIST_FILE
        return nextpnr.run(
            nextpnr.Job(unit.name, unit.module, netlist, options, place, timeout_s), stop
        )

    work = Work(key, _prepare, run)
    runs = run_units(
        project, chosen, work, folder, jobs=jobs, cache_dir=cache_dir, progress=progress
    )
    return TimingResult(
        tool=tools,
        target=target.name,
        scope=scope(target),
        units=tuple(UnitTiming(unit=run.name, **run.values, seconds=run.seconds) for run in runs),
    )


def scope(target: Target) -> str:
    """What the figures hold for."""
    return (
        f"each unit routed by itself between registers at its ports, {target.name.upper()}-"
        f"{nextpnr.SPEED_GRADE} out of context; not the whole network"
    )


def _prepare(folder: Path, stop: Event) -> None:
    yosys.prepare(folder, stop)
    nextpnr.prepare(folder, stop)


def _choose(project: Project, names: Sequence[str] | None) -> tuple[ProjectUnit, ...]:
    known = [unit.name for unit in project.units]
    wrong = [name for name in names or () if name not in known]
    if wrong:
        raise ConfigError(
            f"project {project.name!r} has no unit {', '.join(map(repr, wrong))}.\n"
            f"  Choose from {', '.join(map(repr, known))}."
        )
    return tuple(unit for unit in project.units if names is None or unit.name in names)
