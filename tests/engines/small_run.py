"""The command line on a network of three layers: all stages are real but those before `plan`.

    python -m tests.engines.small_run FOLDER ARGUMENT...

Layers and samples are as small as kws' interfaces allow; nothing needs TensorFlow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from flow import build, runs, stages
from flow.config import ROOT
from flow.data import load_samples
from flow.evaluation import Equality, Evaluation, Recorded
from flow.graph import (
    Accuracy,
    AveragePool,
    InputMap,
    IntGraph,
    Kind,
    evaluate,
    map_input,
    profile,
    save_graph,
    save_profile,
)
from flow.graph.types import Window
from flow.runs import Run
from flow.steps import Done, Step, save_json
from tests.helpers import random_matvec, tensor

VITIS = ("--model", "kws", "--engine", "vitis", "--frames", "3")
LAYERS = ("conv", "pool", "dense")


def small_graph() -> IntGraph:
    """49 x 10 int8 codes to 12 classes."""
    rng = np.random.default_rng(3)
    x = tensor(8, True, -4)
    conv = random_matvec(
        rng, "conv", "codes", Kind.CONV, (49, 10, 1), x, cout=4, kernel=(10, 4), stride=(7, 5)
    )
    height, width, channels = conv.out_shape
    whole = Window(height, width, 1, 1, 0, 0)
    pool = AveragePool(
        "pool", "conv", conv.out_shape, (1, 1, channels), whole, conv.y, tensor(8, False, -3)
    )
    dense = random_matvec(
        rng, "dense", "pool", Kind.DENSE, pool.out_shape, pool.y, cout=12, y_signed=True
    )
    codes = InputMap("int8", -128, tuple(max(code, -127) for code in range(-128, 128)))
    return IntGraph("kws", "codes", (49, 10, 1), x, codes, (conv, pool, dense), {})


def install(folder: Path) -> None:
    """Let the command line work in `folder`."""
    runs.BUILD, runs.REPORTS = folder / "build", folder / "reports"
    stages.git_commit = lambda: "0" * 40  # type: ignore[attr-defined]
    first = stages._first_steps
    stages._first_steps = lambda run: _small_steps(first(run))  # type: ignore[assignment]


def start(folder: Path, *arguments: str, path: str | None = None) -> subprocess.Popen[str]:
    """A build in `folder` by another process, which leads a group of its own.

    Args:
        path: a folder to look for programs in before those of PATH.
    """
    environment = {name: value for name, value in os.environ.items() if name != "SHIFTFLOW_DATA"}
    if path is not None:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.Popen(
        [sys.executable, "-m", __spec__.name, str(folder), *VITIS, *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, start_new_session=True,
    )  # fmt: skip


def _small_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    extract, check, plan = steps
    return (
        Step("extract", (), ("flow/graph",), _extract),
        Step("evaluate", extract.needs or ("extract",), ("flow/graph",), _evaluate, check.inputs),
        plan,
    )


def _extract(run: Run, folder: Path, done: Done) -> None:
    save_graph(small_graph(), folder)


def _evaluate(run: Run, folder: Path, done: Done) -> None:
    graph, samples = small_graph(), load_samples(run.source, run.settings)
    integer = evaluate(graph, samples.x, samples.y)
    accuracy = Accuracy("accuracy", samples.name, None, integer, integer, len(samples.y), False)
    recorded = Recorded("set.npz", "", 1, None, 0.5, 0.5)
    equality = tuple(Equality(name, 1) for name in LAYERS)
    save_json(folder / "evaluation.json", Evaluation(accuracy, recorded, equality, None))
    save_profile(profile(graph, map_input(graph, samples.x[:8])), folder / "profile.json")


if __name__ == "__main__":
    install(Path(sys.argv[1]))
    sys.exit(build.main(sys.argv[2:]))
