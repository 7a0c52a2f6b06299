"""Images: reading them from disk, and augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import DataCorrupt, read_arrays
from models.images import decode_images
from models.recipes.recipe import Floats

Images = NDArray[np.uint8]


def load_images(path: Path, size: int, classes: int | None) -> tuple[Images, NDArray[np.int64]]:
    """Read RGB images [n, size, size, 3] and labels [n]; without `classes` there are no labels.

    A file holds `x`, or `p`: the images coded (see `models.images`).

    Raises:
        DataMissing: there is no such file.
        DataCorrupt: not an npz, a key is missing, or a shape, type or label is wrong.
    """
    arrays = read_arrays(path)
    if "x" not in arrays and "p" not in arrays:
        raise _corrupt(path, f"neither x nor p is in it (it has {', '.join(sorted(arrays))})")
    x = arrays["x"] if "x" in arrays else decode_images(arrays["p"])
    if x.dtype != np.uint8 or x.shape[1:] != (size, size, 3) or len(x) == 0:
        raise _corrupt(path, f"its images are {x.dtype} of shape {x.shape}, expected uint8 of "
                             f"shape (n, {size}, {size}, 3) with n > 0")  # fmt: skip
    if classes is None:
        return x, np.zeros(0, np.int64)
    y = arrays.get("y")
    if y is None or y.shape != (len(x),) or not np.issubdtype(y.dtype, np.integer):
        raise _corrupt(path, f"y must hold {len(x)} integers")
    if y.min() < 0 or y.max() >= classes:
        raise _corrupt(path, f"y holds labels {y.min()}..{y.max()}, expected 0..{classes - 1}")
    return x, y.astype(np.int64)


def flip(x: Floats, rng: np.random.Generator) -> Floats:
    """Mirror half of the images [n, h, w, c] left to right."""
    mirrored = rng.random(len(x)) < 0.5
    return np.where(mirrored[:, None, None, None], x[:, :, ::-1], x)


def shift(x: Floats, pixels: int, rng: np.random.Generator) -> Floats:
    """Move each image by up to `pixels` along both axes; black comes in."""
    padded = np.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, x.shape[1:3], axis=(1, 2))
    top, left = rng.integers(0, 2 * pixels + 1, (2, len(x)))
    return np.moveaxis(windows[np.arange(len(x)), top, left], 1, -1)


def crop(x: Floats, least: float, rng: np.random.Generator) -> Floats:
    """Cut a window of `least`..1 of each side out of each image and enlarge it (bilinear)."""
    side = rng.uniform(least, 1.0, (len(x), 2))
    start = rng.uniform(0.0, 1.0, (len(x), 2)) * (1.0 - side)
    boxes = np.concatenate([start, start + side], axis=1).astype(np.float32)
    return tf.image.crop_and_resize(x, boxes, np.arange(len(x)), x.shape[1:3]).numpy()


def light(x: Floats, amount: float, rng: np.random.Generator) -> Floats:
    """Scale brightness, contrast and each colour by 1 +- `amount`; x and the result in 0..1."""

    def gain(*shape: int) -> Floats:
        return rng.uniform(1 - amount, 1 + amount, (len(x), *shape)).astype(np.float32)

    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    contrasted = (x - mean) * gain(1, 1, 1) + mean * gain(1, 1, 1)
    return np.clip(contrasted * gain(1, 1, 3), 0.0, 1.0)


def _corrupt(path: Path, what: str) -> DataCorrupt:
    return DataCorrupt(f"data file {path}: {what}.\n  Fetch the file again or check its origin.")
