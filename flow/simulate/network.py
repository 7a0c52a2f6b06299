"""Simulate the whole network in RTL, and every layer by itself, against the integer reference."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.emit.project import Project
from flow.emit.top import axis_width
from flow.emit.writer import check_roms
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph
from flow.plan.hwplan import HwPlan
from flow.simulate.bench import WARM_UP_FRAMES, Bench, steady_cycles
from flow.simulate.layers import LAYER_FRAMES, simulate_layers
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.simulate.stimuli import INPUT, OUTPUT, OUTPUT_FILE, GoldenStream, write_stimuli
from rtl_sim.harness import Model, Profile, ProfileResult, Tap, TapResult

MIN_BLOCK_CYCLES = 64  # of a long stall; half a frame where that is more
TIMEOUT_FACTOR = 4  # over the time that the stalls alone would need
DEFAULT_TIMEOUT_S = 1800.0
ENGINE = "verilator"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StallSettings:
    """Share of stalled cycles at the input and the output, in percent, and one seed per run."""

    in_percent: int
    out_percent: int
    seeds: tuple[int, ...]

    def profile(self, seed: int) -> Profile:
        """The bench's knobs are probabilities in 256ths."""
        source, sink = (p * 256 // 100 for p in (self.in_percent, self.out_percent))
        return Profile("random", source, sink, seed)


def simulate(
    project: Project,
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    folder: Path,
    *,
    frames: int,
    stalls: StallSettings,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Progress = lambda text: None,
) -> SimResult:
    """Run `frames` frames of `codes` [n, h, w, c] without stalls, then once per stall seed.

    A last run is cut off by a reset in mid-frame and starts again. Fewer than LAYER_FRAMES frames
    are repeated up to that number, so that there is a steady state to measure.

    Args:
        timeout_s: limit of each build and each simulation.
        progress: called with what is done next.

    Raises:
        Mismatch: a word of any layer differs, is missing or surplus; names the first wrong layer.
        FlowError: a layer needs other cycles than planned, or the simulation got stuck.
    """
    check_roms(project)
    codes = played_codes(codes[:frames])
    played = len(codes)
    progress("integer reference")
    taps = run_taps(
        graph, codes, lambda done, _: progress(f"integer reference, {done} of {played}")
    )
    bench = make_bench(project, graph, plan, taps, folder, played, timeout_s)
    progress("every layer by itself")
    layers = simulate_layers(bench)
    progress("building the network's model")
    model = build_network(bench)
    profiles = stall_profiles(bench, stalls)
    progress(f"{played} frames under {len(profiles)} stall profiles")
    results = bench.play(
        model,
        network_probes(bench, played),
        profiles,
        frames=played,
        timeout_cycles=timeout_cycles(bench, played, stalls),
    )
    return _result(bench, profiles, results, layers)


def played_frames(frames: int) -> int:
    """Frames that the benches are made for, so that there is a steady state to measure."""
    return max(frames, LAYER_FRAMES)


def played_codes(codes: IntArray) -> IntArray:
    """`codes` [n, ...], from the first again where n is below `played_frames(n)`."""
    repeated: IntArray = codes[np.arange(played_frames(len(codes))) % len(codes)]
    return repeated


def make_bench(
    project: Project,
    graph: IntGraph,
    plan: HwPlan,
    taps: Mapping[str, IntArray],
    folder: Path,
    frames: int,
    timeout_s: float,
    frame_cycles: int | None = None,
) -> Bench:
    """Put the golden words of all streams and the ROM files into `folder`.

    Args:
        taps: codes of the input and of every layer, as `run_taps` gives them.
        frames: that the benches are made for; `taps` may hold fewer.
        frame_cycles: see `Bench`; by default the plan's estimate.
    """
    streams = write_stimuli(graph, plan, taps, folder / "stimuli")
    bench = Bench(
        project, graph, plan, streams, folder, frames, timeout_s,
        plan.est_ii_cycles if frame_cycles is None else frame_cycles,
    )  # fmt: skip
    for unit in project.units:
        for rom in unit.roms:
            shutil.copyfile(project.rtl / rom.path, bench.stimuli / rom.path)
    return bench


def stall_profiles(bench: Bench, stalls: StallSettings) -> list[Profile]:
    """No stalls; random stalls per seed; and a run after a reset that hits frames under way."""
    cycles = bench.frame_cycles
    cut = (cycles // 3, 2 * cycles + cycles // 2)
    return [
        Profile("none"),
        *(stalls.profile(seed) for seed in stalls.seeds),
        Profile("reset", reset_after_cycles=cut),
    ]


def build_network(bench: Bench, extra_args: Sequence[str] = ()) -> Model:
    """Compile the whole network's bench; a model in the bench's folder that is up to date stays.

    Args:
        extra_args: of Verilator.
    """
    plan, streams = bench.plan, bench.streams
    source = streams[INPUT]
    return bench.build(
        "network_bench",
        "network_bench.sv.j2",
        extra_args=extra_args,
        top=bench.project.top_module,
        block_cycles=max(bench.frame_cycles // 2, MIN_BLOCK_CYCLES),
        input={"width": axis_width(source.width), "beats": source.beats, "file": source.file},
        output=_output(plan),
        taps=list(streams.values()),
        warm_up=WARM_UP_FRAMES,
    )


def network_probes(bench: Bench, frames: int) -> list[Tap]:
    """What the probes of every layer and of the output should see of so many frames."""
    return [
        Tap(stream.instance, stream.beats * frames, stream.layer, frames)
        for stream in (*bench.streams.values(), _output(bench.plan))
    ]


def _output(plan: HwPlan) -> GoldenStream:
    return GoldenStream(
        layer=OUTPUT,
        instance="u_output.u_tap",
        stream=OUTPUT,
        file=OUTPUT_FILE,
        width=axis_width(plan.output_bits * plan.output_elems),
        beats=plan.output_beats,
        elems=plan.output_elems,
        bits=plan.output_bits,
        signed=False,  # framing bits stand above the codes: words are compared as they are
    )


def _result(
    bench: Bench,
    profiles: Sequence[Profile],
    results: Sequence[ProfileResult],
    layers: Mapping[str, int],
) -> SimResult:
    plan, frames = bench.plan, bench.frames
    free, *_ = results
    by_label = {tap.label: tap for tap in free.taps}
    sources = [INPUT if node.sources[0] == bench.graph.input_name else node.sources[0]
               for node in bench.graph.nodes]  # fmt: skip
    runs = network_runs(profiles, results, frames)
    return SimResult(
        engine=ENGINE,
        frames=frames,
        outputs_compared=sum(run.outputs_compared for run in runs),
        mismatches=sum(run.mismatches for run in runs),
        ii_cycles=steady_cycles(by_label[OUTPUT]),
        latency_cycles=latency_cycles(free),
        sim_cycles_per_s=sum(r.cycles for r in results) / sum(r.wall_s for r in results),
        wall_s=sum(result.wall_s for result in results),
        runs=runs,
        layers=tuple(
            LayerSim(
                name=unit.name,
                sim_cycles=layers[unit.name],
                ii_cycles=steady_cycles(by_label[unit.name]),
                starved=_share(by_label[source].starved_cycles, by_label[source]),
                blocked=_share(by_label[unit.name].blocked_cycles, by_label[unit.name]),
                words_compared=sum(t.received for r in results for t in r.taps
                                   if t.label == unit.name),
                mismatches=sum(t.mismatches for r in results for t in r.taps
                               if t.label == unit.name),
            )
            for unit, source in zip(plan.units, sources, strict=True)
        ),
    )  # fmt: skip


def latency_cycles(result: ProfileResult) -> int:
    """From the first input word taken to the last output word of the first frame, both included."""
    by_label = {tap.label: tap for tap in result.taps}
    return by_label[OUTPUT].frame_end_cycles[0] - by_label[INPUT].first_cycle + 1


def network_runs(
    profiles: Sequence[Profile], results: Sequence[ProfileResult], frames: int
) -> tuple[SimRun, ...]:
    """What each pass of all frames compared."""
    return tuple(
        _run(result, profile.seed, frames)
        for result, profile in zip(results, profiles, strict=True)
    )


def _share(cycles: int, tap: TapResult) -> float:
    """Of the cycles between the end of the warm-up and the end of the last frame."""
    ends = tap.frame_end_cycles
    return cycles / (ends[-1] - ends[WARM_UP_FRAMES - 1])


def _run(result: ProfileResult, seed: int, frames: int) -> SimRun:
    return SimRun(
        stall_profile=result.profile,
        seed=seed,
        frames=frames,
        outputs_compared=sum(tap.received for tap in result.taps),
        mismatches=sum(tap.mismatches for tap in result.taps),
        cycles=result.cycles,
        wall_s=result.wall_s,
    )


def timeout_cycles(bench: Bench, frames: int, stalls: StallSettings) -> int:
    """Cycles after which a run of so many frames is stuck."""
    factor = TIMEOUT_FACTOR * 100 // (100 - max(stalls.in_percent, stalls.out_percent))
    return factor * bench.frame_cycles * (frames + len(bench.plan.units) + WARM_UP_FRAMES)
