"""A process of its own for each problem and each row: a crash of the simulated C++ ends only it.

python -m flow.peers.worker problem NETWORK ALPHA FOLDER [SAMPLES.npz]
python -m flow.peers.worker row NETWORK ALPHA FOLDER PROBLEM.npz FLOW LOG TURN
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

PROJECT = "project"


def main(arguments: list[str]) -> int:
    """Make what the arguments say, in FOLDER, which exists."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    what, network, alpha, folder, *rest = arguments
    make = {"problem": _problem, "row": _row}[what]
    make(network, alpha, Path(folder), rest)
    return 0


def _problem(network: str, alpha: str, folder: Path, rest: list[str]) -> None:
    from flow.config import load_config
    from flow.data import Source, load_samples
    from flow.peers.problem import Labelled, alpha_of, make_problem, save_problem

    labelled = None
    if rest:
        samples = load_samples(Source(Path(rest[0]), is_real=True), load_config().model(network))
        labelled = Labelled(samples.x, samples.y)
    save_problem(make_problem(network, alpha_of(alpha), labelled), folder)


def _row(network: str, alpha: str, folder: Path, rest: list[str]) -> None:
    from flow.peers.problem import alpha_of, load_problem
    from flow.peers.row import measure, save_row, started

    problem_file, flow, log, turn = rest
    problem = load_problem(network, alpha_of(alpha), Path(problem_file))
    save_row(started(problem, flow), folder)
    project = folder / PROJECT
    row = measure(problem, flow, project, Path(log), Path(turn))
    save_row(row, folder)
    if row.failed is None:
        shutil.rmtree(project)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
