"""Notes that a kernel takes of one node: what its accumulators and values were before clipping."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from flow.graph.engine import _structs as structs
from flow.graph.engine._proof import INT64


class Watch:
    """One node's notes; they add up over the calls that are given `address`."""

    def __init__(self, zero: NDArray[np.int64] | None) -> None:
        """`zero`: [elements of a row], see `Step`; None: accumulators are not looked at."""
        self._zero = zero
        size = 0 if zero is None else len(zero)
        self._least, self._most = np.full(size, INT64 - 1), np.full(size, -INT64)
        ends = (None, None) if zero is None else (self._least.ctypes.data, self._most.ctypes.data)
        self._struct = structs.Watch(*ends, 0, 0)
        self.address = ctypes.addressof(self._struct)

    @property
    def clipped(self) -> tuple[int, int]:
        """How many values were cut to `lo`, and to `hi`."""
        return self._struct.clipped_low, self._struct.clipped_high

    @property
    def acc(self) -> tuple[int, int] | None:
        """Smallest and largest accumulator of true codes."""
        if self._zero is None:
            return None
        met = self._least <= self._most  # a row may end before its last elements in every call
        return (
            int((self._least[met] + self._zero[met]).min()),
            int((self._most[met] + self._zero[met]).max()),
        )
