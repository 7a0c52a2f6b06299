"""Engine `vitis`: hls4ml-style C++ projects for Vitis HLS, and their C simulation with g++.

    project = write_vitis_project(graph, plan, folder, "io_stream")
    library = compile_vitis(project)                # g++, once for the same sources
    taps = csim.run(library, graph, codes)          # every layer's codes, as reference.run_taps
    run_testbench(project)                          # the project's own testbench

Operators are added in `flow.emit.vitis.operators`.
"""

from flow.emit.vitis import csim
from flow.emit.vitis.command import Mode
from flow.emit.vitis.compile import Library, compile_vitis
from flow.emit.vitis.layers import IO_TYPES
from flow.emit.vitis.project import VitisProject, load_vitis_project
from flow.emit.vitis.testbench import TestbenchResult, run_testbench
from flow.emit.vitis.writer import write_vitis_project

__all__ = [
    "IO_TYPES",
    "Library",
    "Mode",
    "TestbenchResult",
    "VitisProject",
    "compile_vitis",
    "csim",
    "load_vitis_project",
    "run_testbench",
    "write_vitis_project",
]
