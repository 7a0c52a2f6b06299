"""One model through one flow, measured."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import FlowError
from flow.peers.flows import FLOWS, IO_TYPE, OURS
from flow.peers.judge import Judged, judge
from flow.peers.problem import KWS, Problem

FILE = "row.json"
REPEATS = 3  # the median counts
TIMED_FRAMES = {KWS: 100}  # the first so many are timed; all, where the network is small


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one model in one flow.

    `failed` None: every figure is there. Otherwise the first line of the error, and the figures
    that were not reached are None. Seconds are of processor time, which other programs on the
    machine hardly change, and beside them of the clock.
    """

    network: str
    alpha: str
    flow: str
    io_type: str
    frames: int
    qkeras_accuracy: float | None
    failed: str | None = None
    compile_cpu_s: float | None = None  # project written and compiled by g++, nothing cached
    compile_wall_s: float | None = None
    inferences_per_cpu_s: float | None = None
    inferences_per_wall_s: float | None = None
    judged: Judged | None = None
    load_1min: float | None = None  # of the machine, when the timing began
    measured_utc: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether this project made it."""
        return self.flow == OURS


@dataclass(frozen=True, slots=True)
class Seconds:
    """Processor time and time by the clock."""

    cpu_s: float
    wall_s: float


def started(problem: Problem, flow: str) -> Row:
    """What is known of a row before it is made; what stays of it when its process is killed."""
    return Row(
        network=problem.network,
        alpha=str(problem.alpha),
        flow=flow,
        io_type=IO_TYPE,
        frames=len(problem.inputs),
        qkeras_accuracy=problem.qkeras_accuracy,
        measured_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        failed="killed",
    )


def measure(problem: Problem, flow: str, folder: Path, log: Path, turn: Path) -> Row:
    """Convert, compile and run a model; a failure is a result too.

    Args:
        folder: of the project; must not exist.
        log: where this process' output goes, g++'s included; the first error is looked for there.
        turn: a file, locked while inferences are timed: never those of two processes at once.
    """
    row = replace(started(problem, flow), failed=None)
    try:
        hls_model = FLOWS[flow](problem, folder)
    except Exception as error:  # whatever a converter raises is the row's result
        return replace(row, failed=f"conversion: {first_line(error)}")
    try:
        _, compiled = _timed(hls_model.compile)
    except Exception as error:
        return replace(row, failed=f"compilation: {first_error(log) or first_line(error)}")
    row = replace(
        row,
        compile_cpu_s=round(compiled.cpu_s, 2),
        compile_wall_s=round(compiled.wall_s, 2),
        load_1min=round(os.getloadavg()[0], 2),
    )
    timed = TIMED_FRAMES.get(row.network, row.frames)
    try:
        outputs = np.asarray(hls_model.predict(problem.inputs))
        with _turn(turn):
            ran = timed_runs(hls_model.predict, problem.inputs[:timed], outputs[:timed])
    except Exception as error:
        return replace(row, failed=f"simulation: {first_line(error)}")
    return replace(
        row,
        inferences_per_cpu_s=round(timed / ran.cpu_s, 2),
        inferences_per_wall_s=round(timed / ran.wall_s, 2),
        judged=judge(outputs, problem.codes, problem.scale_exp, problem.labels),
    )


def timed_runs(
    run: Callable[[NDArray[Any]], Any], inputs: NDArray[Any], outputs: NDArray[Any]
) -> Seconds:
    """Medians of the seconds of REPEATS runs on one core.

    Args:
        outputs: what an earlier run gave for the same inputs.

    Raises:
        FlowError: a run gave others.
    """
    with _one_core():
        runs = [_timed(lambda: run(inputs)) for _ in range(REPEATS)]
    if any(not np.array_equal(outputs, np.asarray(again), equal_nan=True) for again, _ in runs):
        raise FlowError("two runs on the same inputs gave different outputs.")
    middle = REPEATS // 2
    return Seconds(
        sorted(seconds.cpu_s for _, seconds in runs)[middle],
        sorted(seconds.wall_s for _, seconds in runs)[middle],
    )


def _timed(action: Callable[[], Any]) -> tuple[Any, Seconds]:
    cpu, wall = _cpu_s(), time.perf_counter()
    result = action()
    return result, Seconds(_cpu_s() - cpu, time.perf_counter() - wall)


def _cpu_s() -> float:
    """Processor time of this process and of the children that it has waited for."""
    return time.process_time() + sum(os.times()[2:4])


def save_row(row: Row, folder: Path) -> None:
    """Write `row.json`."""
    (folder / FILE).write_text(json.dumps(asdict(row), indent=1) + "\n")


def load_row(path: Path) -> Row:
    """Read what `save_row` wrote."""
    stored = json.loads(path.read_text())
    judged = stored.pop("judged")
    return Row(**stored, judged=None if judged is None else Judged(**judged))


def first_line(error: BaseException) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip()}"


def first_error(log: Path) -> str | None:
    """The first error of a compiler's output, None without one."""
    lines = log.read_text(errors="replace").splitlines()
    return next((line.strip() for line in lines if "error:" in line), None)


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    """Wait until no other process is in here; the kernel ends the turn of one that dies."""
    with lock.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process on the last core that it may use."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
