"""Keyword-spotting arrays from disk, checked, and their speaker-disjoint split."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError

KWS_FRAMES = (49, 10)  # frames, MFCC
KWS_CLASSES = 12
DEFAULT_DATA = Path("../shared/data")


class DataMissing(DataError, FileNotFoundError):
    """A data file does not exist."""


class DataCorrupt(DataError, ValueError):
    """A data file cannot be read or does not hold what it should."""


@dataclass(frozen=True, slots=True, eq=False)
class KwsSet:
    """Labelled MFCC codes; real value = (x - zero_point) * scale."""

    x: NDArray[np.int8]  # [n, 49, 10], or [n, variants, 49, 10] with variant 0 clean
    y: NDArray[np.uint8]  # [n], 0..11
    scale: np.float32
    zero_point: int
    speaker: NDArray[np.str_] | None  # [n]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "KwsSet":
        """Return the clips that `index` selects."""
        speaker = None if self.speaker is None else self.speaker[index]
        return KwsSet(self.x[index], self.y[index], self.scale, self.zero_point, speaker)

    def real(self) -> NDArray[np.float32]:
        """Return the model input: [..., 49, 10, 1] float32."""
        return dequantise(self.x, self.scale, self.zero_point)


def dequantise(x: NDArray[np.int8], scale: np.float32, zero_point: int) -> NDArray[np.float32]:
    """Return (x - zero_point) * scale in float32 with a channel axis appended."""
    return (x[..., None].astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def load_kws(path: Path, variants: bool = False) -> KwsSet:
    """Read a kws `.npz`: x, y, scale, zero_point and, if present, speaker.

    Args:
        path: the file.
        variants: x is [n, variants, 49, 10] instead of [n, 49, 10].

    Raises:
        DataMissing: there is no such file.
        DataCorrupt: not an npz, a key is missing, or a shape, type or label is wrong.
    """
    arrays = read_arrays(path)
    for key in ("x", "y", "scale", "zero_point"):
        if key not in arrays:
            raise _corrupt(path, f"key {key!r} is missing (it has {', '.join(sorted(arrays))})")
    x, y = arrays["x"], arrays["y"]
    rank = 4 if variants else 3
    if x.ndim != rank or x.shape[-2:] != KWS_FRAMES or len(x) == 0:
        wanted = "(n, variants, 49, 10)" if variants else "(n, 49, 10)"
        raise _corrupt(path, f"x has shape {x.shape}, expected {wanted} with n > 0")
    if x.dtype != np.int8:
        raise _corrupt(path, f"x has type {x.dtype}, expected int8")
    if y.shape != (len(x),) or not np.issubdtype(y.dtype, np.integer):
        raise _corrupt(path, f"y is {y.dtype} of shape {y.shape}, expected {len(x)} integers")
    if y.min() < 0 or y.max() >= KWS_CLASSES:
        raise _corrupt(path, f"y holds labels {y.min()}..{y.max()}, expected 0..11")
    if arrays["scale"].size != 1 or arrays["zero_point"].size != 1:
        raise _corrupt(path, "scale and zero_point must hold one value each")
    scale = np.float32(arrays["scale"].ravel()[0])
    if not np.isfinite(scale) or scale <= 0:
        raise _corrupt(path, f"scale is {scale}, expected a positive number")
    return KwsSet(
        x, y.astype(np.uint8), scale, int(arrays["zero_point"].ravel()[0]), arrays.get("speaker")
    )


def split_by_speaker(
    data: KwsSet, validation_share: float = 0.12, seed: int = 2026
) -> tuple[KwsSet, KwsSet]:
    """Split into training and validation clips so that no speaker is on both sides.

    Speakers are drawn until they hold `validation_share` of the clips. Speakers of a
    separate test file may still occur on either side: only this set is split.

    Raises:
        DataCorrupt: the set has no speakers, or too few to split.
    """
    if data.speaker is None or len(np.unique(data.speaker)) < 2:
        raise DataCorrupt(
            "the training set cannot be split: it needs 'speaker' with at least 2 speakers.\n"
            "  Use kws_train.npz as described with the data."
        )
    speakers, counts = np.unique(data.speaker, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(speakers))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = speakers[order[before < validation_share * len(data)]]
    chosen = chosen[: len(speakers) - 1]
    validation = np.isin(data.speaker, chosen)
    return data.take(~validation), data.take(validation)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an .npz.

    Raises:
        DataMissing: there is no such file.
        DataCorrupt: it cannot be read.
    """
    if not path.is_file():
        raise DataMissing(
            f"data file {path} does not exist.\n  Pass the folder that holds it: --data DIR."
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise _corrupt(path, f"it is not a readable .npz ({error})") from error


def _corrupt(path: Path, what: str) -> DataCorrupt:
    return DataCorrupt(f"data file {path}: {what}.\n  Fetch the file again or check its origin.")
