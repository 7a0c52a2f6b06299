"""C simulation of a Vitis HLS project against the integer reference: every word of every layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from flow.emit.vitis import Library, Mode, VitisProject, compile_vitis, csim, run_testbench
from flow.emit.vitis.compile import compile_testbench
from flow.emit.vitis.testbench import write_frames
from flow.errors import Mismatch
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph
from flow.simulate.answer import Answer
from flow.simulate.csim_result import ENGINE, CsimLayer, CsimResult, CsimRun

BIT_TRUE_FRAMES = 8  # ap_int is slow; the testbench runs the same frames
BATCH = 16  # frames between two looks at Ctrl-C, which waits while C++ runs

Progress = Callable[[str], None]


def csimulate(
    project: VitisProject,
    graph: IntGraph,
    codes: IntArray,
    *,
    timeout_s: float,
    progress: Progress = lambda text: None,
) -> CsimResult:
    """Run `codes` [n, h, w, c] in native arithmetic, the first of them in exact widths too.

    The project's own testbench runs these first BIT_TRUE_FRAMES as well. Libraries, logs and the
    testbench's frames are put into the project's folder.

    Args:
        timeout_s: limit of each call of g++ and of the testbench.
        progress: called with what is done next.

    Raises:
        Mismatch: a word of any layer differs; names the first wrong layer of the first wrong run.
        ToolMissing, ToolFailed: g++ is missing or failed.
        FlowError: a step did not end in time, or a stream held more or less than a frame needs.
    """
    few = codes[:BIT_TRUE_FRAMES]
    progress("integer reference")
    expected = run_taps(graph, codes)
    runs = []
    for mode, frames in ((Mode.NATIVE, codes), (Mode.BIT_TRUE, few)):
        progress(f"compiling, {mode.value} arithmetic")
        started = time.monotonic()
        library = compile_vitis(project, mode=mode, timeout_s=timeout_s)
        compiled_s = time.monotonic() - started
        progress(f"{len(frames)} frames, {mode.value} arithmetic")
        taps, wall_s = _run(library, graph, frames)
        compared = _compare(taps, expected, graph, library)
        runs.append(CsimRun(mode.value, len(frames), compared, 0, compiled_s, wall_s))
    runs.append(_testbench(project, graph, few, timeout_s, progress))
    return CsimResult(
        engine=ENGINE,
        io_type=project.io_type,
        frames=len(codes),
        outputs_compared=sum(run.outputs_compared for run in runs),
        mismatches=0,  # the first one is an error
        wall_s=sum(run.wall_s for run in runs),
        runs=tuple(runs),
        layers=tuple(
            CsimLayer(name, expected[name].size + expected[name][: len(few)].size, 0)
            for name in (node.name for node in graph.nodes)
        ),
    )


def c_answer(project: VitisProject, graph: IntGraph, codes: IntArray, timeout_s: float) -> Answer:
    """Send `codes` [n, h, w, c] through the compiled C++, comparing every layer's every word.

    Raises:
        As `csimulate`.
    """
    expected = run_taps(graph, codes)
    library = compile_vitis(project, timeout_s=timeout_s)
    taps, _ = _run(library, graph, codes)
    compared = _compare(taps, expected, graph, library)
    output = graph.output.name
    return Answer(taps[output], expected[output], compared, None)


def _run(
    library: Library, graph: IntGraph, codes: IntArray
) -> tuple[Mapping[str, IntArray], float]:
    """Codes of all layers, and the seconds that took, compilers and comparisons left out."""
    parts: list[dict[str, IntArray]] = []
    wall_s = 0.0
    for start in range(0, len(codes), BATCH):
        started = time.monotonic()
        parts.append(csim.run(library, graph, codes[start : start + BATCH]))
        wall_s += time.monotonic() - started
    names = [node.name for node in graph.nodes]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}, wall_s


def _compare(
    taps: Mapping[str, IntArray],
    expected: Mapping[str, IntArray],
    graph: IntGraph,
    library: Library,
) -> int:
    """Words compared; `expected` may hold more frames than `taps`.

    Raises:
        Mismatch: of the first layer that differs.
    """
    for node in graph.nodes:
        got = taps[node.name]
        _check(node.name, expected[node.name][: len(got)], got, library)
    return sum(got.size for got in taps.values())


def _check(layer: str, expected: IntArray, got: IntArray, library: Library) -> None:
    different = np.argwhere(got != expected)
    if not len(different):
        return
    first = tuple(int(place) for place in different[0])
    raise Mismatch(
        layer,
        first,
        int(expected[first]),
        int(got[first]),
        len(different),
        expected.size,
        f"index: (frame, y, x, channel); C simulation in {library.mode.value} arithmetic: "
        f"{library.path}",
    )


def _testbench(
    project: VitisProject, graph: IntGraph, codes: IntArray, timeout_s: float, progress: Progress
) -> CsimRun:
    progress("compiling the testbench")
    write_frames(project.root, graph, codes)
    started = time.monotonic()
    compile_testbench(project, timeout_s=timeout_s)
    compiled = time.monotonic()
    result = run_testbench(project, timeout_s=timeout_s)
    ended = time.monotonic()
    return CsimRun(
        "testbench",
        result.frames,
        result.codes_compared,
        0,
        compiled - started,
        ended - compiled,
    )
