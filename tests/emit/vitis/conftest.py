"""One small written project, and the trained kws network, for all tests of this folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from flow.config import load_config
from flow.data import find_samples, load_samples
from flow.emit.vitis import VitisProject, load_vitis_project, write_vitis_project
from flow.frontend.extract import extract
from flow.graph import IntGraph, map_input
from flow.graph.types import IntArray
from flow.plan import HwPlan, plan
from tests.emit.conftest import little_graph
from tests.emit.vitis.batch import PART

KWS_II = 8000


class Written(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: VitisProject


class Kws(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    codes: IntArray


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A strided convolution and a pool; tests that change its folder take a copy."""
    graph = little_graph()
    hw_plan = plan(graph, PART, 80)
    folder = tmp_path_factory.mktemp("little") / "project"
    return Written(graph, hw_plan, write_vitis_project(graph, hw_plan, folder))


@pytest.fixture
def copied(little: Written, tmp_path: Path) -> VitisProject:
    """The small project in a folder of the test's own."""
    shutil.copytree(little.project.root, tmp_path / "project")
    return load_vitis_project(tmp_path / "project")


@pytest.fixture(scope="session")
def kws() -> Kws:
    graph = extract("kws", "mpq")
    config = load_config()
    samples = load_samples(find_samples(config, "kws"), config.model("kws"))
    target = replace(config.target("xc7z020"))
    return Kws(graph, plan(graph, target, KWS_II), map_input(graph, samples.x))
