"""Whole-network RTL simulation."""

from flow.simulate.network import StallSettings, simulate
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.simulate.store import load_sim, save_sim

__all__ = ["LayerSim", "SimResult", "SimRun", "StallSettings", "load_sim", "save_sim", "simulate"]
