"""Loads labelled samples in raw form: the user's file, the data folder's, or the shipped ones."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flow.cache import hash_file
from flow.config import DATA_VARIABLE, ROOT, Config, ModelConfig
from flow.errors import DataError
from flow.fetch.datasets import fetch_command
from models.images import decode_images

TEST_FILES = {
    "ad": ("ad_test_dev.npz",),
    "ic": ("ic_cifar10test_dev.npz", "ic_test_dev.npz"),
    "kws": ("kws_test_dev.npz", "kws_test.npz"),  # the second: see flow.fetch
    "vww": ("vww_test_dev.npz",),
}
SAME_DATA = {"vww_mbv2": "vww", "vww_effnet": "vww"}  # networks that share another's samples
LOCAL_DATA = ROOT / "data"  # ignored by git
SHIPPED = ROOT / "models" / "samples"
SHIPPED_ARE = {  # by data set; scripts beside them make them
    "ad": "spectrograms of a machine that does not exist",
    "ic": "drawn pictures",
    "kws": "synthesised speech",
    "vww": "drawn pictures",
}
KEYS = ("x", "y")
CODED = "p"  # in place of x: images, see models.images
NOTE = "note"  # optional key: what an accuracy on these samples means

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Raw samples x [n, ...] and their labels y [n]; `is_real` is False for the shipped set.

    Where `labelled` is False, labels are all 0 and mean nothing.
    """

    x: NDArray[np.generic]
    y: NDArray[np.int64]
    name: str
    is_real: bool
    sha256: str  # of the file
    note: str | None = None  # what an accuracy on them means
    labelled: bool = True

    def __post_init__(self) -> None:
        for array in (self.x, self.y):
            array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where samples come from."""

    path: Path
    is_real: bool

    @property
    def sha256(self) -> str:
        """Hash of the file's content."""
        return hash_file(self.path)


def find_samples(config: Config, model: str | None, given: Path | None = None) -> Source:
    """The file `given`, else the data folder's test set, else the samples shipped with the project.

    Args:
        model: a benchmark; None: a user's own, for which there are no others.

    Raises:
        DataError: the chosen file does not exist.
    """
    if given is not None:
        if not given.is_file():
            state = "is no regular file" if given.exists() else "does not exist"
            state = "is a folder" if given.is_dir() else state
            raise DataError(
                f"data file {given} {state}.\n  Give an existing .npz file with --data."
            )
        return Source(given.resolve(), is_real=True)
    if model is None:
        raise DataError(
            "a model of your own (--keras) needs samples of its input: to calibrate, to compare, "
            "to simulate.\n  Give them with --data FILE.npz: x [n, ...] float32, as the model "
            "takes it, and y [n] integer labels where there are any."
        )
    _check_chosen_folder(config)
    data = SAME_DATA.get(model, model)
    test_sets = [folder / file for folder in data_folders(config) for file in TEST_FILES[data]]
    shipped = SHIPPED / f"{data}.npz"
    for place in (*test_sets, shipped):
        if place.is_file():
            return Source(place, is_real=place != shipped)
    raise DataError(
        f"no samples for {model!r}: none of these files exists: "
        f"{', '.join(map(str, (*test_sets, shipped)))}.\n"
        f"  Fetch the official test set: {fetch_command(data)}\n"
        f"  Or name the data folder in config.yaml (data.folder) or {DATA_VARIABLE}, "
        "or give a file with --data FILE.npz."
    )


def _check_chosen_folder(config: Config) -> None:
    """A folder that was named on purpose is not passed over in silence for the shipped samples."""
    if os.environ.get(DATA_VARIABLE) and not config.data_folder.is_dir():
        state = "is no folder" if config.data_folder.exists() else "does not exist"
        raise DataError(
            f"the data folder {config.data_folder}, named by {DATA_VARIABLE}, {state}.\n"
            f"  Correct or unset {DATA_VARIABLE}."
        )


def data_folders(config: Config) -> tuple[Path, ...]:
    """Where test sets are looked for, in this order.

    SHIFTFLOW_DATA alone where it is set; else `data.folder` of config.yaml, then `data` in the
    repository.
    """
    if os.environ.get(DATA_VARIABLE):
        return (config.data_folder,)
    return (config.data_folder, LOCAL_DATA)


def fetch_folder(config: Config) -> Path:
    """Where a fetched test set is put: the first of `data_folders` that is there and writable.

    Where none is, the last of them, which then has to be made.
    """
    folders = data_folders(config)
    usable = (one for one in folders if one.is_dir() and os.access(one, os.W_OK | os.X_OK))
    return next(usable, folders[-1])


def load_samples(source: Source, model: ModelConfig) -> Samples:
    """Read and check samples of a benchmark.

    Raises:
        DataError: the file is unreadable, or x or y is not what the benchmark needs; all problems
            are listed.
    """
    arrays = read_arrays(source.path)
    problems = _missing(arrays) or [*_check_x(arrays["x"], model), *_check_y(arrays, model)]
    if problems:
        raise DataError(
            f"data file {source.path}: " + "; ".join(problems) + ".\n"
            f"  Store x as {model.raw_dtype} {_shape_text(model)} in raw form and y as n integer "
            f"labels in 0..{model.classes - 1}: numpy.savez({source.path.name!r}, x=x, y=y)."
        )
    x = arrays["x"].reshape(-1, *model.input_shape)
    labels = arrays["y"].astype(np.int64)
    return Samples(x, labels, source.path.stem, source.is_real, source.sha256, _note(arrays))


def pick_frames(samples: Samples, count: int, seed: int) -> NDArray[np.int64]:
    """Indices of `count` samples, in turn from each label, drawn with a seed; sorted.

    Raises:
        DataError: there are fewer samples.
    """
    if count > len(samples.y):
        raise DataError(
            f"{count} frames were asked for, but {samples.name!r} holds {len(samples.y)} samples.\n"
            f"  Choose --frames {len(samples.y)} or fewer."
        )
    order = np.random.default_rng(seed).permutation(len(samples.y))
    turn = np.zeros(len(order), np.int64)  # how many of its label come before
    for label in np.unique(samples.y):
        mine = samples.y[order] == label
        turn[mine] = np.arange(mine.sum())
    chosen = order[np.argsort(turn, kind="stable")][:count]
    return np.sort(chosen).astype(np.int64)


def read_arrays(path: Path) -> Arrays:
    """The arrays x, y and note of an .npz file, those that it has.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError(_instead_of_zip(path))
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in (*KEYS, CODED, NOTE) if key in archive}
        for key, array in arrays.items():
            if not isinstance(array, np.ndarray):  # a member that is no array is given as bytes
                raise ValueError(f"its {key} is no NumPy array")
        if CODED in arrays:
            arrays["x"] = decode_images(arrays.pop(CODED))
        return arrays
    except _DAMAGE as error:
        raise DataError(
            f"data file {path} is not a readable .npz: {error}.\n"
            "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled objects."
        ) from error


# NumPy and zipfile report damage as whatever they stumble over; MemoryError: a shape of absurd size
_DAMAGE = (
    OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def _instead_of_zip(path: Path) -> str:
    """What a file is that is no zip archive."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        return "it is empty"
    if start.startswith(b"PK"):
        return "its end is missing"
    if start.startswith(b"\x93NUMPY"):
        return "it holds a single array, not named ones"
    return f"it is no zip archive; it begins with {start!r}"


def _note(arrays: Arrays) -> str | None:
    note = arrays.get(NOTE)
    return str(note) if note is not None and note.dtype.kind == "U" and note.ndim == 0 else None


def _missing(arrays: Arrays) -> list[str]:
    return [f"key {key!r} is missing" for key in KEYS if key not in arrays]


def _check_x(x: NDArray[np.generic], model: ModelConfig) -> list[str]:
    shape = model.input_shape
    short = shape[:2] if shape[2] == 1 else shape
    problems: list[str] = []
    if x.shape[1:] not in (shape, short) or x.ndim < 2:
        problems.append(f"x has shape {x.shape}, expected {_shape_text(model)}")
    elif len(x) == 0:
        problems.append("x holds no samples, expected at least one")
    if x.dtype != np.dtype(model.raw_dtype):
        problems.append(f"x has dtype {x.dtype}, expected {model.raw_dtype}")
    elif x.dtype.kind == "f":
        problems += not_finite(x)
    return problems


def _check_y(arrays: Arrays, model: ModelConfig) -> list[str]:
    x, y = arrays["x"], arrays["y"]
    if y.ndim != 1 or (x.ndim > 0 and len(y) != len(x)):
        length = f"({len(x)},)" if x.ndim else "(n,)"
        return [f"y has shape {y.shape}, expected {length} as x"]
    if y.dtype.kind not in "iu":
        return [f"y has dtype {y.dtype}, expected an integer type"]
    labels = y.astype(np.int64)
    wrong = np.flatnonzero((labels < 0) | (labels >= model.classes))
    if len(wrong):
        return [
            f"y[{wrong[0]}] is {labels[wrong[0]]}, expected a label in 0..{model.classes - 1} "
            f"({len(wrong)} of {len(labels)} labels are wrong)"
        ]
    if model.metric == "auc" and len(np.unique(labels)) == 1:
        return [f"y holds label {labels[0]} alone, but an AUC needs normal clips (0) and anomalies"]
    return []


def not_finite(x: NDArray[np.generic]) -> list[str]:
    """The problem with floats of which some are NaN or infinite; empty where none is."""
    test: Callable[..., NDArray[np.bool_]] = np.isfinite
    bad = np.argwhere(~test(x))
    if not len(bad):
        return []
    return [f"x holds NaN or infinity, first at {tuple(int(i) for i in bad[0])}"]


def _shape_text(model: ModelConfig) -> str:
    height, width, channels = model.input_shape
    full = f"[n, {height}, {width}, {channels}]"
    return f"[n, {height}, {width}] or {full}" if channels == 1 else full
