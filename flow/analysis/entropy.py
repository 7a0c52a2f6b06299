"""Information in the codes of a tensor."""

from __future__ import annotations

import numpy as np

from flow.graph.types import IntArray, TensorType

MAX_CODES = 1 << 16  # of a tensor whose codes are counted one by one


class Histogram:
    """Counts how often each code of a tensor occurs, batch by batch."""

    def __init__(self, tensor: TensorType) -> None:
        self._lo = tensor.lo
        self._size = tensor.hi - tensor.lo + 1
        self._counts = np.zeros(self._size if self._size <= MAX_CODES else 0, np.int64)

    def add(self, codes: IntArray) -> None:
        """Count the codes of any shape."""
        if len(self._counts):
            self._counts += np.bincount((codes - self._lo).ravel(), minlength=self._size)

    @property
    def entropy_bits(self) -> float | None:
        """Shannon entropy of one code; None for a tensor of more than 2**16 codes."""
        if not self._counts.any():
            return None
        shares = self._counts[self._counts > 0] / self._counts.sum()
        return float(-(shares * np.log2(shares)).sum()) + 0.0  # no negative zero
