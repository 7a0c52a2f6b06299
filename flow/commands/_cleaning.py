"""Finds and removes what the flow made; everything else is left where it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from flow import runs
from flow.cache import LOCK, RECORD, locked
from flow.commands._paths import short
from flow.errors import ConfigError, FlowError
from flow.stages import STAGES

CACHE = "cache"  # in build/
LOG = "build.log"
NAMES = (*STAGES, "waves")  # of folders in a run's folder
TEMPORARY = (".tmp", ".old")
MB = 1e6


def clean(names: Sequence[str], cache: bool, dry_run: bool) -> Iterator[str]:
    """Remove runs (all when none is named), and the cache; yields lines that say what.

    Raises:
        ConfigError: there is no run of that name; before anything is removed.
        StageBusy: a run is being worked on.
        FlowError: something cannot be removed.
    """
    known = known_runs()
    for name in names:
        _check_name(name, known)
    removed = 0
    for name in dict.fromkeys(names or known):
        for path, size in _clean_run(name, dry_run):
            removed += size
            yield f"{_did(dry_run)} {short(path)}, {size / MB:,.1f} MB"
        yield from (f"kept {short(path)}: not made by the flow" for path in _foreign(name))
    if cache and _is_folder(runs.BUILD / CACHE):
        removed += (size := _size(runs.BUILD / CACHE))
        _remove(runs.BUILD / CACHE, dry_run)
        yield f"{_did(dry_run)} {short(runs.BUILD / CACHE)}, {size / MB:,.1f} MB"
    yield (
        f"{removed / MB:,.1f} MB {'would be freed' if dry_run else 'freed'}"
        if removed
        else ("nothing to remove")
    )


def known_runs() -> list[str]:
    """Runs of which there are results or a report."""
    built = [path.name for path in _folders(runs.BUILD) if _is_build(path)]
    reported = [path.name for path in _folders(runs.REPORTS) if _is_report(path)]
    return sorted({*built, *reported})


def _check_name(name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    if not name or Path(name).name != name or name.startswith("."):
        raise ConfigError(
            f"{name!r} is no name of a run, but a path.\n  Name a run as in build/, such as kws."
        )
    if name == CACHE:
        raise ConfigError(f"{name!r} is no run.\n  To remove build/{CACHE}, say: clean --cache")
    raise ConfigError(
        f"there is no run {name!r}: neither {short(runs.BUILD / name)} nor "
        f"{short(runs.REPORTS / name)} holds results of the flow.\n"
        f"  Runs: {', '.join(known) or 'none'}."
    )


def _clean_run(name: str, dry_run: bool) -> Iterator[tuple[Path, int]]:
    """What is removed, and its bytes; nobody may work on the run meanwhile."""
    place, report = runs.BUILD / name, runs.REPORTS / name
    with locked(place) if _is_build(place) and not dry_run else nullcontext():
        for path, own in ((place, _own(place)), (report, _published(report))):
            if own:
                size = sum(map(_size, own))
                for entry in own:
                    _remove(entry, dry_run)
                yield path, size
        if not dry_run and _is_folder(place) and not any(place.iterdir()):
            place.rmdir()


def _own(place: Path) -> list[Path]:
    """What the flow made in a run's folder; the lock is the last to go."""
    if not _is_build(place):
        return []
    own = [path for path in _entries(place) if _is_own(path)]
    return sorted(own, key=lambda path: path.name == LOCK)


def _published(report: Path) -> list[Path]:
    """The folder of a report, and what a killed run left beside it."""
    beside = [report.with_name(f".{report.name}{suffix}") for suffix in TEMPORARY]
    found = [path for path in beside if _is_folder(path)]
    return [report, *found] if _is_report(report) else found


def _foreign(name: str) -> list[Path]:
    place = runs.BUILD / name
    return [path for path in _entries(place) if not _is_own(path)] if _is_folder(place) else []


def _is_own(path: Path) -> bool:
    """Whether the flow made this entry of a run's folder."""
    if path.is_symlink():
        return False
    if path.name in (LOCK, LOG):
        return path.is_file()
    if path.name.startswith(".") and path.suffix in TEMPORARY:
        return path.is_dir()
    return path.is_dir() and (path.name in NAMES or (path / RECORD).is_file())


def _is_build(place: Path) -> bool:
    """Only a run's folder has the flow's lock in it."""
    return _is_folder(place) and (place / LOCK).is_file()


def _is_report(place: Path) -> bool:
    """A published report says which run it is of."""
    try:
        content = json.loads((place / "report.json").read_text())
    except (OSError, ValueError):
        return False
    return _is_folder(place) and isinstance(content, dict) and content.get("run") == place.name


def _folders(place: Path) -> list[Path]:
    return [path for path in _entries(place) if _is_folder(path)]


def _entries(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else []


def _is_folder(path: Path) -> bool:
    """A folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def _size(path: Path) -> int:
    """Bytes on the disk; links count as themselves, and what vanishes meanwhile as nothing."""
    try:
        own = path.lstat().st_blocks * 512
        return own + (sum(map(_size, path.iterdir())) if _is_folder(path) else 0)
    except FileNotFoundError:
        return 0


def _remove(path: Path, dry_run: bool) -> None:
    if dry_run:
        return
    try:
        if not _is_folder(path):
            path.unlink()
            return
        if not path.name.startswith("."):  # half a folder must not keep the name of a whole one
            path = path.rename(_trash(path))
        shutil.rmtree(path)
    except OSError as error:
        raise FlowError(
            f"cannot remove {error.filename or path}: {error.strerror}.\n"
            "  Correct its permissions, or remove it by hand, and run the same command again."
        ) from error


def _trash(path: Path) -> Path:
    """The name that a killed removal leaves; the next run removes it."""
    trash = path.with_name(f".{path.name}.old")
    if _is_folder(trash):
        shutil.rmtree(trash)
    return trash


def _did(dry_run: bool) -> str:
    return "would remove" if dry_run else "removed"
