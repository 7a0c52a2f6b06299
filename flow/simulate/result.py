"""What the whole-network simulation measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimRun:
    """One pass of all frames under one stall profile."""

    stall_profile: str  # 'none' or 'random'
    seed: int
    frames: int
    outputs_compared: int
    mismatches: int
    cycles: int
    wall_s: float


@dataclass(frozen=True, slots=True)
class LayerSim:
    """Measured in the run without stalls: steady-state cycles between frames at a layer's tap."""

    name: str
    sim_cycles: int  # busy cycles per frame of the compute array, bubbles between frames excluded
    ii_cycles: int  # distance between frame ends at this tap
    words_compared: int
    mismatches: int


@dataclass(frozen=True, slots=True)
class SimResult:
    """All runs; `mismatches` counts every compared word of every tap of every run."""

    engine: str
    frames: int
    outputs_compared: int
    mismatches: int
    ii_cycles: int
    latency_cycles: int
    sim_cycles_per_s: float
    wall_s: float
    runs: tuple[SimRun, ...]
    layers: tuple[LayerSim, ...]
