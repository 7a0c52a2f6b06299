"""Runs a tool on the units of a project, in parallel, and only on those that changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from flow.emit import Project, ProjectUnit
from flow.errors import DataError, FlowError

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with a unit."""

    key: Callable[[ProjectUnit], str]  # changes with everything that decides the result
    prepare: Callable[[Path, Event], None]  # once, before the first unit
    run: Callable[[ProjectUnit, Path, Event], dict[str, Any]]  # in a folder with the unit's files


@dataclass(frozen=True, slots=True)
class UnitRun:
    """What `Work.run` gave for a unit: plain JSON values."""

    name: str
    values: dict[str, Any]
    seconds: float  # of the run that produced the values, which may lie in the cache


def run_units(
    project: Project,
    units: Sequence[ProjectUnit],
    work: Work,
    folder: Path,
    *,
    jobs: int,
    cache_dir: Path | None,
    progress: Progress | None,
) -> list[UnitRun]:
    """Run `work` on each unit, `jobs` at a time; results are in the order of `units`.

    A failing unit does not stop the others: what they give stays in the cache, so that the next
    run redoes the failed unit only.

    Raises:
        FlowError: the first failing unit's, in the order of `units`, which tells of the others too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keys = {unit.name: work.key(unit) for unit in units}
    done = {
        name: cached
        for name, key in keys.items()
        if (cached := _load(cache_dir, key, name)) is not None
    }
    report = _Reporter(progress, len(units))
    for name in done:
        report(name)
    todo = [unit for unit in units if unit.name not in done]
    if todo:

        def keep(result: UnitRun) -> None:
            report(result.name)
            _save(cache_dir, keys[result.name], result)

        done.update(_run_all(todo, project, work, folder, jobs, keep))
    return [done[unit.name] for unit in units]


def check_files(project: Project, units: Sequence[ProjectUnit]) -> None:
    """Raise DataError naming every source and ROM file of the units that is missing."""
    wanted = {path for unit in units for path in unit_files(unit)}
    missing = sorted(path for path in wanted if not (project.rtl / path).is_file())
    if missing:
        raise DataError(
            f"project {project.name!r}: {len(missing)} of {len(wanted)} files are missing in "
            f"{str(project.rtl)!r}: {', '.join(map(repr, missing))}.\n"
            "  Run the stage 'emit' again."
        )


def unit_files(unit: ProjectUnit) -> tuple[str, ...]:
    """Paths of all that a unit needs, relative to the project's rtl folder."""
    return (*unit.sources, *(rom.path for rom in unit.roms))


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
    work: Work,
    folder: Path,
    jobs: int,
    keep: Callable[[UnitRun], None],
) -> dict[str, UnitRun]:
    stop = Event()
    work.prepare(folder, stop)
    places = _folders(project, folder)
    done: dict[str, UnitRun] = {}
    errors: dict[str, FlowError] = {}
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        futures: dict[Future[UnitRun], str] = {}
        try:
            for unit in units:
                place = _fill(unit, project.rtl, places[unit.name])
                futures[pool.submit(_run_one, work, unit, place, stop)] = unit.name
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


def _run_one(work: Work, unit: ProjectUnit, place: Path, stop: Event) -> UnitRun:
    start = time.monotonic()
    values = work.run(unit, place, stop)
    return UnitRun(unit.name, values, round(time.monotonic() - start, 2))


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
    for path in unit_files(unit):
        copy = place / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(rtl / path, copy)
    return place


def _load(cache_dir: Path | None, key: str, name: str) -> UnitRun | None:
    """The kept result; None when there is none, or not the one that was written."""
    if cache_dir is None:
        return None
    try:
        entry = json.loads((cache_dir / f"{key}.json").read_text())
        genuine = entry.pop("sha256") == _digest(entry)
        return UnitRun(name, dict(entry["values"]), float(entry["seconds"])) if genuine else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # absent or damaged: run again


def _save(cache_dir: Path | None, key: str, result: UnitRun) -> None:
    if cache_dir is None:
        return
    cache_dir.mkdir(parents=True, exist_ok=True)
    part = cache_dir / f"{key}.{os.getpid()}.part"
    entry: dict[str, object] = {
        "unit": result.name,
        "seconds": result.seconds,
        "values": result.values,
    }
    entry["sha256"] = _digest(entry)
    part.write_text(json.dumps(entry, indent=2, sort_keys=True) + "\n")
    os.replace(part, cache_dir / f"{key}.json")


def _digest(entry: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
