"""One thing that a user can get wrong, and the tools to spoil what the flow is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from flow.config import CONFIG_FILE

SAMPLES = 5  # in the files of `npz`


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case happens: the working directory, empty, and what undoes its changes."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch


Prepare = Callable[[Place], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A wrong call: what it says and how it ends.

    Args:
        arguments: as typed into a shell.
        message: all that is printed to stderr after 'error: '; {tmp} is the working directory,
            {root} the repository, {sha256} any hash, {line TEXT} the word 'line' and the number of
            the first one of config.yaml that begins so.
        prepare: makes the files that the call names.
        code: the exit code.
        stage: in which it fails; None: before any stage, so that not one file is written.
        writes: files that the call is to write all the same.
    """

    name: str
    arguments: str
    message: str
    prepare: Prepare = lambda place: None
    code: int = 2
    stage: str | None = None
    writes: tuple[str, ...] = ()
    slow: bool = False


def text(name: str, content: str) -> Prepare:
    """A text file."""
    return lambda place: (place.folder / name).write_text(content, encoding="utf-8")


def binary(name: str, content: bytes) -> Prepare:
    """A file of bytes."""
    return lambda place: (place.folder / name).write_bytes(content)


def folder(name: str) -> Prepare:
    """An empty folder."""
    return lambda place: (place.folder / name).mkdir(parents=True)


def config(*changes: tuple[str, str], name: str = "config.yaml") -> Prepare:
    """The project's configuration with each first text, where it occurs first, replaced.

    kws is the first network of the file.
    """

    def write(place: Place) -> None:
        content = CONFIG_FILE.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in content, f"{before!r} is not in config.yaml"
            content = content.replace(before, after, 1)
        (place.folder / name).write_text(content, encoding="utf-8")

    return write


@dataclass(frozen=True, slots=True)
class Npz:
    """Samples of kws with some arrays replaced; None leaves one out."""

    changes: Mapping[str, object] = field(default_factory=dict)
    name: str = "mine.npz"

    def __call__(self, place: Place) -> None:
        """Write the file."""
        arrays: dict[str, object] = {
            "x": np.zeros((SAMPLES, 49, 10), np.int8),
            "y": np.zeros(SAMPLES, np.int64),
            **self.changes,
        }
        kept = {key: array for key, array in arrays.items() if array is not None}
        np.savez(place.folder / self.name, **kept)  # type: ignore[arg-type]


def npz(**changes: object) -> Prepare:
    """`mine.npz`; see `Npz`."""
    return Npz(changes)


def spoiled(prepare: Prepare, name: str, change: Callable[[bytes], bytes]) -> Prepare:
    """A file that another function makes, with its bytes changed."""

    def write(place: Place) -> None:
        prepare(place)
        path = place.folder / name
        path.write_bytes(change(path.read_bytes()))

    return write


def together(*steps: Prepare) -> Prepare:
    """All steps, in order."""

    def run(place: Place) -> None:
        for step in steps:
            step(place)

    return run


def environment(name: str, value: str) -> Prepare:
    """An environment variable; {tmp} is the working directory."""
    return lambda place: place.monkeypatch.setenv(name, value.replace("{tmp}", str(place.folder)))
