"""Problems and rows as resumable stages of `build/compare-hls4ml/<model>`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow.cache import Notify, Outcome, Stage, hash_file, hash_sources, run_stages
from flow.config import ROOT, load_config
from flow.data import Source, find_samples
from flow.errors import FlowError, ToolFailed
from flow.machine import cpu_model
from flow.peers import problem as problems
from flow.peers import row as rows
from flow.peers.flows import FLOWS, OURS
from flow.peers.problem import ALPHAS, KWS, NETWORKS, problem_name
from flow.peers.row import Row
from flow.progress import tell
from flow.provenance import tool_versions
from flow.run_limited import Outcome as End
from flow.run_limited import run_limited

FOLDER = ROOT / "build" / "compare-hls4ml"
TURN = ".turn"
TIMEOUT_S = 3600.0
TOOLS = ("tensorflow", "qkeras", "numpy", "hls4ml", "g++")
SUFFIXES = frozenset({".py", ".h", ".cpp", ".yaml", ".h5", ".j2"})
_JUDGES = ("flow/peers/judge.py", "flow/peers/row.py", "flow/peers/flows.py")
PROBLEM_SOURCES = (
    "flow/peers/problem.py", "flow/peers/small.py", "flow/peers/kws.py", "flow/peers/twin.py",
    "flow/frontend", "flow/graph/arithmetic", "flow/graph/types", "flow/graph/reference.py",
    "models/quantizers", "models/kws.py", "models/layers.py", "models/bits.py",
    "models/mpq/kws.yaml", "models/weights.py", "models/weights/kws-mpq.h5",
)  # fmt: skip
STOCK_SOURCES = (*_JUDGES, "flow/peers/hand_set.py")
OUR_SOURCES = (
    *_JUDGES, "flow/emit", "flow/frontend", "flow/graph", "flow/plan", "flow/gxx.py",
    "hls_templates/vitis", "models/quantizers", "config.yaml",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows that were asked for, and the samples of kws."""

    rows: tuple[Row, ...]
    data: Source


def compare(
    wanted: Callable[[str], bool] = lambda name: True,
    *,
    force: bool = False,
    notify: Notify | None = None,
    folder: Path = FOLDER,
) -> Comparison:
    """Make every problem and every row that is not up to date, one after the other.

    Several processes may work on different models; what they time waits for its turn.

    Args:
        wanted: by the name of a problem, `<network>-<alpha>`.
        force: make the rows again although nothing changed.

    Raises:
        FlowError: a problem could not be made, or a process was killed for its time.
    """
    data = find_samples(load_config(), KWS)
    made = [
        row
        for network in NETWORKS
        for alpha in ALPHAS
        if wanted(name := problem_name(network, alpha))
        for row in _rows_of(network, alpha, data, force, notify, folder / name)
    ]
    return Comparison(tuple(made), data)


def _rows_of(
    network: str, alpha: Any, data: Source, force: bool, notify: Notify | None, folder: Path
) -> list[Row]:
    """The rows of one model, in every flow."""
    problem = run_stages([_problem_stage(network, alpha, data)], folder, notify=notify)[0]
    file, turn = problem.folder / problems.FILE, folder.parent / TURN
    stages = [_row_stage(network, alpha, flow, file, turn) for flow in FLOWS]
    outcomes = run_stages(
        stages, folder, force_from=stages[0].name if force else None, notify=notify
    )
    return [rows.load_row(one.folder / rows.FILE) for one in outcomes]


def row_name(network: str, alpha: Any, flow: str) -> str:
    """A row's stage."""
    return f"{problem_name(network, alpha)}-{flow}"


def _problem_stage(network: str, alpha: Any, data: Source) -> Stage:
    samples = [os.fspath(data.path.resolve())] if network == KWS else []

    def make(folder: Path, done: Mapping[str, Outcome]) -> None:
        tell("right outputs, each layer compared with QKeras")
        log = folder / "log"
        arguments = ["problem", network, str(alpha), os.fspath(folder), *samples]
        end, code, command = _worker(arguments, log)
        if end is not End.EXITED or code != 0:
            raise ToolFailed(f"the model {network!r}, alpha {alpha!r}", command, code, log)

    return Stage(
        name=problem_name(network, alpha),
        needs=(),
        sources=hash_sources(ROOT, PROBLEM_SOURCES, SUFFIXES),
        inputs={"tools": tool_versions(TOOLS[:3]), "data": data.sha256 if samples else None},
        run=make,
    )


def _row_stage(network: str, alpha: Any, flow: str, problem_file: Path, turn: Path) -> Stage:
    def make(folder: Path, done: Mapping[str, Outcome]) -> None:
        tell("convert, compile, simulate")
        log = folder / "log"
        end, code, command = _worker(
            ["row", network, str(alpha), os.fspath(folder), os.fspath(problem_file), flow,
             os.fspath(log), os.fspath(turn)],
            log,
        )  # fmt: skip
        if end is not End.EXITED:
            raise FlowError(
                f"{network!r}, alpha {alpha!r}, flow {flow!r} did not end within {TIMEOUT_S:g} s.\n"
                "  Run the same command again when the machine is idle."
            )
        if code < 0:  # the simulated C++ runs in that process
            started = rows.load_row(folder / rows.FILE)
            reason = f"crash: {signal.Signals(-code).name}"
            rows.save_row(replace(started, failed=reason), folder)
        elif code > 0:
            raise ToolFailed(f"the row {row_name(network, alpha, flow)!r}", command, code, log)

    return Stage(
        name=row_name(network, alpha, flow),
        needs=(),
        sources=hash_sources(ROOT, OUR_SOURCES if flow == OURS else STOCK_SOURCES, SUFFIXES),
        inputs={
            "tools": tool_versions(TOOLS),
            "problem": hash_file(problem_file),
            "cpu": cpu_model(),
        },
        run=make,
    )


def _worker(arguments: Sequence[str], log: Path) -> tuple[End, int, list[str]]:
    # -u: a compiler's output, printed by Python, is in the log before the log is read
    command = [sys.executable, "-u", "-m", "flow.peers.worker", *arguments]
    end, code = run_limited(command, ROOT, log, TIMEOUT_S)
    return end, code, command
