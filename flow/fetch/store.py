"""The fetched samples on disk: published whole, with the record of where they come from."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file of samples was made of; stored in it, one string array per field."""

    source: str  # URL
    source_sha256: str
    recipe_sha256: str  # of the code that made it
    licence: str
    note: str  # what an accuracy on it means


def save(path: Path, arrays: Mapping[str, NDArray[Any]], origin: Origin) -> None:
    """Write an .npz that depends on nothing but its content, by one rename."""
    fresh = path.with_name(f".{path.name}.tmp")
    try:
        with fresh.open("wb") as file:
            np.savez_compressed(file, **arrays, **asdict(origin))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def stored_samples(path: Path, origin: Origin) -> int | None:
    """How many samples `path` holds if it is whole and of this origin; None if it must be made.

    Raises:
        DataError: there is a file that was not fetched, or that is damaged.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}  # reads, and so checks, all of it
            found = Origin(**{key: str(arrays[key]) for key in asdict(origin)})
            samples = len(arrays["y"])
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} exists, but it was not fetched from the official source, or it is damaged: "
            f"{error}.\n  It is left alone. Move it away and run the same command again."
        ) from error
    return samples if found == origin else None
