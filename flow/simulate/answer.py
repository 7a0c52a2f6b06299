"""The hardware's own answer to single frames: the output words of the RTL, read back as codes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.emit.project import Project
from flow.emit.writer import check_roms
from flow.errors import DataError
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph
from flow.plan.hwplan import HwPlan
from flow.simulate.network import (
    DEFAULT_TIMEOUT_S,
    StallSettings,
    build_network,
    latency_cycles,
    make_bench,
    network_probes,
    timeout_cycles,
)
from rtl_sim.harness import Profile, unpack

MODEL = "network_bench.build"
NO_STALLS = StallSettings(0, 0, ())


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Output codes [n, h, w, c] by a simulation and by the integer reference; they are equal."""

    simulated: IntArray
    integer: IntArray
    words_compared: int  # at every layer
    # from the first input word taken to the last output word of a frame; C simulation knows none
    latency_cycles: int | None


def answer(
    project: Project,
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    folder: Path,
    *,
    simulated: Path,
    frames: int,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Answer:
    """Send `codes` [n, h, w, c] through the whole network, comparing every layer's every word.

    Args:
        folder: for the files of this run.
        simulated: folder of an earlier `simulate`; its compiled model is used if it still fits.
        frames: that model was made for; n may not be larger.

    Raises:
        Mismatch: a word differs from the integer reference.
        DataError: the RTL's answer is incomplete.
    """
    check_roms(project)
    _link_model(simulated / MODEL, folder / MODEL)
    taps = run_taps(graph, codes)
    bench = make_bench(project, graph, plan, taps, folder, frames, timeout_s)
    captured = folder / "answer.hex"
    (result,) = bench.play(
        build_network(bench),
        network_probes(bench, len(codes)),
        [Profile("none")],
        frames=len(codes),
        timeout_cycles=timeout_cycles(bench, len(codes), NO_STALLS),
        plusargs=[f"+capture={captured}"],
    )
    return Answer(
        _read(captured, graph, plan, len(codes)),
        taps[graph.output.name],
        sum(tap.received for tap in result.taps),
        latency_cycles(result),
    )


def _link_model(built: Path, place: Path) -> None:
    """A copy that shares the files' content: should the model be out of date, only it changes."""
    if built.is_dir():
        shutil.copytree(built, place, copy_function=os.link)


def _read(captured: Path, graph: IntGraph, plan: HwPlan, frames: int) -> IntArray:
    words = [int(line, 16) for line in captured.read_text().split()]
    wanted = frames * plan.output_beats
    if len(words) != wanted:
        raise DataError(f"the RTL answered {len(words)} words, {wanted} were expected: {captured}.")
    codes = [
        unpack(word, plan.output_bits, plan.output_elems, signed=graph.output.y.signed)
        for word in words
    ]
    return np.array(codes, np.int64).reshape(frames, *graph.output.out_shape)
