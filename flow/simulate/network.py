"""Simulate the whole network in RTL, and every layer by itself, against the integer reference."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flow import __version__
from flow.emit.project import Project
from flow.emit.top import axis_width
from flow.emit.writer import check_roms
from flow.errors import FlowError, Mismatch
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph
from flow.plan.hwplan import HwPlan
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.simulate.stimuli import INPUT, OUTPUT, GoldenStream, locate, write_stimuli
from rtl_sim.harness import (
    BENCH_LIB,
    Model,
    Profile,
    ProfileResult,
    Tap,
    TapResult,
    build,
    play,
)

LOG = logging.getLogger(__name__)
TEMPLATES = BENCH_LIB.parent / "network"
LAYER_FRAMES = 5  # enough for a steady state of one unit
MIN_BLOCK_CYCLES = 64  # of a long stall; half a frame where that is more
WARM_UP_FRAMES = 2  # the pipeline of layers fills while these pass
TIMEOUT_FACTOR = 4  # over the time that the stalls alone would need
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
    progress: Progress = lambda text: None,
) -> SimResult:
    """Run `frames` frames of `codes` [n, h, w, c] without stalls, then once per stall seed.

    Args:
        progress: called with what is done next.

    Raises:
        Mismatch: a word of any layer differs, is missing or surplus; names the first wrong layer.
        FlowError: a layer needs other cycles than planned, or the simulation got stuck.
    """
    check_roms(project)
    frames = min(frames, len(codes))
    progress("integer reference")
    taps = run_taps(graph, codes[:frames])
    stimuli = folder / "stimuli"
    streams = write_stimuli(graph, plan, taps, stimuli)
    for unit in project.units:
        for rom in unit.roms:
            shutil.copyfile(project.rtl / rom.path, stimuli / rom.path)
    progress("every layer by itself")
    layers = _simulate_layers(project, graph, plan, streams, folder, frames)
    progress("building the network's model")
    model, probes = _build_network(project, plan, streams, folder, frames)
    profiles = [Profile("none"), *(stalls.profile(seed) for seed in stalls.seeds)]
    budget = _timeout_cycles(plan, frames, stalls)
    progress(f"{frames} frames under {len(profiles)} stall profiles")
    results = _play_checked(model, probes, profiles, stimuli, frames, budget, graph, streams)
    return _result(plan, profiles, results, layers, frames)


def _build_network(
    project: Project,
    plan: HwPlan,
    streams: Mapping[str, GoldenStream],
    folder: Path,
    frames: int,
) -> tuple[Model, list[Tap]]:
    width = axis_width(plan.output_bits * plan.output_elems)
    output = GoldenStream(
        OUTPUT, "u_output.u_tap", OUTPUT, f"{OUTPUT}.hex", width, plan.output_beats,
        plan.output_elems, plan.output_bits,
    )  # fmt: skip
    source = streams[INPUT]
    text = _render(
        "network_bench.sv.j2",
        top=project.top_module,
        block_cycles=max(plan.est_ii_cycles // 2, MIN_BLOCK_CYCLES),
        frames=frames,
        input={"width": axis_width(source.width), "beats": source.beats, "file": source.file},
        output=output,
        taps=list(streams.values()),
    )
    model = _build(project, "network_bench", text, folder)
    probes = [
        Tap(s.instance, s.beats * frames, s.layer, frames) for s in (*streams.values(), output)
    ]
    return model, probes


def _simulate_layers(
    project: Project,
    graph: IntGraph,
    plan: HwPlan,
    streams: Mapping[str, GoldenStream],
    folder: Path,
    frames: int,
) -> dict[str, int]:
    """Steady-state cycles per frame of each unit alone; must equal the plan's estimate."""
    units = []
    for node, unit in zip(graph.nodes, plan.units, strict=True):
        source = streams[INPUT if node.source == graph.input_name else node.source]
        sink = streams[unit.name]
        units.append(
            {
                "module": f"unit_{unit.name}",
                "input": {"width": source.width, "beats": source.beats, "file": source.file},
                "output": {
                    "width": sink.width, "beats": sink.beats, "file": sink.file,
                    "instance": sink.instance,
                },
            }
        )  # fmt: skip
    model = _build(
        project, "layers_bench", _render("layers_bench.sv.j2", frames=frames, units=units), folder
    )
    stimuli, profiles = folder / "stimuli", [Profile("none")]
    frames = min(frames, LAYER_FRAMES)  # the benches' memories hold all of them
    probes = [
        Tap(f"u_tap_{u.name}.u_tap", streams[u.name].beats * frames, u.name, frames)
        for u in plan.units
    ]
    budget = TIMEOUT_FACTOR * plan.est_ii_cycles * (frames + WARM_UP_FRAMES)
    (result,) = _play_checked(model, probes, profiles, stimuli, frames, budget, graph, streams)
    cycles = {tap.label: steady_cycles(tap) for tap in result.taps}
    if frames >= LAYER_FRAMES:
        _check_estimates(plan, cycles)
    return cycles


def _check_estimates(plan: HwPlan, cycles: Mapping[str, int]) -> None:
    wrong = [
        f"layer {unit.name!r}: {cycles[unit.name]} cycles per frame simulated, "
        f"{unit.cycles.bound} planned"
        for unit in plan.units
        if cycles[unit.name] != unit.cycles.bound
    ]
    if wrong:
        raise FlowError(
            f"the cycle model of {plan.graph_name!r} is wrong:\n"
            + "\n".join(f"  - {line}" for line in wrong)
            + "\n  This is a defect of the flow (a bubble, or a kernel with II > 1); report it."
        )


def steady_cycles(tap: TapResult) -> int:
    """Cycles between frame ends after the warm-up, rounded up."""
    ends = tap.frame_end_cycles
    if len(ends) < 2:
        return ends[0] + 1 if ends else 0
    first = min(WARM_UP_FRAMES, len(ends) - 2)
    return -(-(ends[-1] - ends[first]) // (len(ends) - 1 - first))


def _play_checked(
    model: Model,
    probes: Sequence[Tap],
    profiles: Sequence[Profile],
    stimuli: Path,
    frames: int,
    timeout_cycles: int,
    graph: IntGraph,
    streams: Mapping[str, GoldenStream],
) -> list[ProfileResult]:
    results = play(
        model, probes, stimuli, frames=frames, timeout_cycles=timeout_cycles, profiles=profiles
    )
    for result in results:
        if not result.clean:
            raise _failure(result, graph, streams)
    return results


def _failure(
    result: ProfileResult, graph: IntGraph, streams: Mapping[str, GoldenStream]
) -> FlowError:
    """The first wrong layer in the order of the data flow, or the one where the data stopped."""
    shapes = {INPUT: graph.input_shape} | {node.name: node.out_shape for node in graph.nodes}
    for tap in result.taps:
        if not tap.mismatches:
            continue
        if tap.label == OUTPUT or tap.first_bad_index >= tap.words:
            break
        index, expected, got = locate(
            streams[tap.label], shapes[tap.label], tap.first_bad_index, tap.first_expected,
            tap.first_got,
        )  # fmt: skip
        return Mismatch(
            tap.label, f"(frame, y, x, channel) = {index}", expected, got, tap.mismatches,
            tap.words, f"RTL against the integer reference, stall profile {result.profile!r}.",
        )  # fmt: skip
    return FlowError(
        "the RTL simulation is wrong:\n" + "\n".join(f"  - {line}" for line in result.faults())
    )


def _result(
    plan: HwPlan,
    profiles: Sequence[Profile],
    results: Sequence[ProfileResult],
    layers: Mapping[str, int],
    frames: int,
) -> SimResult:
    free, *_ = results
    by_label = {tap.label: tap for tap in free.taps}
    runs = tuple(
        _run(result, profile.seed, frames)
        for result, profile in zip(results, profiles, strict=True)
    )
    return SimResult(
        engine=ENGINE,
        frames=frames,
        outputs_compared=sum(run.outputs_compared for run in runs),
        mismatches=sum(run.mismatches for run in runs),
        ii_cycles=steady_cycles(by_label[OUTPUT]),
        latency_cycles=by_label[OUTPUT].frame_end_cycles[0] - by_label[INPUT].first_cycle + 1,
        sim_cycles_per_s=sum(r.cycles for r in results) / sum(r.wall_s for r in results),
        wall_s=sum(result.wall_s for result in results),
        runs=runs,
        layers=tuple(
            LayerSim(
                name=unit.name,
                sim_cycles=layers[unit.name],
                ii_cycles=steady_cycles(by_label[unit.name]),
                words_compared=sum(t.received for r in results for t in r.taps
                                   if t.label == unit.name),
                mismatches=sum(t.mismatches for r in results for t in r.taps
                               if t.label == unit.name),
            )
            for unit in plan.units
        ),
    )  # fmt: skip


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


def _timeout_cycles(plan: HwPlan, frames: int, stalls: StallSettings) -> int:
    factor = TIMEOUT_FACTOR * 100 // (100 - max(stalls.in_percent, stalls.out_percent))
    return factor * plan.est_ii_cycles * (frames + len(plan.units) + WARM_UP_FRAMES)


def _build(project: Project, top: str, text: str, folder: Path) -> Model:
    bench = folder / f"{top}.sv"
    bench.write_text(text)
    sources = [project.rtl / source for source in project.sources]
    library = sorted(BENCH_LIB.glob("*.sv"))
    return build([*sources, *library, bench], top, folder / f"{top}.build", opt="-O3")


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    header = f"shiftflow {__version__}; generated, do not edit"
    return environment.get_template(template).render(header=header, **values)
