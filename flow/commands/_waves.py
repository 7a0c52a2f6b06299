"""The waveform that `--waves LAYER` asks for, `build/<run>/waves/<layer>.vcd`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flow.cache import Notify, Outcome, locked
from flow.commands._paths import short
from flow.config import choose
from flow.errors import FlowError
from flow.progress import tell

if TYPE_CHECKING:
    from flow.runs import Run
    from flow.simulate.waves import Waves

FOLDER = "waves"  # in a run's folder

Lines = list[tuple[str, str]]


def layer_checked(notify: Notify, layer: str) -> Notify:
    """Refuse an unknown layer as soon as the network's layers are known, not minutes later.

    Raises:
        ConfigError: from the callback that hears the end of the stage `extract`.
    """

    def end(outcome: Outcome) -> None:
        notify.end(outcome)
        if outcome.name == "extract":
            graph = json.loads((outcome.folder / "graph.json").read_text())
            choose("layer", layer, [node["name"] for node in graph["nodes"]])

    return replace(notify, end=end)


def waves(run: Run, outcomes: Sequence[Outcome], layer: str, frame: int | None) -> Lines:
    """Write the waveform; label and text for the terminal.

    Args:
        outcomes: of the run, at least up to the stage `emit`.
        frame: None: the frame of the layer's first wrong word, else the first.

    Raises:
        ConfigError: there is no such layer or frame.
        FlowError: another process works on this run, or a tool failed.
    """
    places = {outcome.name: outcome.folder for outcome in outcomes}
    with locked(run.folder):
        work = run.folder / f".{FOLDER}.tmp"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            found = _write(run, places, work, layer, frame)
            path = run.folder / FOLDER / f"{layer}.vcd"
            path.parent.mkdir(exist_ok=True)
            found.path.replace(path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return _lines(found, path)


def waves_of_failure(run: Run, outcomes: Sequence[Outcome], layer: str, frame: int | None) -> Lines:
    """The waveform of a run whose simulation failed: its own trouble must not hide that failure."""
    try:
        return waves(run, outcomes, layer, frame)
    except FlowError as error:
        print(f"note: no waveform of {layer}: {error}", file=sys.stderr)
        return []


def _write(
    run: Run, places: Mapping[str, Path], work: Path, layer: str, frame: int | None
) -> Waves:
    from flow.data import load_samples, pick_frames
    from flow.emit import load_project
    from flow.graph import load_graph, map_input
    from flow.plan import load_plan
    from flow.runs import FRAME_SEED
    from flow.simulate.waves import write_waves

    graph, samples = load_graph(places["extract"]), load_samples(run.source, run.settings)
    count = run.frames or min(run.settings.frames, len(samples.y))
    chosen = pick_frames(samples, count, FRAME_SEED)
    return write_waves(
        load_project(places["emit"] / "project"),
        graph,
        load_plan(places["plan"] / "plan.json"),
        map_input(graph, samples.x[chosen]),
        work,
        layer,
        frame=frame,
        timeout_s=run.config.tools.simulation.timeout_s,
        progress=tell,
    )


def _lines(found: Waves, path: Path) -> Lines:
    shown = (
        f"{found.layer}, frame {found.frame}, cycles {found.first_cycle:,} to "
        f"{found.last_cycle:,}, stall profile {found.profile!r}"
    )
    lines = [("waveform", short(path)), ("shows", shown)]
    if found.difference is not None:
        at = found.difference
        wanted = "no word" if at.expected is None else str(at.expected)
        lines.append(
            (
                "first difference",
                f"(frame, y, x, channel) = {at.index}: expected {wanted}, got {at.got}; "
                f"cycle {at.cycle:,}, {at.time_ns:,} ns",
            )
        )
    elif not found.faults:
        lines.append(("difference", f"none in {found.frames} frames of {found.layer} by itself"))
    return [*lines, *(("fault", fault) for fault in found.faults)]
