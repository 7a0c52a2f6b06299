"""A waveform (VCD) of one layer's unit by itself, beside what the integer reference computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flow.config import choose
from flow.emit.project import Project
from flow.emit.writer import check_roms
from flow.errors import ConfigError
from flow.graph.reference import run_taps
from flow.graph.types import IntArray, IntGraph, Node
from flow.plan.hwplan import HwPlan
from flow.simulate._wave_bench import Unit, build, dump, search
from flow.simulate.network import DEFAULT_TIMEOUT_S, make_bench, played_codes
from flow.simulate.stimuli import locate
from rtl_sim.clock import start_ns
from rtl_sim.harness import ProfileResult

CYCLES_BEFORE = 400  # of a fault: what led to it
CYCLES_AFTER = 100
MAX_CYCLES = 50_000  # of a frame, which bounds the time that it takes

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first output word that the reference does not have there.

    In the waveform the word stands from `time_ns` on, for one clock period: cycle `cycle`.
    """

    index: tuple[int, int, int, int]  # frame, y, x, channel
    expected: int | None  # None: a word beyond the last one
    got: int
    cycle: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Waves:
    """A waveform file and what is in it; cycles count from the end of reset, both ends included.

    `difference` is the first one of all frames, or of those that came before the unit stopped.
    `faults` describes everything wrong, a line for each probe; empty: the unit is right.
    """

    path: Path
    layer: str
    frame: int
    frames: int  # simulated
    profile: str  # stall profile, of rtl_sim.harness.PROFILES
    first_cycle: int
    last_cycle: int
    difference: Difference | None
    faults: tuple[str, ...]


def write_waves(
    project: Project,
    graph: IntGraph,
    plan: HwPlan,
    codes: IntArray,
    folder: Path,
    layer: str,
    *,
    frame: int | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Progress = lambda text: None,
) -> Waves:
    """Write `<folder>/<layer>.vcd`: its unit alone, fed with the reference's codes of its input.

    Plays the frames that `simulate` plays for `codes` [n, h, w, c], without stalls and, if all is
    right, with random ones; then once more the run with the first fault, until the waveform is
    complete. It shows every signal of the unit but its large memories: `frame` from its first input
    word to its last output word, as far as MAX_CYCLES and MAX_BYTES go; or, where `frame` is None,
    the cycles around the first fault. Without a fault, None stands for frame 0. A unit that stops
    before the end of `frame` is shown where it stops.

    The work is done in `<folder>/<layer>`, where a later call finds the compiled model.

    Raises:
        ConfigError: there is no such layer or frame.
        DataError: a ROM file was changed after it was written.
        ToolFailed: the build or a simulation failed or ran into `timeout_s`.
    """
    node, unit_project = _choose(project, graph, layer)
    codes = played_codes(codes)
    frames = len(codes)
    if frame is not None and not 0 <= frame < frames:
        raise ConfigError(
            f"frame {frame} is not among the {frames} that are simulated; choose 0 to {frames - 1}."
        )
    check_roms(unit_project)
    path, work = folder / f"{layer}.vcd", folder / layer
    path.unlink(missing_ok=True)  # should this fail, no older one is taken for its result
    progress("integer reference")
    taps = run_taps(graph, codes)
    bench = make_bench(unit_project, graph, plan, taps, work, frames, timeout_s)
    progress(f"building the model of {layer}")
    unit = build(bench, node)
    progress(f"{frames} frames through {layer}")
    profile, result = search(unit)
    difference = _difference(unit, result)
    shown, first, last = _window(unit, result, difference, frame)
    progress(f"waveform of cycles {first} to {last}")
    last = dump(unit, profile, path, first, last)
    return Waves(
        path, layer, shown, frames, profile.name, first, last, difference, tuple(result.faults())
    )


def _choose(project: Project, graph: IntGraph, layer: str) -> tuple[Node, Project]:
    """The layer's node, and the project of its unit alone."""
    choose("layer", layer, [node.name for node in graph.nodes])
    (node,) = (node for node in graph.nodes if node.name == layer)
    (unit,) = (unit for unit in project.units if unit.name == layer)
    return node, replace(project, units=(unit,), sources=unit.sources)


def _difference(unit: Unit, result: ProfileResult) -> Difference | None:
    _, y = result.taps
    if not y.mismatches:
        return None
    index, expected, got = locate(
        unit.y, unit.node.out_shape, y.first_bad_index, y.first_expected, y.first_got
    )
    surplus = y.first_bad_index >= y.words
    cycle = y.first_bad_cycle
    return Difference(index, None if surplus else expected, got, cycle, start_ns(cycle))


def _window(
    unit: Unit, result: ProfileResult, difference: Difference | None, frame: int | None
) -> tuple[int, int, int]:
    """Frame, first and last cycle to show."""
    x, y = result.taps
    if frame is None and difference is not None:
        return difference.index[0], *_around(difference.cycle)
    reached = y.received // unit.y.beats  # the frame in which a unit that stopped has stopped
    if y.received < y.words and (frame is None or frame >= reached):
        return reached, *_around(max(x.last_cycle, y.last_cycle))
    shown = frame or 0
    first = x.frame_end_cycles[shown - 1] + 1 if shown else 0
    return shown, first, min(y.frame_end_cycles[shown], first + MAX_CYCLES - 1)


def _around(cycle: int) -> tuple[int, int]:
    return max(cycle - CYCLES_BEFORE, 0), cycle + CYCLES_AFTER
