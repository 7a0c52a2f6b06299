"""The kws benchmark whole: the documented command, its report, faults planted in its hardware."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from flow.config import ROOT, load_config
from flow.data import find_samples, load_samples, pick_frames
from flow.emit import Project, load_project
from flow.errors import Mismatch
from flow.graph import IntGraph, load_graph, map_input, run_taps
from flow.graph.types import IntArray, MatVec
from flow.plan import HwPlan, load_plan
from flow.simulate import StallSettings, network, simulate
from tests.faults import change_shift, copy_project, flip_weight_sign

pytestmark = [pytest.mark.sim, pytest.mark.synth]

FAULT_FRAMES = 2
BUILD = ROOT / "build" / "kws"


class Kws(NamedTuple):
    report: dict
    stdout: str
    graph: IntGraph
    plan: HwPlan
    project: Project
    codes: IntArray


@pytest.fixture(scope="module")
def kws() -> Kws:
    done = subprocess.run(
        [sys.executable, "flow/build.py", "--model", "kws"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    config = load_config()
    samples = load_samples(find_samples(config, "kws"), config.model("kws"))
    graph = load_graph(BUILD / "extract")
    frames = pick_frames(samples, FAULT_FRAMES, seed=1)
    return Kws(
        report=json.loads((ROOT / "reports" / "kws" / "report.json").read_text()),
        stdout=done.stdout,
        graph=graph,
        plan=load_plan(BUILD / "plan" / "plan.json"),
        project=load_project(BUILD / "emit" / "project"),
        codes=map_input(graph, samples.x[frames]),
    )


@pytest.fixture
def network_only(kws, monkeypatch) -> None:
    """Leave out the layers' own bench, which would find every fault first."""
    cycles = {unit.name: unit.cycles.bound for unit in kws.plan.units}
    monkeypatch.setattr(network, "simulate_layers", lambda bench: cycles)


def simulate_faulty(kws: Kws, project: Project, folder: Path) -> None:
    stalls = StallSettings(0, 0, ())
    simulate(
        project, kws.graph, kws.plan, kws.codes, folder, frames=FAULT_FRAMES, stalls=stalls
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(kws, tmp_path_factory) -> Path:
    """A folder whose simulation models are built once, from the sound project."""
    made = tmp_path_factory.mktemp("kws")
    simulate_faulty(kws, kws.project, made)
    return made


MATRIX_LAYERS = [
    "conv2d", "depthwise_conv2d", "conv2d_1", "depthwise_conv2d_1", "conv2d_2",
    "depthwise_conv2d_2", "conv2d_3", "depthwise_conv2d_3", "conv2d_4", "dense",
]  # fmt: skip


def test_frames_went_through_the_whole_network_without_a_difference(kws):
    sim = kws.report["sim"]
    assert sim["frames"] >= 64
    assert sim["mismatches"] == 0
    words = kws.plan.input_beats + kws.plan.output_beats
    words += sum(unit.out_beats for unit in kws.plan.units)
    profiles = [run["stall_profile"] for run in sim["runs"]]
    assert profiles[0] == "none" and "random" in profiles
    assert sim["outputs_compared"] == len(profiles) * sim["frames"] * words
    assert all(run["frames"] == sim["frames"] and run["mismatches"] == 0 for run in sim["runs"])
    assert kws.report["network"]["macs"] == 2_656_768


def test_simulated_cycles_equal_the_plan_at_every_layer(kws):
    layers = kws.report["layers"]
    assert [layer["name"] for layer in layers] == [node.name for node in kws.graph.nodes]
    assert [layer["sim_cycles"] for layer in layers] == [layer["est_cycles"] for layer in layers]


def test_hardware_reaches_its_goals(kws):
    assert kws.report["sim"]["ii_cycles"] <= 9000
    assert kws.report["network"]["utilisation"] >= 0.85
    synth = kws.report["synth"]
    assert synth["dsp"] <= 188 and synth["lut"] <= 37_000 and synth["bram"] <= 140


def test_integer_network_is_within_a_point_of_the_float_model(kws):
    accuracy = kws.report["accuracy"]
    if accuracy["dataset"].startswith("kws_test_dev"):
        assert accuracy["samples"] == 500
        assert accuracy["integer"] >= 0.904
    else:  # the shipped sample says nothing about real speech, only that the labels are right
        assert accuracy["integer"] > 0.5


def test_second_run_takes_everything_from_the_cache(kws):
    done = subprocess.run(
        [sys.executable, "flow/build.py", "--model", "kws"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("cached") == 7


@pytest.mark.parametrize("layer", MATRIX_LAYERS)
def test_one_wrong_weight_turns_its_layer_red(kws, folder, layer, tmp_path, network_only):
    node = next(node for node in kws.graph.nodes if node.name == layer)
    assert isinstance(node, MatVec)
    x = run_taps(kws.graph, kws.codes)[node.source]
    project = flip_weight_sign(
        copy_project(kws.project, tmp_path), kws.graph, kws.plan, layer, x, seed=5
    )
    with pytest.raises(Mismatch) as caught:
        simulate_faulty(kws, project, folder)
    assert caught.value.layer == layer


@pytest.mark.parametrize("layer", MATRIX_LAYERS)
def test_a_wrong_shift_turns_its_layer_red(kws, folder, layer, tmp_path, network_only):
    project = change_shift(copy_project(kws.project, tmp_path), kws.graph, kws.plan, layer)
    with pytest.raises(Mismatch) as caught:
        simulate_faulty(kws, project, folder)
    assert caught.value.layer == layer
