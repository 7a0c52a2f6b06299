"""One written project for all tests of this folder; XLS compiles its kernels once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flow.emit import Project, write_project
from flow.graph import AveragePool, InputMap, IntGraph, Kind, Window
from flow.plan import HwPlan, Target, plan
from tests.helpers import random_matvec, tensor

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)


class Written(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: Project
    kernels: Path  # cache of compiled kernels


def little_graph() -> IntGraph:
    """A strided convolution and a pool: three kernels."""
    x = tensor(6, True, -4)
    conv = random_matvec(
        np.random.default_rng(0), "conv", "codes", Kind.CONV, (6, 4, 2), x, cout=4, kernel=(2, 3),
        stride=(2, 1),
    )  # fmt: skip
    pool = AveragePool(
        "pool", "conv", conv.out_shape, (1, 1, 4), Window(*conv.out_shape[:2], 1, 1, 0, 0), conv.y,
        tensor(9, False, conv.y.scale_exp - 1),
    )  # fmt: skip
    return IntGraph(
        "little", "codes", (6, 4, 2), x, InputMap("float32", 0, None), (conv, pool), {}
    )  # fmt: skip


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("little")
    graph = little_graph()
    hw_plan = plan(graph, TARGET, 80)
    project = write_project(
        graph, hw_plan, folder / "project", jobs=2, xls_timeout_s=120, cache_dir=folder / "kernels"
    )
    return Written(graph, hw_plan, project, folder / "kernels")
