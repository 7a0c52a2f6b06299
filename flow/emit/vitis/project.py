"""A Vitis HLS project folder as later steps see it, and its manifest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError
from flow.graph.types import Shape

MANIFEST = "project.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tap:
    """A layer whose codes C simulation can give out."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class VitisProject:
    """A project folder; `project.json` in it holds the same fields.

    `files` maps every written file, relative to `root`, to its SHA-256; what a run chooses (the
    testbench's frames, the tool's steps) is not among them.
    """

    root: Path
    format: int
    engine: str
    name: str
    io_type: str
    graph_hash: str
    plan_hash: str
    part: str
    input_shape: Shape
    taps: tuple[Tap, ...]  # every layer in order; the last one is the output
    files: dict[str, str]


_ADAPTER = TypeAdapter(VitisProject)


def manifest_text(project: VitisProject) -> bytes:
    """What `project.json` holds; the folder's own place is not part of it."""
    return _ADAPTER.dump_json(project, indent=1, exclude={"root"}) + b"\n"


def load_vitis_project(folder: Path) -> VitisProject:
    """Read a project's manifest and check that every file is what was written.

    Raises:
        DataError: the manifest or a file is missing or was changed.
    """
    project = read_manifest(folder)
    if project is None:
        raise DataError(
            f"{folder} holds no Vitis HLS project: its {MANIFEST} is missing or is not one.\n"
            "  Write the project again."
        )
    for name, digest in project.files.items():
        found = hash_of(folder / name)
        if found != digest:
            raise DataError(
                f"file {folder / name} has sha256 {found}, not {digest}.\n"
                "  It was changed after it was written; remove the folder and write it again."
            )
    return project


def read_manifest(folder: Path) -> VitisProject | None:
    """The manifest of a folder, None where there is none of this engine."""
    try:
        stored = _ADAPTER.validate_json(
            b'{"root": ".", ' + (folder / MANIFEST).read_bytes().lstrip()[1:]
        )
    except (OSError, ValidationError):
        return None
    if stored.format != FORMAT or stored.engine != "vitis":
        return None
    return VitisProject(
        **{key: getattr(stored, key) for key in stored.__dataclass_fields__ if key != "root"},
        root=folder,
    )


def hash_of(path: Path) -> str:
    """SHA-256 of a file, or 'missing'."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
