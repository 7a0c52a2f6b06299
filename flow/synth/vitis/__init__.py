"""Vitis HLS on a project of engine `vitis`: reports, and its Verilog against the integers.

    result = synthesise(project, plan, folder, timeout_s=36000, graph=graph, codes=codes)
    save_vitis_synth(result, folder / "vitis.json")

Without Vitis HLS on PATH nothing fails: `result.ran` is false, `result.reason` says why.
"""

from flow.emit.vitis.tool import installed_tools
from flow.synth.vitis.hls4ml_report import hls4ml_report
from flow.synth.vitis.result import (
    Cosim,
    Csynth,
    HlsModule,
    HlsResources,
    NotRun,
    RtlCheck,
    Timing,
    Utilisation,
    VitisSynth,
    load_vitis_synth,
    save_vitis_synth,
)
from flow.synth.vitis.synthesise import run_steps, synthesise

__all__ = [
    "Cosim",
    "Csynth",
    "HlsModule",
    "HlsResources",
    "NotRun",
    "RtlCheck",
    "Timing",
    "Utilisation",
    "VitisSynth",
    "hls4ml_report",
    "installed_tools",
    "load_vitis_synth",
    "run_steps",
    "save_vitis_synth",
    "synthesise",
]
