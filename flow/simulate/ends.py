"""RTL that another tool made of a network, in the network's bench: its two ends are compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flow.emit.project import Project
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph
from flow.plan.hwplan import HwPlan
from flow.simulate.bench import steady_cycles
from flow.simulate.network import (
    StallSettings,
    build_network,
    latency_cycles,
    make_bench,
    network_probes,
    network_runs,
    played_codes,
    stall_profiles,
    timeout_cycles,
)
from flow.simulate.result import SimRun
from flow.simulate.stimuli import INPUT, OUTPUT

# Generated Verilog is not written for linters; `#0` in its initial blocks has no meaning here.
FOREIGN_ARGS = ("-Wno-fatal", "--no-timing")


@dataclass(frozen=True, slots=True)
class EndsResult:
    """All runs; cycles are those of the run without stalls."""

    frames: int
    ii_cycles: int
    latency_cycles: int
    runs: tuple[SimRun, ...]


def simulate_ends(
    project: Project,
    memories: Sequence[Path],
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    folder: Path,
    *,
    stalls: StallSettings,
    frame_cycles: int,
    timeout_s: float,
    progress: Callable[[str], None] = lambda text: None,
) -> EndsResult:
    """Play `codes` [n, h, w, c] under the profiles of `simulate` and compare input and output.

    Args:
        project: sources, and a top module that has the network's ports and, inside, the streams
            `ingress_*` and those of the last layer.
        memories: files that the sources load by their names alone.
        frame_cycles: that the RTL is said to need per frame; from it follow the limits of a run.
        timeout_s: limit of the build and of the simulation.

    Raises:
        Mismatch: an output word differs from the integer reference.
        FlowError: words are missing or surplus, or the RTL got stuck.
        ToolFailed: the RTL cannot be built.
    """
    codes = played_codes(codes)
    progress("integer reference")
    taps = run_taps(graph, codes)
    bench = make_bench(project, graph, plan, taps, folder, len(codes), timeout_s, frame_cycles)
    ends = (INPUT, graph.output.name)
    bench = replace(bench, streams={name: bench.streams[name] for name in ends})
    for file in memories:
        shutil.copyfile(file, bench.stimuli / file.name)
    progress("building the model")
    model = build_network(bench, FOREIGN_ARGS)
    profiles = stall_profiles(bench, stalls)
    progress(f"{len(codes)} frames under {len(profiles)} stall profiles")
    results = bench.play(
        model,
        network_probes(bench, len(codes)),
        profiles,
        frames=len(codes),
        timeout_cycles=timeout_cycles(bench, len(codes), stalls),
    )
    free, *_ = results
    output = next(tap for tap in free.taps if tap.label == OUTPUT)
    return EndsResult(
        len(codes),
        steady_cycles(output),
        latency_cycles(free),
        network_runs(profiles, results, len(codes)),
    )
