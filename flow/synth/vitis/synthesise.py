"""Vitis HLS, the bench for its Verilog, and Vivado, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.tool import find_vitis
from flow.errors import ToolMissing
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan
from flow.synth.vitis.result import NotRun, VitisSynth

NOT_ON_PATH = "neither vitis-run nor vitis_hls on PATH"
Progress = Callable[[str, float], None]

log = logging.getLogger(__name__)


def synthesise(
    project: VitisProject,
    plan: HwPlan,
    folder: Path,
    *,
    timeout_s: float,
    graph: IntGraph,
    codes: IntArray,
    progress: Progress | None = None,
) -> VitisSynth:
    """Synthesise a project with Vitis HLS."""
    try:
        find_vitis()
    except ToolMissing:
        return _not_run(project, NOT_ON_PATH)
    raise NotImplementedError


def _not_run(project: VitisProject, why: str) -> VitisSynth:
    return VitisSynth(
        tool=None,
        version=None,
        part=project.part,
        ran=False,
        reason=why,
        csynth=None,
        cosim=None,
        rtl=None,
        vivado_version=None,
        vivado=None,
        timing=None,
        not_run=(NotRun("Vitis HLS (synthesis, co-simulation)", why),),
        seconds=0.0,
    )
