"""What the whole-network simulation measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimRun:
    """One pass of all frames under one stall profile."""

    stall_profile: str  # 'none', 'random', or 'reset': restarted in mid-frame
    seed: int
    frames: int
    outputs_compared: int
    mismatches: int
    cycles: int
    wall_s: float


@dataclass(frozen=True, slots=True)
class LayerSim:
    """Steady-state cycles of one layer without stalls, and what was compared at its tap."""

    name: str
    sim_cycles: int  # between frame ends of the unit alone, fed as fast as it takes
    ii_cycles: int  # between frame ends of the unit in the network
    starved: float  # share of steady cycles in the network: ready for input, and none came
    blocked: float  # the same: output waits because the next unit is not ready
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
