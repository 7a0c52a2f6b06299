"""The project's own testbench: its frames, and a run of it with g++."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.emit.vitis.command import Mode
from flow.emit.vitis.compile import TIMEOUT_S, compile_testbench
from flow.emit.vitis.files import write_atomically
from flow.emit.vitis.project import VitisProject
from flow.errors import FlowError, Mismatch, ToolFailed
from flow.graph.reference import run
from flow.graph.types import IntArray, IntGraph
from flow.run_limited import Outcome, run_limited

RANDOM_FRAMES = 4
INPUTS = "tb_data/tb_input_features.dat"
OUTPUTS = "tb_data/tb_output_predictions.dat"
CSIM_RESULTS = "tb_data/csim_results.log"
LOG = "csim.log"
SUMMARY = re.compile(r"INFO: (\d+) frames, (\d+) codes compared, (\d+) differ")
FIRST = re.compile(r"ERROR: frame (\d+), code (\d+): expected (-?\d+), got (-?\d+)")


@dataclass(frozen=True, slots=True)
class TestbenchResult:
    """What the testbench compared with the integer reference; no code differed."""

    __test__ = False  # not a test, whatever pytest makes of the name

    frames: int
    codes_compared: int


def write_frames(folder: Path, graph: IntGraph, codes: IntArray | None) -> None:
    """Write the testbench's inputs [n, h, w, c] and the outputs that the reference gives for them.

    Args:
        codes: random ones where None.

    Raises:
        DataError: shape or values do not fit the graph's input.
    """
    if codes is None:
        low, high = graph.input_type.lo, graph.input_type.hi + 1
        codes = np.random.default_rng(1).integers(low, high, (RANDOM_FRAMES, *graph.input_shape))
    expected = run(graph, codes)
    write_atomically(folder / INPUTS, _lines(codes))
    write_atomically(folder / OUTPUTS, _lines(expected))


def run_testbench(
    project: VitisProject, mode: Mode | str = Mode.NATIVE, timeout_s: float = TIMEOUT_S
) -> TestbenchResult:
    """Compile the testbench with g++ and run it in the project's folder.

    Raises:
        Mismatch: a code differs from the integer reference.
        ToolMissing, ToolFailed: g++ is missing or failed, or the testbench could not read its data.
        FlowError: a step did not end within `timeout_s`.
    """
    program = compile_testbench(project, mode, timeout_s)
    log = project.root.absolute() / LOG
    outcome, code = run_limited([str(program)], project.root, log, timeout_s)
    if outcome is not Outcome.EXITED:
        raise FlowError(
            f"the testbench of {project.name!r} did not end within {timeout_s:g} s.\n  log: {log}"
        )
    text = log.read_text(errors="replace")
    summary, first = SUMMARY.search(text), FIRST.search(text)
    if code == 1 and summary and first:
        frame, index, expected, got = map(int, first.groups())
        different, compared = int(summary[3]), int(summary[2])
        output = project.taps[-1].name
        raise Mismatch(output, (frame, index), expected, got, different, compared, f"log: {log}")
    if code != 0 or summary is None:
        raise ToolFailed(f"the testbench of {project.name!r}", [str(program)], code, log)
    return TestbenchResult(int(summary[1]), int(summary[2]))


def _lines(codes: IntArray) -> str:
    return "".join(" ".join(map(str, frame)) + "\n" for frame in codes.reshape(len(codes), -1))
