"""Whole-network RTL simulation."""

from flow.simulate.answer import Answer, answer
from flow.simulate.network import StallSettings, played_frames, simulate
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.simulate.store import load_sim, save_sim

__all__ = [
    "Answer",
    "LayerSim",
    "SimResult",
    "SimRun",
    "StallSettings",
    "answer",
    "load_sim",
    "played_frames",
    "save_sim",
    "simulate",
]
