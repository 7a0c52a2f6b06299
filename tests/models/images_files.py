"""Data files of random images, coded as the real ones are."""

from pathlib import Path

import numpy as np

from models.images import decode_images


def code_images(x: np.ndarray) -> np.ndarray:
    """The inverse of `decode_images`."""
    planes = np.stack([x[..., 1], x[..., 0] - x[..., 1], x[..., 2] - x[..., 1]], 1)
    rows = np.diff(planes, axis=3, prepend=np.uint8(0))
    return np.diff(rows, axis=2, prepend=np.uint8(0))


def write_images(path: Path, count: int, size: int, classes: int | None) -> None:
    rng = np.random.default_rng(list(path.name.encode()))
    x = rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_images(code_images(x)), x)
    labels = {} if classes is None else {"y": np.arange(count) % classes}
    np.savez(path, p=code_images(x), **labels)
