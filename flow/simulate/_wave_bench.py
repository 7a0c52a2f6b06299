"""One unit in a bench of its own that can write a waveform of a window of cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flow.errors import FlowError
from flow.graph.types import Node
from flow.simulate.bench import WARM_UP_FRAMES, Bench
from flow.simulate.network import TIMEOUT_FACTOR
from flow.simulate.stimuli import INPUT, GoldenStream
from rtl_sim.clock import PERIOD_NS, start_ns
from rtl_sim.harness import PROFILES, Model, Profile, ProfileResult, Tap, play

BENCH = "wave_bench"
SEARCHED = tuple(profile for profile in PROFILES if profile.name in ("none", "both"))
MAX_BYTES = 40_000_000  # of a waveform: what viewers open in a few seconds


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit in its bench, built; `x` and `y` are its streams."""

    bench: Bench
    model: Model
    node: Node
    x: GoldenStream
    y: GoldenStream


def build(bench: Bench, node: Node) -> Unit:
    """Build the bench of a project that holds this layer's unit alone."""
    x = bench.streams[INPUT if node.sources[0] == bench.graph.input_name else node.sources[0]]
    y = bench.streams[node.name]
    (unit,) = bench.project.units
    model = bench.build(
        BENCH,
        f"{BENCH}.sv.j2",
        opt="-O1",
        trace=True,
        layer=node.name,
        unit=unit.module,
        x=x,
        y=y,
    )
    # Else cocotb would write a waveform of its own, of everything from the start.
    return Unit(bench, replace(model, trace=False), node, x, y)


def search(unit: Unit) -> tuple[Profile, ProfileResult]:
    """All frames under each profile, until the unit is wrong; else the run without stalls.

    Taps of the result: input, output.
    """
    plan, frames = unit.bench.plan, unit.bench.frames
    runs: list[tuple[Profile, ProfileResult]] = []
    for profile in SEARCHED:
        timeout_cycles = TIMEOUT_FACTOR * plan.est_ii_cycles * (frames + WARM_UP_FRAMES)
        result = _play(unit, profile, timeout_cycles, grace_cycles=2 * plan.est_ii_cycles)
        runs.append((profile, result))
        if not result.clean:
            return profile, result
    return runs[0]


def dump(unit: Unit, profile: Profile, path: Path, first: int, last: int) -> int:
    """Play until the cycles are written to `path`; return the last one that MAX_BYTES allow."""
    part = (unit.bench.folder / path.name).absolute()
    part.unlink(missing_ok=True)
    window = [f"+dump_file={part}", f"+dump_first={first}", f"+dump_last={last}"]
    _play(unit, profile, last + 2, grace_cycles=1, plusargs=window)
    if not part.is_file():
        raise FlowError(
            f"the simulation of layer {unit.node.name!r} wrote no waveform.\n"
            f"  See its log in {unit.bench.stimuli}; this is a defect of the flow, report it."
        )
    cut_ns = _shorten(part)
    part.replace(path)
    return last if cut_ns is None else (cut_ns - start_ns(0)) // PERIOD_NS - 1


def _shorten(vcd: Path) -> int | None:
    """Cut a file of more than MAX_BYTES off at the next time in it; return that time."""
    with vcd.open("r+b") as file:
        file.seek(MAX_BYTES)
        file.readline()  # which may be the rest of one
        while line := file.readline():
            if line.startswith(b"#"):
                file.truncate(file.tell() - len(line))
                return int(line[1:])
    return None


def _play(
    unit: Unit,
    profile: Profile,
    timeout_cycles: int,
    *,
    grace_cycles: int,
    plusargs: Sequence[str] = (),
) -> ProfileResult:
    """Play all frames; a profile gives the same run every time."""
    bench = unit.bench
    probes = [
        Tap("u_x", unit.x.beats * bench.frames, f"input of {unit.node.name}", bench.frames),
        Tap("u_y.u_tap", unit.y.beats * bench.frames, unit.node.name, bench.frames),
    ]
    (result,) = play(
        unit.model,
        probes,
        bench.stimuli,
        frames=bench.frames,
        timeout_cycles=timeout_cycles,
        profiles=[profile],
        grace_cycles=grace_cycles,
        plusargs=plusargs,
        timeout_s=bench.timeout_s,
    )
    return result
