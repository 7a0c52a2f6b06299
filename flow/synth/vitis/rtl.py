"""Vitis HLS' Verilog in the network's own bench: the same stimulus, stalls and comparison."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from flow import __version__
from flow.emit.project import Project
from flow.emit.top import axis_width
from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.tool import verilog_folder
from flow.errors import DataError
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan
from flow.simulate.ends import simulate_ends
from flow.simulate.network import StallSettings
from flow.synth.vitis.ports import connect, read_ports
from flow.synth.vitis.result import Csynth, RtlCheck
from flow.templates import render
from rtl_sim.harness import BENCH_LIB, UNIT_RTL

ADAPTER = BENCH_LIB.parent / "network" / "vitis_top.sv.j2"
ADAPTER_UNITS = ("loop_counter.sv", "axis_ingress.sv", "axis_egress.sv")
MEMORY_SUFFIXES = (".dat", ".mif")
# Verilator reads what these comments hide from synthesis (its issue 24): with AXI4-Stream ports, a
# monitor of deadlocks that looks into every module.
NO_HARDWARE = re.compile(r"//\s*synthesis translate_off\b.*?//\s*synthesis translate_on\b", re.S)
MONITORS = "_hls_deadlock_"
MEMORY = re.compile(r'(\$readmem[hb]\s*\(\s*)"([^"]*)"')
STALLS = StallSettings(30, 30, (1, 2))


def check_rtl(
    project: VitisProject,
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    csynth: Csynth,
    folder: Path,
    *,
    timeout_s: float,
    stalls: StallSettings = STALLS,
    progress: Callable[[str], None] = lambda text: None,
) -> RtlCheck:
    """Play `codes` [n, h, w, c] through the synthesised Verilog of a project with streams.

    What is hardware of the Verilog is copied; memory files, which the tool writes beside it and
    loads by a path of its own, are loaded from the copy.

    Raises:
        Mismatch: an output word differs from the integer reference.
        DataError: the Verilog or a memory file is missing, or its ports are others than the
            project's pragmas ask for.
        FlowError: words are missing or surplus, or the RTL got stuck.
        ToolFailed: the Verilog cannot be built.
    """
    source = verilog_folder(project)
    top = source / f"{project.name}.v"
    connections = connect(read_ports(top, project.name), plan, graph.output.name, top)
    rtl = folder / "rtl"
    shutil.rmtree(rtl, ignore_errors=True)
    rtl.mkdir(parents=True)
    sources, memories = _copy(source, rtl)
    module = f"{project.name}_vitis_top"
    (rtl / f"{module}.sv").write_text(_adapter(module, project, graph, plan, connections))
    staged = Project(
        root=folder,
        name=project.name,
        top_module=module,
        units=(),
        sources=(*ADAPTER_UNITS, *sources, f"{module}.sv"),
        plan_hash=project.plan_hash,
    )
    result = simulate_ends(
        staged, memories, graph, plan, codes, folder,
        stalls=stalls,
        frame_cycles=max(plan.est_ii_cycles, csynth.interval_max_cycles or 0),
        timeout_s=timeout_s,
        progress=progress,
    )  # fmt: skip
    return RtlCheck(
        frames=result.frames,
        words_compared=sum(run.outputs_compared for run in result.runs),
        mismatches=sum(run.mismatches for run in result.runs),
        ii_cycles=result.ii_cycles,
        latency_cycles=result.latency_cycles,
        runs=result.runs,
    )


def _copy(source: Path, rtl: Path) -> tuple[list[str], list[Path]]:
    """Put the Verilog, the adapter's units and the memory files into `rtl`."""
    for unit in ADAPTER_UNITS:
        shutil.copyfile(UNIT_RTL / unit, rtl / unit)
    memories = []
    for file in sorted(source.iterdir()):
        if file.suffix in MEMORY_SUFFIXES:
            memories.append(Path(shutil.copyfile(file, rtl / file.name)))
    names = {file.name for file in memories}
    sources = sorted(file.name for file in source.glob("*.v") if MONITORS not in file.name)
    for name in sources:
        text = (source / name).read_text(errors="replace")
        (rtl / name).write_text(_localised(NO_HARDWARE.sub("", text), source / name, names))
    return sources, memories


def _localised(text: str, source: Path, memories: set[str]) -> str:
    """The text with every memory file named without its folder."""

    def local(call: re.Match[str]) -> str:
        name = Path(call[2]).name
        if name not in memories:
            raise DataError(
                f"{source} loads {call[2]!r}, but {source.parent / name} is missing.\n"
                "  Run C synthesis again."
            )
        return f'{call[1]}"{name}"'

    return MEMORY.sub(local, text)


def _adapter(
    module: str,
    project: VitisProject,
    graph: IntGraph,
    plan: HwPlan,
    connections: list[tuple[str, str]],
) -> str:
    return render(
        ADAPTER,
        header=f"shiftflow {__version__}; generated, do not edit",
        module=module,
        dut=project.name,
        last=graph.output.name,
        input=_stream(plan.input_bits * plan.input_elems, plan.input_beats),
        output=_stream(plan.output_bits * plan.output_elems, plan.output_beats),
        connections=connections,
    )


def _stream(bits: int, beats: int) -> dict[str, int]:
    return {"bits": bits, "axis_bits": axis_width(bits), "beats": beats}
