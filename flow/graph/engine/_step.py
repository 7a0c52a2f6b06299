"""One node as a call of a kernel, and what all of them need."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.graph.engine import _structs as structs
from flow.graph.engine._proof import Rescaling, offset
from flow.graph.types import TensorType

SLACK = 64  # elements behind the end of a tensor; SLACK and CHUNK of kernels/vectors.h
CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A kernel with its argument, and the elements of scratch that it works in.

    `arrays`: what `argument` points to. `planes` are int16, `sums` int32. `zero`, of a layer with
    weights: what the true accumulators of a row are more than those of stored codes.
    """

    kernel: str
    argument: ctypes.Structure
    arrays: list[Any]
    planes: int = 0
    sums: int = 0
    zero: NDArray[np.int64] | None = None


@dataclass(slots=True)
class Arrays:
    """Keeps alive what lies at the addresses that it hands out."""

    kept: list[Any] = field(default_factory=list)

    def address(self, array: NDArray[Any] | None) -> int | None:
        """Where a contiguous copy of the array lies; None for None."""
        if array is None:
            return None
        contiguous = np.ascontiguousarray(array)
        self.kept.append(contiguous)
        return contiguous.ctypes.data

    def structs(self, values: ctypes.Array[Any]) -> int:
        """Where an array of structures lies."""
        self.kept.append(values)
        return ctypes.addressof(values)

    def int32(self, values: Any) -> int | None:
        """The address of the values as int32."""
        return self.address(np.asarray(values, np.int32))


def requant_struct(rescaling: Rescaling, arrays: Arrays, repeat: int, size: int) -> structs.Requant:
    """The kernel's form: channels `repeat` times behind each other, zeros up to `size`."""

    def padded(values: NDArray[Any] | None) -> int | None:
        if values is None:
            return None
        row = np.zeros(size, values.dtype)
        row[: len(values) * repeat] = np.tile(values, repeat)
        return arrays.address(row)

    found = rescaling
    return structs.Requant(
        padded(found.constant), padded(found.shift), padded(found.factor), padded(found.below),
        found.lo, found.hi, found.add, found.wide, found.wide_output,
    )  # fmt: skip


def dtype_of(tensor: TensorType) -> np.dtype[Any]:
    """How codes of the tensor are stored."""
    return np.dtype(np.int64 if offset(tensor) is None else np.int16)
