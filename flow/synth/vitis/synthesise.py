"""Vitis HLS, the bench for its Verilog, and Vivado, one after the other."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from flow.emit.vitis.project import MANIFEST, VitisProject, load_vitis_project
from flow.emit.vitis.testbench import write_frames
from flow.emit.vitis.tool import VIVADO, Steps, find_vitis, run_vitis, run_vivado, why_not
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan
from flow.synth.vitis.csynth import read_cosim, read_csynth
from flow.synth.vitis.result import Csynth, NotRun, RtlCheck, Timing, Utilisation, VitisSynth
from flow.synth.vitis.rtl import check_rtl
from flow.synth.vitis.vivado import read_timing, read_utilisation

VITIS_STEPS = "Vitis HLS (synthesis, co-simulation)"
COSIM_STEP = "Vitis HLS (co-simulation)"
RTL_STEP = "simulation of Vitis HLS' Verilog"
VIVADO_STEP = "Vivado (logic synthesis)"
NOT_ASKED = "not asked for"
WORK = "project"  # the copy in which the tools work
BENCH = "bench"

Progress = Callable[[str, float], None]


def synthesise(
    project: VitisProject,
    plan: HwPlan,
    folder: Path,
    *,
    timeout_s: float,
    graph: IntGraph,
    codes: IntArray,
    progress: Progress | None = None,
    cosim: bool = False,
) -> VitisSynth:
    """Run Vitis HLS and what follows it, in a fresh copy of the project in `folder`.

    Steps: C synthesis and, with `cosim`, the tool's co-simulation; the Verilog in the network's
    bench, all stall profiles, input and output compared with the integer reference; Vivado's logic
    synthesis, where Vivado is on PATH.

    Args:
        timeout_s: of each of Vitis HLS, Vivado, the bench's build and its simulation.
        codes: [n, h, w, c] frames for the bench and for co-simulation.
        progress: called with what begins and the share of steps done (0 to 1).

    Returns:
        What ran; `ran` is false where Vitis HLS is not on PATH, or too old.

    Raises:
        Mismatch: the Verilog computes other integers.
        ToolFailed: a tool failed, or printed an error whatever its exit code.
        FlowError: a tool did not end within `timeout_s`, or the Verilog gets stuck.
        DataError: a report or the Verilog is missing, damaged, or of something else; the project
            was changed after it was written.
    """
    if reason := why_not():
        return _without_vitis(project, reason)
    work = _copy(project, folder / WORK)
    write_frames(work.root, graph, codes)
    has_vivado = shutil.which(VIVADO) is not None
    return run_steps(
        work, plan, graph, codes, folder / BENCH,
        steps=Steps(csim=False, synth=True, cosim=cosim, vsynth=has_vivado),
        why_no_vivado=f"{VIVADO} not on PATH",
        timeout_s=timeout_s,
        progress=progress,
    )  # fmt: skip


def run_steps(
    project: VitisProject,
    plan: HwPlan,
    graph: IntGraph,
    codes: IntArray,
    bench: Path,
    *,
    steps: Steps,
    timeout_s: float,
    why_no_vivado: str = NOT_ASKED,
    progress: Progress | None = None,
) -> VitisSynth:
    """Run steps of Vitis HLS and Vivado in the project's own folder and read what they left.

    The bench runs on the Verilog that is there then, whether `steps` made it or earlier ones.

    Args:
        bench: folder for the bench.
        why_no_vivado: the reason to give where `steps` leave Vivado out.

    Raises:
        As `synthesise`; ToolMissing where Vitis HLS or Vivado is needed and not there.
    """
    started = time.monotonic()
    tell = progress or (lambda text, share: None)
    tell("Vitis HLS", 0.0)
    run_vitis(project, steps, timeout_s)
    csynth, version = read_csynth(project)
    tell(RTL_STEP, 0.4)
    rtl, no_rtl = _rtl(project, graph, plan, codes, csynth, bench, timeout_s, tell)
    tell("Vivado", 0.7)
    vivado, vivado_version, timing = _vivado(project, steps, timeout_s)
    return VitisSynth(
        tool=Path(find_vitis()[0]).name,
        version=version,
        part=project.part,
        ran=True,
        reason=None,
        csynth=csynth,
        cosim=read_cosim(project) if steps.cosim else None,
        rtl=rtl,
        vivado_version=vivado_version,
        vivado=vivado,
        timing=timing,
        not_run=(
            *([] if steps.cosim else [NotRun(COSIM_STEP, NOT_ASKED)]),
            *no_rtl,
            *([] if steps.vsynth else [NotRun(VIVADO_STEP, why_no_vivado)]),
        ),
        seconds=round(time.monotonic() - started, 2),
    )


def _copy(project: VitisProject, place: Path) -> VitisProject:
    """What was written of the project, without anything that a tool left in it."""
    load_vitis_project(project.root)
    shutil.rmtree(place, ignore_errors=True)
    for name in (*project.files, MANIFEST):
        copy = place / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project.root / name, copy)
    return load_vitis_project(place)


def _rtl(
    project: VitisProject,
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    csynth: Csynth,
    folder: Path,
    timeout_s: float,
    tell: Progress,
) -> tuple[RtlCheck | None, list[NotRun]]:
    if project.io_type != "io_stream":
        why = f"the bench drives streams, and {project.io_type} has none"
        return None, [NotRun(RTL_STEP, why)]
    result = check_rtl(
        project, graph, plan, codes, csynth, folder,
        timeout_s=timeout_s,
        progress=lambda text: tell(f"Vitis HLS' Verilog: {text}", 0.4),
    )  # fmt: skip
    return result, []


def _vivado(
    project: VitisProject, steps: Steps, timeout_s: float
) -> tuple[Utilisation | None, str | None, Timing | None]:
    if not steps.vsynth:
        return None, None, None
    run_vivado(project, timeout_s)
    utilisation, version = read_utilisation(project)
    return utilisation, version, read_timing(project)


def _without_vitis(project: VitisProject, why: str) -> VitisSynth:
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
        not_run=(NotRun(VITIS_STEPS, why), NotRun(RTL_STEP, why), NotRun(VIVADO_STEP, why)),
        seconds=0.0,
    )
