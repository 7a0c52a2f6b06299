"""Real values and codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.graph.types import IntArray, Rounding, TensorType


def clip(values: IntArray, tensor: TensorType) -> IntArray:
    """Saturate to the codes that the tensor may hold."""
    return np.clip(values, tensor.lo, tensor.hi)


def quantise_input(
    values: NDArray[Any], tensor: TensorType, rounding: Rounding = Rounding.HALF_UP
) -> IntArray:
    """Real values to codes: clip(round(v / 2**scale_exp) + zero_point, lo, hi).

    The half is compared, not added: v + 1/2 itself could round up in float64.
    """
    ratio = np.ldexp(np.asarray(values, np.float64), -tensor.scale_exp)
    if rounding is Rounding.HALF_EVEN:
        rounded = np.rint(ratio)
    else:
        rounded = np.floor(ratio)
        rounded += ratio - rounded >= 0.5
    clipped: NDArray[np.float64] = np.clip(rounded + tensor.zero_point, tensor.lo, tensor.hi)
    return clipped.astype(np.int64)


def dequantise(codes: IntArray, tensor: TensorType) -> NDArray[np.float64]:
    """Codes to real values (code - zero_point) * 2**scale_exp, exact in float64."""
    return np.ldexp((codes - tensor.zero_point).astype(np.float64), tensor.scale_exp)
