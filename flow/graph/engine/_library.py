"""The compiled kernels: made once for a processor, then loaded."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flow import gxx
from flow.errors import FlowError
from flow.shared_cache import cache_folder

SOURCES = Path(__file__).parent / "kernels"
FLAGS = ("-std=c++17", "-O3", "-fwrapv", "-fPIC", "-fvisibility=hidden", "-Wno-psabi")
NATIVE = ("-march=native",)
WIDE_VECTORS = "-mprefer-vector-width=512"  # else gcc uses half of an AVX-512 register
TIMEOUT_S = 300.0
KERNELS = (
    "matrix", "depthwise", "merge", "product", "concat", "lookup", "average", "largest", "repeat",
    "shuffle",
)  # fmt: skip
# node, inputs, output, frames, planes, sums, watch; see kernels/kernels.cpp
_POINTER = ctypes.c_void_p
SIGNATURE = (_POINTER, _POINTER, _POINTER, ctypes.c_int64, _POINTER, _POINTER, _POINTER)


class Library:
    """The kernels compiled with some target flags; `lanes` decides how weights are packed."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._library.shift_pair_taps.argtypes = [ctypes.c_void_p]
        self._library.shift_pair_taps.restype = None
        self.lanes = int(self._library.shift_lanes())
        self.functions = {name: self._library[f"shift_{name}"] for name in KERNELS}
        for function in self.functions.values():
            function.argtypes, function.restype = SIGNATURE, None

    def pair_taps(self, taps: NDArray[np.int16]) -> None:
        """Interleave the weights [2, 2 * lanes] of two taps in place, as the kernel reads them."""
        self._library.shift_pair_taps(taps.ctypes.data)


@functools.cache
def load(target: Sequence[str] = NATIVE) -> Library:
    """The kernels for this processor, or another one's flags (for tests); compiled if need be.

    Raises:
        ToolMissing: g++ is not installed.
        FlowError: it failed, or the cache's folder cannot be written or run from.
    """
    path = _path(tuple(target))
    with contextlib.suppress(OSError):  # damaged: made again, once
        return Library(_made(path, target))
    path.unlink(missing_ok=True)
    try:
        return Library(_made(path, target))
    except OSError as error:
        raise FlowError(
            f"the compiled integer engine cannot be loaded: {error}.\n"
            "  Set SHIFTFLOW_CACHE to a folder whose libraries may be loaded."
        ) from error


def _path(target: tuple[str, ...]) -> Path:
    return cache_folder() / "engine" / f"{gxx.key(SOURCES, _command(target, ''))[:24]}.so"


def _made(path: Path, target: Sequence[str]) -> Path:
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        gxx.make(
            "the integer engine",
            lambda output: _command(target, output),
            SOURCES, path, path.with_suffix(".log"), TIMEOUT_S, "fast integer inference",
        )  # fmt: skip
    except OSError as error:
        raise FlowError(
            f"the compiled integer engine cannot be kept in {path.parent}: {error.strerror}.\n"
            "  Set SHIFTFLOW_CACHE to a folder that can be written."
        ) from error
    return path


def _command(target: Sequence[str], output: str) -> list[str]:
    x86 = platform.machine() in ("x86_64", "AMD64")
    flags = (*FLAGS, *target, *([WIDE_VECTORS] if x86 else []))
    return [gxx.COMPILER, *flags, "-shared", "kernels.cpp", "-o", output]
