"""What synthesis reported, per unit and summed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnitResources:
    """Post-synthesis cells of one unit; `lut` includes LUTRAM, `bram` counts 36 kbit blocks."""

    name: str
    lut: int
    ff: int
    dsp: int
    bram: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SynthResult:
    """Sum over separately synthesised units."""

    tool: str
    target: str
    scope: str
    units: tuple[UnitResources, ...]
    lut: int
    ff: int
    dsp: int
    bram: float
    device_fit: dict[str, float]  # resource -> percent of the device
