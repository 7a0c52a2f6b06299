"""The lossless coding of images in data sets: small, without an image library."""

import numpy as np
from numpy.typing import NDArray


def decode_images(coded: NDArray[np.generic]) -> NDArray[np.uint8]:
    """RGB images [n, h, w, 3] of their coding [n, 3, h, w].

    The planes are green, red - green and blue - green, each as differences along rows and columns,
    all modulo 256.

    Raises:
        ValueError: an array of another shape or type.
    """
    if coded.dtype != np.uint8 or coded.ndim != 4 or coded.shape[1] != 3:
        raise ValueError(
            f"its p is {coded.dtype} of shape {coded.shape}, expected coded images: uint8 "
            "[n, 3, h, w]"
        )
    planes = np.cumsum(np.cumsum(coded, 2, dtype=np.uint8), 3, dtype=np.uint8)
    green, red, blue = planes[:, 0], planes[:, 1], planes[:, 2]
    return np.stack([red + green, green, blue + green], -1)


def encode_images(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The coding [n, 3, h, w] of RGB images [n, h, w, 3]; `decode_images` undoes it."""
    red, green, blue = np.moveaxis(images, -1, 0)
    planes = np.stack([green, red - green, blue - green], 1)
    for axis in (2, 3):
        planes = np.diff(planes, axis=axis, prepend=np.uint8(0))
    result: NDArray[np.uint8] = planes
    return result
