"""Synthesise the units of a project in parallel, redoing only what changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from flow.emit import Project, ProjectUnit, check_roms
from flow.errors import DataError, FlowError
from flow.plan.hwplan import Target
from flow.synth import yosys
from flow.synth._cells import count_cells
from flow.synth.result import SynthResult, UnitResources

SCOPE = "sum of separately synthesised units, post-synthesis, not placed or routed"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _UnitCells:
    name: str
    cells: dict[str, int]
    seconds: float


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
    check_files(project)
    check_roms(project)
    folder.mkdir(parents=True, exist_ok=True)
    keys = {
        unit.name: yosys.content_key(unit, target.family, project.rtl) for unit in project.units
    }
    done = {
        name: cached
        for name, key in keys.items()
        if (cached := _load(cache_dir, key, name)) is not None
    }
    report = _Reporter(progress, len(project.units))
    for name in done:
        report(name)
    todo = [unit for unit in project.units if unit.name not in done]
    if todo:

        def keep(result: _UnitCells) -> None:
            report(result.name)
            _save(cache_dir, keys[result.name], result)

        done.update(_run_all(todo, project, target, folder, jobs, timeout_s, keep))
    return _sum(tool, target, [done[unit.name] for unit in project.units])


def check_files(project: Project) -> None:
    """Raise DataError naming every source and ROM file of the units that is missing."""
    wanted = {
        path for unit in project.units for path in (*unit.sources, *(rom.path for rom in unit.roms))
    }
    missing = sorted(path for path in wanted if not (project.rtl / path).is_file())
    if missing:
        raise DataError(
            f"project {project.name!r}: {len(missing)} of {len(wanted)} files are missing in "
            f"{str(project.rtl)!r}: {', '.join(map(repr, missing))}.\n"
            "  Run the stage 'emit' again."
        )


class _Reporter:
    """Counts finished units and passes the share on."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, name: str) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(name, self._done / self._total)


def _run_all(
    units: list[ProjectUnit],
    project: Project,
    target: Target,
    folder: Path,
    jobs: int,
    timeout_s: int,
    keep: Callable[[_UnitCells], None],
) -> dict[str, _UnitCells]:
    stop = Event()
    yosys.prepare(folder, stop)
    places = _folders(project, folder)
    done: dict[str, _UnitCells] = {}
    errors: dict[str, FlowError] = {}
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        futures: dict[Future[_UnitCells], str] = {}
        try:
            for unit in units:
                place = _fill(unit, project.rtl, places[unit.name])
                job = yosys.Job(unit, target.family, place, timeout_s)
                futures[pool.submit(_run_one, job, stop)] = unit.name
            for future in as_completed(futures):
                try:
                    result = future.result()
                except FlowError as error:
                    errors[futures[future]] = error
                    continue
                keep(result)
                done[result.name] = result
        except BaseException:  # also Ctrl-C: no tool may outlive the run
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    if errors:
        raise _together(errors, [unit.name for unit in units])
    return done


def _run_one(job: yosys.Job, stop: Event) -> _UnitCells:
    start = time.monotonic()
    cells = yosys.run(job, stop)
    return _UnitCells(job.unit.name, cells, round(time.monotonic() - start, 2))


def _together(errors: dict[str, FlowError], order: list[str]) -> FlowError:
    """The first error in plan order, with the others' first lines at its end."""
    names = [name for name in order if name in errors]
    first = errors[names[0]]
    if len(names) > 1:
        others = "; ".join(str(errors[name]).splitlines()[0] for name in names[1:])
        first.args = (f"{first.args[0]}\n  also failed: {others}",)
    return first


def _folders(project: Project, folder: Path) -> dict[str, Path]:
    """One folder per unit; names that differ only in odd characters stay apart."""
    places: dict[str, Path] = {}
    for index, unit in enumerate(project.units):
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", unit.name)
        place = folder / plain
        places[unit.name] = folder / f"{plain}_{index}" if place in places.values() else place
    return places


def _fill(unit: ProjectUnit, rtl: Path, place: Path) -> Path:
    """Copy the unit's files: the tool sees only paths below its working folder."""
    shutil.rmtree(place, ignore_errors=True)
    for path in (*unit.sources, *(rom.path for rom in unit.roms)):
        copy = place / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(rtl / path, copy)
    return place


def _load(cache_dir: Path | None, key: str, name: str) -> _UnitCells | None:
    """The kept cells; None when there are none, or not those that were written."""
    if cache_dir is None:
        return None
    try:
        entry = json.loads((cache_dir / f"{key}.json").read_text())
        cells = {str(cell): int(number) for cell, number in entry["cells"].items()}
        genuine = bool(cells) and entry.pop("sha256") == _digest(entry)
        return _UnitCells(name, cells, float(entry["seconds"])) if genuine else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # absent or damaged: synthesise again


def _save(cache_dir: Path | None, key: str, result: _UnitCells) -> None:
    if cache_dir is None:
        return
    cache_dir.mkdir(parents=True, exist_ok=True)
    part = cache_dir / f"{key}.{os.getpid()}.part"
    entry: dict[str, object] = {
        "unit": result.name,
        "seconds": result.seconds,
        "cells": result.cells,
    }
    entry["sha256"] = _digest(entry)
    part.write_text(json.dumps(entry, indent=2, sort_keys=True) + "\n")
    os.replace(part, cache_dir / f"{key}.json")


def _digest(entry: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _sum(tool: str, target: Target, runs: list[_UnitCells]) -> SynthResult:
    counts = [count_cells(run.cells, target.family) for run in runs]
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
