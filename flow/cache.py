"""Runs stages in order, each published whole or not at all, and reuses what did not change.

A stage works in `<run>/.<stage>.tmp`. When it is done its record (`stage.json`: key, seconds, time,
content hashes) is written there last and the folder takes its name by one rename, so a folder that
carries the stage's name is complete whatever killed the run. A kept temporary folder holds the logs
of a failure until the next run removes it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flow.errors import FlowError, StageBusy
from flow.orphans import end_orphans, marked

RECORD = "stage.json"
LOCK = ".lock"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a stage ended; `seconds` is the time of the run that made the result."""

    name: str
    folder: Path
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the flow: everything its result depends on, and the function that makes it.

    `run` receives an empty folder, where it writes the result, and the outcomes of the stages
    before, by name. `sources` is the hash of the code
    behind it (see `hash_sources`), `inputs` any JSON value.
    """

    name: str
    needs: tuple[str, ...]
    sources: str
    inputs: Mapping[str, Any]
    run: Callable[[Path, Mapping[str, Outcome]], None]


@dataclass(frozen=True, slots=True)
class Record:
    """What `stage.json` holds."""

    key: str
    seconds: float
    created_utc: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notify:
    """What the command line wants to hear: a stage starts, a stage ended, a remark."""

    start: Callable[[str], None] = lambda name: None
    end: Callable[[Outcome], None] = lambda outcome: None
    note: Callable[[str], None] = log.warning


def run_stages(
    stages: Sequence[Stage],
    folder: Path,
    *,
    force_from: str | None = None,
    until: str | None = None,
    notify: Notify | None = None,
    at_end: Callable[[Sequence[Outcome]], None] = lambda outcomes: None,
) -> list[Outcome]:
    """Bring the stages up to date, in order, in `folder`.

    Args:
        force_from: this stage and the later ones are made again even when nothing changed.
        until: the last stage wanted.
        at_end: called with the outcomes while `folder` is still locked.

    Raises:
        StageBusy: another process works in `folder`.
        FlowError: a stage failed, or the disk is full.
    """
    notify = notify or Notify()
    names = [stage.name for stage in stages]
    first_forced = names.index(force_from) if force_from else len(names)
    last = names.index(until) if until else len(names) - 1
    outcomes: list[Outcome] = []
    keys: dict[str, str] = {}
    with locked(folder), _full_disk_explained(folder):
        _remove_leftovers(folder)
        for index, stage in enumerate(stages[: last + 1]):
            key = keys[stage.name] = stage_key(stage, keys)
            notify.start(stage.name)
            outcome = None if index >= first_forced else _cached(stage, key, folder, notify)
            done = {earlier.name: earlier for earlier in outcomes}
            outcomes.append(outcome or _make(stage, key, folder, done))
            notify.end(outcomes[-1])
        at_end(outcomes)
    return outcomes


def stage_key(stage: Stage, keys: Mapping[str, str]) -> str:
    """SHA-256 over everything that decides the stage's result."""
    parts = {
        "name": stage.name,
        "sources": stage.sources,
        "inputs": stage.inputs,
        "needs": {name: keys[name] for name in stage.needs},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def hash_sources(root: Path, places: Sequence[str], suffixes: frozenset[str]) -> str:
    """Hash of all files with these suffixes in the folders (or single files) `places` of `root`."""
    digest = hashlib.sha256()
    for place in places:
        for path in _source_files(root / place, suffixes):
            digest.update(f"{path.relative_to(root)}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def publish(source: Path, destination: Path) -> None:
    """Replace `destination` by `source`, which lies on the same file system.

    Readers find the old folder, for an instant none, then the new one, never a mixture.
    """
    trash = destination.parent / f".{destination.name}.old"
    shutil.rmtree(trash, ignore_errors=True)
    if destination.exists():
        destination.rename(trash)
    source.rename(destination)
    shutil.rmtree(trash, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel frees it when the process ends, however it ends.

    Raises:
        StageBusy: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise _busy(folder, stream.read().strip()) from error
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        if ended := end_orphans(folder):
            log.warning("ended %d processes that a killed run had left in %s", ended, folder)
        with marked(folder):
            yield


def publish_copy(made: Path, place: Path) -> None:
    """Copy a stage's result, its record excepted, to `place` unless it is there already.

    Only one process at a time may do this for a `place`.
    """
    fresh, old = (place.parent / f".{place.name}{suffix}" for suffix in (".tmp", ".old"))
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    if _listing(made) == _listing(place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, fresh, ignore=shutil.ignore_patterns(RECORD))
    publish(fresh, place)


def _busy(folder: Path, owner: str) -> StageBusy:
    """Names the owner only if it lives: a process that has just taken the lock is not noted yet."""
    if not (owner.isdigit() and Path(f"/proc/{owner}").exists()):
        return StageBusy(f"another run is working in {folder}.\n  Wait until it ends.")
    return StageBusy(
        f"another run (process {owner}) is working in {folder}.\n"
        f"  Wait until it ends, or stop it with: kill {owner}"
    )


def _cached(stage: Stage, key: str, folder: Path, notify: Notify) -> Outcome | None:
    """The published result if it has this key and is undamaged."""
    place = folder / stage.name
    record = _read_record(place)
    if record is None or record.key != key:
        return None
    damage = _damage(place, record.files)
    if damage:
        notify.note(f"{stage.name}: the stored result is damaged ({damage}); making it again.")
        return None
    return Outcome(stage.name, place, record.seconds, cached=True)


def _make(stage: Stage, key: str, folder: Path, done: Mapping[str, Outcome]) -> Outcome:
    work = folder / f".{stage.name}.tmp"
    work.mkdir()
    log.info("stage %s starts", stage.name)
    started = time.monotonic()
    stage.run(work, done)
    seconds = round(time.monotonic() - started, 3)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(key, seconds, created, _content(work))
    _write_durably(work / RECORD, json.dumps(asdict(record), indent=1, sort_keys=True))
    publish(work, folder / stage.name)
    log.info("stage %s took %.3f s", stage.name, seconds)
    return Outcome(stage.name, folder / stage.name, seconds, cached=False)


def _remove_leftovers(folder: Path) -> None:
    for pattern in (".*.tmp", ".*.old"):
        for path in folder.glob(pattern):
            shutil.rmtree(path)


def _read_record(place: Path) -> Record | None:
    try:
        return Record(**json.loads((place / RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _damage(place: Path, files: Mapping[str, str]) -> str | None:
    """The first file that is not what the record says."""
    for name, digest in files.items():
        try:
            if hash_file(place / name) != digest:
                return f"{name} has changed"
        except OSError:
            return f"{name} is missing"
    return None


def _content(place: Path) -> dict[str, str]:
    paths = sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(place).as_posix(): hash_file(path) for path in paths}


def _listing(place: Path) -> dict[str, str]:
    return {name: digest for name, digest in _content(place).items() if name != RECORD}


def _source_files(place: Path, suffixes: frozenset[str]) -> list[Path]:
    if place.is_file():
        return [place]
    found = (path for path in place.rglob("*") if path.suffix in suffixes and path.is_file())
    return sorted(path for path in found if not path.name.startswith("test_"))


def _write_durably(path: Path, text: str) -> None:
    with path.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _full_disk_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise FlowError(
            f"no space is left on the disk of {error.filename or folder}.\n"
            "  Free some space and run the same command again: finished stages are kept."
        ) from error
