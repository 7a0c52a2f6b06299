"""Signal-to-quantisation-noise ratio, from sums that batches can be added to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sqnr:
    """Sums of squares of the wanted values and of the differences from them."""

    signal: float = 0.0
    noise: float = 0.0

    @property
    def db(self) -> float:
        """10 log10(signal / noise); inf: no difference at all, -inf: differences from zeros."""
        if self.noise == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf

    def __add__(self, other: Sqnr) -> Sqnr:
        return Sqnr(self.signal + other.signal, self.noise + other.noise)


def sqnr(wanted: NDArray[Any], got: NDArray[Any]) -> Sqnr:
    """Compare two arrays of one shape."""
    exact, difference = wanted.astype(np.float64), got.astype(np.float64)
    difference -= exact
    return Sqnr(_energy(exact), _energy(difference))


def worst_channel(wanted: NDArray[Any], got: NDArray[Any]) -> tuple[int, Sqnr]:
    """The channel, the last axis, with the lowest ratio; the first of equal ones."""
    channels = wanted.shape[-1]
    found = [sqnr(wanted[..., channel], got[..., channel]) for channel in range(channels)]
    worst = min(range(channels), key=lambda channel: found[channel].db)
    return worst, found[worst]


def _energy(values: Floats) -> float:
    flat = values.ravel()
    return float(flat @ flat)
