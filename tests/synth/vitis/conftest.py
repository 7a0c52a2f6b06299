"""A small project of engine `vitis`, and stand-ins for AMD's tools, for this folder's tests."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from flow.emit import Project, write_project
from flow.emit.vitis import VitisProject, load_vitis_project, write_vitis_project
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan, plan
from tests.emit.conftest import little_graph
from tests.emit.vitis.batch import PART
from tests.helpers import random_codes
from tests.synth.vitis.vitis_verilog import write_verilog

STAND_IN = Path(__file__).parent / "stand_in.py"
OTHER_PROGRAMS = "/usr/bin:/bin"  # make and g++
# AMD's programs are shell scripts around the tool, which tell in this way of its death
WRAPPER = """\
#!/bin/sh
"{python}" "{stand_in}" "$0" "$@"
code=$?
if [ $code -gt 128 ]; then
  echo "/opt/bin/rdiArgs.sh: line 280:  2555 Killed                  \\"\\$RDI_PROG\\" \\"\\$@\\""
fi
exit $code
"""


class Little(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: VitisProject
    codes: IntArray


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Little:
    """A strided convolution and a pool; 6 bits in, 9 bits out: neither is a whole byte."""
    graph = little_graph()
    hw_plan = plan(graph, PART, 80)
    folder = tmp_path_factory.mktemp("little") / "project"
    project = write_vitis_project(graph, hw_plan, folder)
    return Little(graph, hw_plan, project, random_codes(graph, 6, seed=3))


@pytest.fixture
def project(little: Little, tmp_path: Path) -> VitisProject:
    """Its project in a folder of the test's own."""
    shutil.copytree(little.project.root, tmp_path / "project")
    return load_vitis_project(tmp_path / "project")


@pytest.fixture(scope="session")
def rtl(little: Little, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same network through engine `xls`."""
    folder = tmp_path_factory.mktemp("little-xls") / "project"
    return write_project(little.graph, little.plan, folder, jobs=2, xls_timeout_s=120)


@pytest.fixture(scope="session")
def verilog(little: Little, rtl: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as Vitis HLS would write it."""
    folder = tmp_path_factory.mktemp("little-vitis") / "verilog"
    write_verilog(rtl, little.plan, little.graph.name, folder)
    return folder


class Tools:
    """Stand-ins on PATH, before the programs that a bench needs."""

    def __init__(self, folder: Path, verilog: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._settings = {"verilog": str(verilog), "behaviour": {}, "release": {}}
        folder.mkdir()
        patch.setenv("PATH", f"{folder}:{OTHER_PROGRAMS}")

    def add(self, program: str, behaviour: str = "success", release: str = "2024.1") -> None:
        """Install a program, or make an installed one behave otherwise."""
        self._settings["behaviour"][program] = behaviour
        self._settings["release"][program] = release
        (self._folder / "settings.json").write_text(json.dumps(self._settings))
        path = self._folder / program
        path.write_text(WRAPPER.format(python=sys.executable, stand_in=STAND_IN))
        path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Tools whose Verilog nobody simulates: a single empty module."""
    verilog = tmp_path / "empty-verilog"
    verilog.mkdir()
    (verilog / "little.v").write_text("module little ();\nendmodule\n")
    return Tools(tmp_path / "bin", verilog, monkeypatch)
