"""Official samples with one call: download, convert, store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from flow.cache import hash_sources, locked
from flow.config import ROOT
from flow.errors import DataError
from flow.fetch.datasets import Archive, Conversion, Dataset, fetchable
from flow.fetch.disk import disk_errors
from flow.fetch.download import Progress, download
from flow.fetch.speech_commands import speech_commands
from flow.fetch.store import Origin, save, stored_samples
from flow.progress import tell

ARCHIVES = "downloads"  # folder of the archives, in the data folder

Converter = Callable[[Path, Progress], Mapping[str, NDArray[Any]]]
CONVERTERS: Mapping[str, Converter] = {"kws": speech_commands}
RECIPES: Mapping[str, tuple[str, ...]] = {  # the files that decide what a converter gives
    "kws": (
        "flow/fetch/speech_commands.py",
        "models/mfcc.py",
        "models/fft32.py",
        "models/raw.py",
        "models/labels.py",
    ),
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """Samples that `--data` and the data folder take, and what must be said with them."""

    path: Path
    samples: int
    note: str  # what an accuracy on them means
    licence: str  # and whom to credit


def fetch(name: str, folder: Path, progress: Progress = lambda done, total: None) -> Fetched:
    """Download the official test set of a benchmark into `folder` and convert it.

    The archive is kept in `<folder>/downloads`. What is there already is not made again, so that an
    interrupted call is resumed by the next one. `flow.progress` tells which step runs.

    Args:
        name: a benchmark, see `flow.fetch.datasets`.
        folder: made if absent; see `flow.data.fetch_folder`.
        progress: called with bytes done and in total: of the download, then of the conversion.

    Raises:
        ConfigError: there is no such data set.
        DataError: it cannot be fetched, downloaded, converted or written; says which and why.
        StageBusy: another process fetches into `folder`.
    """
    dataset, archive, conversion = fetchable(name)
    origin = _origin(dataset, archive, conversion)
    path = folder / conversion.file_name
    with disk_errors(folder), locked(folder):
        samples = stored_samples(path, origin)
        if samples is None:
            arrays = _convert(dataset, archive, folder / ARCHIVES, progress)
            samples = _counted(arrays, archive, conversion)
            save(path, arrays, origin)
    return Fetched(path, samples, conversion.note, dataset.licence)


def _convert(
    dataset: Dataset, archive: Archive, folder: Path, progress: Progress
) -> Mapping[str, NDArray[Any]]:
    tell(f"downloading {dataset.title} ({archive.size_bytes / 1e6:.0f} MB)")
    place = folder / archive.file_name
    download(archive.url, place, archive.sha256, archive.size_bytes, progress)
    tell(f"converting {dataset.title}")
    return CONVERTERS[dataset.name](place, progress)


def _counted(arrays: Mapping[str, NDArray[Any]], archive: Archive, conversion: Conversion) -> int:
    samples = len(arrays["y"])
    if samples != conversion.samples:
        raise DataError(
            f"{archive.file_name} gave {samples} samples, expected {conversion.samples}.\n"
            "  Its content is the published one, so this is an error of the project: report it."
        )
    return samples


def _origin(dataset: Dataset, archive: Archive, conversion: Conversion) -> Origin:
    recipe = hash_sources(ROOT, RECIPES[dataset.name], frozenset({".py"}))
    return Origin(archive.url, archive.sha256, recipe, dataset.licence, conversion.note)
