"""One node through its kernel, with rubbish wherever the kernel may read but must not care.

Behind everything that it may touch lies a page that nobody may: a kernel that goes further ends the
test's process.
"""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import replace
from typing import Any

import numpy as np

from flow.graph import Kind, MatVec, Node, TensorType
from flow.graph.engine._library import Library
from flow.graph.engine._proof import offset
from flow.graph.engine._step import SLACK, Step, dtype_of
from flow.graph.engine._watch import Watch
from flow.graph.types import IntArray
from tests.graph.random_nodes import Generator, matrix

RUBBISH = -21555
PROT_NONE = 0


def run_step(
    node: Node, step: Step, library: Library, inputs: list[IntArray], watch: Watch | None = None
) -> IntArray:
    """Codes [n, oh, ow, cout] that the kernel gives for the codes of its inputs."""
    stored = [_stored(codes, x) for codes, x in zip(inputs, node.x_types, strict=True)]
    frames, size = len(inputs[0]), int(np.prod(node.out_shape))
    output = guarded(frames * size + SLACK, dtype_of(node.y))
    planes, sums = guarded(step.planes, np.int16), guarded(step.sums, np.int32)
    pointers = (ctypes.c_void_p * len(stored))(*(array.ctypes.data for array in stored))
    library.functions[step.kernel](
        ctypes.byref(step.argument), pointers, output.ctypes.data, frames, planes.ctypes.data,
        sums.ctypes.data, None if watch is None else watch.address,
    )  # fmt: skip
    codes = output[: frames * size].astype(np.int64) + (offset(node.y) or 0)
    return codes.reshape(frames, *node.out_shape)


def _stored(codes: IntArray, tensor: TensorType) -> np.ndarray:
    less = offset(tensor)
    assert less is not None
    array = guarded(codes.size + SLACK, np.int16)
    array[: codes.size] = (codes - less).ravel()
    return array


def guarded(count: int, dtype: Any) -> np.ndarray:
    """Rubbish that ends where a page begins that cannot be read or written."""
    size_bytes = count * np.dtype(dtype).itemsize
    pages = -(-size_bytes // mmap.PAGESIZE)
    block = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    everything = np.frombuffer(block, np.uint8)
    end = pages * mmap.PAGESIZE
    guard = ctypes.c_void_p(everything.ctypes.data + end)
    assert ctypes.CDLL(None).mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), PROT_NONE) == 0
    array = everything[end - size_bytes : end].view(dtype)
    array[:] = RUBBISH
    return array


def wide_tensor(rng: Generator, scale_exp: int) -> TensorType:
    """Up to 16 bits, most often all of them, with any zero point."""
    bits, signed = int(rng.choice([4, 8, 16, 16, 16])), bool(rng.integers(2))
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    zero = int(rng.integers(low, high + 1)) if rng.random() < 0.5 else max(low, 0)
    return TensorType(bits, signed, scale_exp, zero, low, high)


def wide_matrix(seed: int) -> MatVec:
    """A layer of any kind with up to 16-bit codes and weights, and more channels than a vector.

    Its windows, strides, roundings and scales are those of `random_nodes.matrix`.
    """
    rng = np.random.default_rng([seed, 17])
    node = matrix(rng)
    depthwise = node.kind is Kind.DEPTHWISE
    height, width, _ = node.in_shape
    cin = node.groups * int(rng.integers(1, 21 if not depthwise else 81))
    cout = cin if depthwise else node.groups * int(rng.integers(1, 81))
    top = 1 << int(rng.choice([1, 3, 7, 11, 15, 15]))
    size: tuple[int, ...] = (node.window.kernel_h, node.window.kernel_w, cin // node.groups)
    weights = rng.integers(-top + 1, top, size if depthwise else (*size, cout))
    x = wide_tensor(rng, -8)
    bits = max((x.hi - x.lo).bit_length() + top.bit_length() - 3, 4)
    wide = rng.random() < 0.2
    y = (
        TensorType(32, True, -16 + int(rng.integers(0, 9)), 0, -(1 << 31), (1 << 31) - 1) if wide
        else wide_tensor(rng, -16 + int(rng.integers(max(bits - 12, 0), bits)))
    )  # fmt: skip
    mults = rng.integers(1, 2**15, cout) if rng.random() < 0.2 else np.ones(1, np.int64)
    return replace(
        node, in_shape=(height, width, cin), out_shape=(*node.out_shape[:2], cout), x=x, y=y,
        weights=weights, weight_bits=17, weight_mult=mults,
        weight_exp=rng.integers(-10, -5, cout) - (14 if mults.size > 1 else 0),
        bias=rng.integers(-(1 << 20), 1 << 20, cout), bias_exp=rng.integers(-24, -8, cout),
    )  # fmt: skip
