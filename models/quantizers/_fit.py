"""Choose the step and zero point of an activation quantizer from samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quantizers.codes import QuantizerError, ceil_log2_ratio

_MAX_SAMPLES = 1_000_000  # drawn at even distances; enough for a squared error
_CANDIDATES = 5
_AUTO_GRID = np.linspace(0.3, 1.0, 36)


@dataclass(frozen=True, slots=True)
class FittedRange:
    """Result of `fit_range`."""

    log2_step: float  # auto_po2: half below the exponent, so that training moves it either way
    zero_point: int


def fit_range(
    samples: NDArray[Any], lo: int, hi: int, po2: bool, asymmetric: bool, label: str
) -> FittedRange:
    """Return the step (and zero point) with the least squared error on `samples`.

    The range is extended to contain 0. Power-of-two candidates are the exponent that
    covers the whole range and the four below it, which saturate outliers.

    Raises:
        QuantizerError: `samples` is empty or not finite.
    """
    flat = samples.astype(np.float64).ravel()
    if flat.size == 0 or not np.isfinite(flat).all():
        raise QuantizerError(
            f"{label}: cannot calibrate on {flat.size} samples, "
            f"{int((~np.isfinite(flat)).sum())} of them not finite.\n"
            "  Pass at least one finite input of this layer."
        )
    low, high = min(float(flat.min()), 0.0), max(float(flat.max()), 0.0)
    if flat.size > _MAX_SAMPLES:
        flat = flat[:: flat.size // _MAX_SAMPLES + 1]
    span, levels = _span(low, high, lo, hi, asymmetric)
    if span == 0.0:
        return FittedRange(-0.5, 0 if not asymmetric else lo)
    if po2:
        top = int(ceil_log2_ratio(np.float64(span), levels))
        steps = [2.0 ** (top - back) for back in range(_CANDIDATES)]
    else:
        steps = [float(factor * span / levels) for factor in _AUTO_GRID[::-1]]
    zero_points = [_zero_point(low, step, lo, hi, asymmetric) for step in steps]
    errors = [
        _squared_error(flat, step, zero, lo, hi)
        for step, zero in zip(steps, zero_points, strict=True)
    ]
    best = int(np.argmin(errors))
    return FittedRange(float(np.log2(steps[best])) - (0.5 if po2 else 0.0), zero_points[best])


def _span(low: float, high: float, lo: int, hi: int, asymmetric: bool) -> tuple[float, int]:
    """Return the real range to cover and the number of steps that cover it."""
    if asymmetric:
        return high - low, hi - lo
    return (max(-low, high), hi) if lo < 0 else (high, hi)


def _zero_point(low: float, step: float, lo: int, hi: int, asymmetric: bool) -> int:
    if not asymmetric:
        return 0
    return int(np.clip(lo + np.floor(-low / step + 0.5), lo, hi))


def _squared_error(x: NDArray[np.float64], step: float, zero_point: int, lo: int, hi: int) -> float:
    codes = np.clip(np.floor(x / step + 0.5) + zero_point, lo, hi)
    return float(np.square((codes - zero_point) * step - x).sum())
