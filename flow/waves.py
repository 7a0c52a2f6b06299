"""The waveform of one layer of a run: from what its stages left, written beside them."""

from __future__ import annotations

from pathlib import Path

from flow.cache import RECORD, locked
from flow.commands._paths import short
from flow.emit import load_project
from flow.errors import FlowError
from flow.graph import load_graph, map_input
from flow.plan import load_plan
from flow.progress import tell
from flow.runs import Run, simulated_samples
from flow.simulate.waves import Difference, Waves, write_waves

NEEDED = ("extract", "plan", "emit")  # stages
FOLDER = "waves"  # beside the stages' folders


def write(run: Run, layer: str, frame: int | None) -> list[tuple[str, str]]:
    """Write `build/<run>/waves/<layer>.vcd` from the frames of the stage simulate.

    Works whether that stage succeeded or failed; the stages before it must be up to date, as they
    are after `execute`.

    Args:
        frame: to show; None: around the first difference, or frame 0 if there is none.

    Returns:
        Label and text of each line for the terminal.

    Raises:
        ConfigError: there is no such layer or frame.
        StageBusy: another process works on this run.
        FlowError: a stage's result is missing, or the simulation could not be built or run.
    """
    with locked(run.folder):
        _check_results(run)
        graph = load_graph(run.folder / "extract")
        waves = write_waves(
            load_project(run.folder / "emit" / "project"),
            graph,
            load_plan(run.folder / "plan" / "plan.json"),
            map_input(graph, simulated_samples(run).x),
            run.folder / FOLDER,
            layer,
            frame=frame,
            timeout_s=run.config.tools.simulation.timeout_s,
            progress=tell,
        )
    return _lines(waves)


def _check_results(run: Run) -> None:
    missing = [name for name in NEEDED if not (run.folder / name / RECORD).is_file()]
    if missing:
        raise FlowError(
            f"run {run.name!r} has no result of {', '.join(missing)} to make a waveform from.\n"
            f"  Make it first: python flow/build.py --model {run.model} --to {NEEDED[-1]}"
        )


def _lines(waves: Waves) -> list[tuple[str, str]]:
    lines = [("waveform", _file(waves.path)), ("shows", _content(waves))]
    if waves.difference is not None:
        lines.append(("first difference", _difference(waves.difference)))
    lines += [("wrong by itself", fault) for fault in waves.faults]
    if not waves.faults:
        lines.append(
            (
                "differences",
                f"none in {waves.frames} frames, without stalls and with random ones: what differs "
                "in the whole network alone comes from what the unit is fed or how it is joined",
            )
        )
    return lines


def _file(path: Path) -> str:
    return f"{short(path)} ({path.stat().st_size / 1e6:.1f} MB; GTKWave and others open it)"


def _content(waves: Waves) -> str:
    return (
        f"{waves.layer} by itself, frame {waves.frame}, cycles {waves.first_cycle:,} to "
        f"{waves.last_cycle:,}, stall profile {waves.profile!r}; signal differs is high where "
        "y_tdata is not expected"
    )


def _difference(found: Difference) -> str:
    expected = "no word" if found.expected is None else str(found.expected)
    return (
        f"(frame, y, x, channel) = {found.index}: expected {expected}, got {found.got}; "
        f"cycle {found.cycle:,}, at {found.time_ns:,} ns"
    )
