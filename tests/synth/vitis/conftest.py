"""A small project of engine `vitis`, for all tests of this folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from flow.emit.vitis import VitisProject, load_vitis_project, write_vitis_project
from flow.graph.types import IntGraph
from flow.plan import HwPlan, plan
from tests.emit.conftest import little_graph
from tests.emit.vitis.batch import PART


class Little(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: VitisProject


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Little:
    """A strided convolution and a pool; 6 bits in, 9 bits out: neither is a whole byte."""
    graph = little_graph()
    hw_plan = plan(graph, PART, 80)
    folder = tmp_path_factory.mktemp("little") / "project"
    return Little(graph, hw_plan, write_vitis_project(graph, hw_plan, folder))


@pytest.fixture
def project(little: Little, tmp_path: Path) -> VitisProject:
    """Its project in a folder of the test's own."""
    shutil.copytree(little.project.root, tmp_path / "project")
    return load_vitis_project(tmp_path / "project")
