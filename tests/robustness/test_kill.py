"""Real builds that are killed and interrupted at seeded moments of every stage.

One folder goes through it all, each build finding what the one before has left. What
it holds after a plain rerun in the end is compared with an undisturbed build.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flow.cache import RECORD
from flow.orphans import VARIABLE
from flow.stages import STAGES
from tests.robustness.real_run import start
from tests.robustness.whole import check_whole

pytestmark = pytest.mark.slow

SEED = 7
FRAMES = "5"
KILLS = {"extract": 7, "evaluate": 5, "plan": 2, "emit": 6, "simulate": 4, "synth": 3, "report": 3}
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # one of each in every stage
LATEST_S = 10.0  # later moments of the long stages cost more time than they tell
POLL_S = 0.01
LIMIT_S = 600
GONE_S = 1.0
OF_THE_BUILD = {
    "seconds",
    "wall_s",
    "sim_cycles_per_s",
    "created_utc",
    "cached",
}  # keys of the report

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """A build that was told to end while `stage` was under way."""

    signal: signal.Signals
    stage: str
    code: int
    error: str
    left: int  # processes that outlived it, GONE_S later


@dataclass(frozen=True, slots=True)
class Journey:
    """What became of one folder."""

    folder: Path
    endings: tuple[Ending, ...]
    code: int  # of the plain rerun at the end


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build that nobody interrupts."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(folder, "--frames", FRAMES).wait(LIMIT_S) == 0
    return folder


@pytest.fixture(scope="module")
def journey(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """The folder that goes through it all."""
    folder = tmp_path_factory.mktemp("disturbed")
    moments = random.Random(SEED)
    endings = []
    for stage, kills in KILLS.items():
        record = json.loads((undisturbed / "build" / "kws" / stage / RECORD).read_text())
        latest_s = min(record["seconds"], LATEST_S)
        for kind in (*SIGNALS, *[signal.SIGKILL] * kills):
            # as Ctrl-C in a terminal does; of the killed builds every second one
            group = kind is signal.SIGINT or (kind is signal.SIGKILL and len(endings) % 2 == 0)
            after_s = moments.uniform(0, latest_s)
            endings.append(end_at(folder, stage, after_s, kind, group))
            check_whole(folder)
    return Journey(folder, tuple(endings), start(folder, "--frames", FRAMES).wait(LIMIT_S))


def end_at(folder: Path, stage: str, after_s: float, kind: signal.Signals, group: bool) -> Ending:
    """Make `stage` and the later ones again; send a signal so long after the stage has begun.

    A build that is over by then gets it earlier the next time.

    Args:
        group: to its process group, in which some of its tools are; else to its process alone.
    """
    while True:
        process = start(folder, "--frames", FRAMES, "--from", stage)
        started = time.time()
        while process.poll() is None and not under_way(folder, started, stage):
            time.sleep(POLL_S)
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            hit = under_way(folder, started) or "between stages"
            os.killpg(process.pid, kind) if group else process.send_signal(kind)
            return _ending(process, folder, kind, hit)
        after_s /= 2


def _ending(process: subprocess.Popen[str], folder: Path, kind: signal.Signals, hit: str) -> Ending:
    code = process.wait(LIMIT_S)
    time.sleep(GONE_S)
    left = len(list(tools_of(folder / "build" / "kws")))
    log.info("%s in %s: exit code %d, %d processes left", kind.name, hit, code, left)
    return Ending(kind, hit, code, (folder / "error.txt").read_text(), left)


def under_way(folder: Path, started: float, first: str = STAGES[0]) -> str | None:
    """The stage, `first` or a later one, that a build started at that time is working on."""
    for stage in STAGES[STAGES.index(first) :]:
        try:
            changed = (folder / "build" / "kws" / f".{stage}.tmp").stat().st_ctime
        except FileNotFoundError:
            continue
        if changed >= started:  # else a killed build has left it
            return stage
    return None


def tools_of(run: Path) -> Iterator[int]:
    """Living processes that builds in this folder have started."""
    mark = f"{VARIABLE}={run}".encode()
    for path in Path("/proc").glob("[1-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)
        except OSError:  # gone meanwhile
            continue


def report_of(folder: Path) -> dict[str, Any]:
    """The published report of a build."""
    content: dict[str, Any] = json.loads((folder / "reports" / "kws" / "report.json").read_text())
    return content


def result_of(value: object) -> object:
    """A report without what differs between any two builds."""
    if isinstance(value, dict):
        return {key: result_of(part) for key, part in value.items() if key not in OF_THE_BUILD}
    return [result_of(part) for part in value] if isinstance(value, list) else value


def test_after_all_kills_a_plain_rerun_ends_with_the_undisturbed_report(
    undisturbed: Path, journey: Journey
) -> None:
    assert journey.code == 0, (journey.folder / "error.txt").read_text()
    assert result_of(report_of(journey.folder)) == result_of(report_of(undisturbed))
    kills = [ending for ending in journey.endings if ending.signal is signal.SIGKILL]
    assert len(kills) == sum(KILLS.values()) == 30
    assert {"extract", "evaluate", "emit", "simulate", "synth"} <= {one.stage for one in kills}


def test_nothing_is_left_of_the_killed_builds(journey: Journey) -> None:
    parts = [path for pattern in (".*.tmp", ".*.old", "*.part") for path in
             journey.folder.rglob(pattern)]  # fmt: skip
    assert parts == []
    assert list(tools_of(journey.folder / "build" / "kws")) == []


def test_kills_left_compilers_for_the_rerun_to_end(journey: Journey) -> None:
    """Without them the journey would prove nothing about orphans."""
    assert any(ending.left for ending in journey.endings if ending.signal is signal.SIGKILL)


def test_interrupted_builds_end_their_tools_and_say_so(journey: Journey) -> None:
    interrupted = [ending for ending in journey.endings if ending.signal in SIGNALS]
    assert {"extract", "evaluate", "emit", "simulate", "synth"} <= {e.stage for e in interrupted}
    for ending in interrupted:
        assert ending.code == 130, ending
        assert ending.error == "interrupted; run the same command to resume.\n", ending
        assert ending.left == 0, ending
