"""Raw input formats of the benchmarks: how stored samples become the model's float input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RawInput:
    """Raw integer samples: real value = float32(raw - zero_point) * float32(scale)."""

    dtype: str
    lo: int
    hi: int
    scale: float
    zero_point: int

    def to_real(self, raw: NDArray[np.generic]) -> NDArray[np.float32]:
        """The float32 values that the Keras model is fed."""
        centred = raw.astype(np.float32) - np.float32(self.zero_point)
        return np.asarray(centred * np.float32(self.scale), np.float32)


_RGB = RawInput("uint8", 0, 255, 1 / 255, 0)  # as the float models of MLPerf-Tiny: 0..1

# Benchmarks whose raw samples are integers; others' are the network's float input (ad: decibels).
RAW_INPUTS = {
    # Input scale and zero point of the MLPerf-Tiny int8 reference model (mlcommons/tiny).
    "kws": RawInput("int8", -128, 127, 0.5847029089927673, 83),
    "ic": RawInput("uint8", 0, 255, 1.0, 0),  # its float model takes 0..255
    "vww": _RGB,
    "vww_mbv2": _RGB,
    "vww_effnet": _RGB,
}


def real_input(model: str, raw: NDArray[np.generic]) -> NDArray[np.float32]:
    """The float32 values that the Keras model of a benchmark is fed for raw samples."""
    known = RAW_INPUTS.get(model)
    return np.asarray(raw, np.float32) if known is None else known.to_real(raw)
