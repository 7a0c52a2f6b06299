"""Whole-network simulation: RTL, or the C++ of a Vitis HLS project."""

from flow.simulate.answer import Answer, answer
from flow.simulate.csim_result import CsimLayer, CsimResult, CsimRun, load_csim, save_csim
from flow.simulate.csimulate import c_answer, csimulate
from flow.simulate.network import StallSettings, played_frames, simulate
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.simulate.store import load_sim, save_sim

__all__ = [
    "Answer",
    "CsimLayer",
    "CsimResult",
    "CsimRun",
    "LayerSim",
    "SimResult",
    "SimRun",
    "StallSettings",
    "answer",
    "c_answer",
    "csimulate",
    "load_csim",
    "load_sim",
    "played_frames",
    "save_csim",
    "save_sim",
    "simulate",
]
