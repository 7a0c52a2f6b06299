"""A small network through the whole flow in RTL, and every way in which it must turn red."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flow.emit import Project, write_project
from flow.errors import DataError, FlowError, Mismatch
from flow.graph import IntGraph, run_taps
from flow.plan import HwPlan, Target, plan
from flow.simulate import (
    Answer,
    SimResult,
    StallSettings,
    answer,
    network,
    played_frames,
    simulate,
)
from flow.simulate.bench import Bench
from flow.simulate.stimuli import OUTPUT_FILE, GoldenStream, locate
from rtl_sim.harness import pack, unpack
from tests.faults import change_shift, copy_project, flip_weight_sign
from tests.helpers import random_codes, small_graph

pytestmark = pytest.mark.sim

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
FRAMES = 6
MATRIX_LAYERS = ("conv", "deep", "point", "dense")


class Built(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: Project
    folder: Path
    codes: np.ndarray
    result: SimResult


def run(built: Built, project: Project) -> SimResult:
    """Simulate another project with the model that was built already, if its sources are equal."""
    return simulate(
        project, built.graph, built.plan, built.codes, built.folder, frames=FRAMES,
        stalls=StallSettings(40, 40, (1, 2)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("small")
    graph = small_graph(0)
    hw_plan = plan(graph, TARGET, 400)
    project = write_project(graph, hw_plan, folder / "project", jobs=2, xls_timeout_s=120)
    codes = random_codes(graph, FRAMES)
    result = simulate(
        project, graph, hw_plan, codes, folder / "sim", frames=FRAMES,
        stalls=StallSettings(40, 40, (1, 2)),
    )  # fmt: skip
    return Built(graph, hw_plan, project, folder / "sim", codes, result)


def test_every_word_of_every_layer_is_compared_and_equal(built):
    words = [
        built.plan.input_beats,
        *(u.out_beats for u in built.plan.units),
        built.plan.output_beats,
    ]
    assert built.result.mismatches == 0
    assert [run.outputs_compared for run in built.result.runs] == [FRAMES * sum(words)] * 4


def test_cycles_equal_the_plan(built):
    planned = {unit.name: unit.cycles.bound for unit in built.plan.units}
    assert {layer.name: layer.sim_cycles for layer in built.result.layers} == planned
    assert built.result.ii_cycles == built.plan.est_ii_cycles


def test_stalls_slow_the_network_down(built):
    free, *stalled, reset = built.result.runs
    assert [free.stall_profile, reset.stall_profile] == ["none", "reset"]
    assert reset.cycles == free.cycles
    assert all(run.cycles > 1.2 * free.cycles for run in stalled)


@pytest.mark.parametrize("layer", MATRIX_LAYERS)
def test_one_wrong_weight_turns_its_layer_red(built, layer, tmp_path):
    node = next(n for n in built.graph.nodes if n.name == layer)
    taps = run_taps(built.graph, built.codes)
    project = flip_weight_sign(
        copy_project(built.project, tmp_path), built.graph, built.plan, layer,
        taps[node.source], seed=7,
    )  # fmt: skip
    with pytest.raises(Mismatch) as caught:
        run(built, project)
    assert caught.value.layer == layer


@pytest.mark.parametrize("layer", MATRIX_LAYERS)
def test_a_wrong_shift_turns_its_layer_red(built, layer, tmp_path):
    project = change_shift(copy_project(built.project, tmp_path), built.graph, built.plan, layer)
    with pytest.raises(Mismatch) as caught:
        run(built, project)
    assert caught.value.layer == layer


@pytest.mark.parametrize("layer", ["conv", "deep", "point", "pool", "dense"])
def test_one_wrong_golden_value_is_found_where_it_is(built, layer, monkeypatch):
    shape = next(node.out_shape for node in built.graph.nodes if node.name == layer)

    def corrupted(graph, codes, progress=None):
        taps = run_taps(graph, codes)
        taps[layer] = taps[layer].copy()
        taps[layer][FRAMES - 1].flat[-1] ^= 1
        return taps

    monkeypatch.setattr(network, "run_taps", corrupted)
    with pytest.raises(Mismatch) as caught:
        run(built, built.project)
    last = (FRAMES - 1, *(size - 1 for size in shape))
    assert caught.value.layer == layer
    assert caught.value.different == 1
    assert str(last) in str(caught.value)


@pytest.fixture
def network_only(built, monkeypatch) -> None:
    """Leave out the layers' own bench, which would find every fault first."""
    cycles = {unit.name: unit.cycles.bound for unit in built.plan.units}
    monkeypatch.setattr(network, "simulate_layers", lambda bench: cycles)


@pytest.mark.parametrize("layer", MATRIX_LAYERS)
def test_the_whole_network_alone_finds_a_wrong_weight(built, layer, tmp_path, network_only):
    node = next(n for n in built.graph.nodes if n.name == layer)
    x = run_taps(built.graph, built.codes)[node.source]
    copy = copy_project(built.project, tmp_path)
    project = flip_weight_sign(copy, built.graph, built.plan, layer, x, seed=9)
    with pytest.raises(Mismatch) as caught:
        run(built, project)
    assert caught.value.layer == layer


@pytest.mark.parametrize("layer", ["conv", "deep", "point", "pool", "dense"])
def test_the_whole_network_alone_finds_a_wrong_golden_value(
    built, layer, monkeypatch, network_only
):
    def corrupted(graph, codes, progress=None):
        taps = run_taps(graph, codes)
        taps[layer][2].flat[0] ^= 1
        return taps

    monkeypatch.setattr(network, "run_taps", corrupted)
    with pytest.raises(Mismatch) as caught:
        run(built, built.project)
    assert (caught.value.layer, caught.value.different) == (layer, 1)


@pytest.mark.parametrize("bit", [0, 1])  # of the top digit: tlast and frame_error lie there
def test_wrong_framing_of_the_output_is_found(built, bit, monkeypatch, network_only):
    sound = network.write_stimuli

    def corrupted(graph, hw_plan, taps, folder):
        streams = sound(graph, hw_plan, taps, folder)
        path = folder / OUTPUT_FILE
        *lines, last = path.read_text().split()
        last = f"{int(last[0], 16) ^ (1 << bit):x}{last[1:]}"
        path.write_text("\n".join([*lines, last]) + "\n")
        return streams

    monkeypatch.setattr(network, "write_stimuli", corrupted)
    with pytest.raises(FlowError, match=r"output .*1 of \d+ words differ"):
        run(built, built.project)


def test_any_single_bit_of_a_rom_file_is_protected(built, tmp_path):
    rng = np.random.default_rng(3)
    for unit in built.project.units:
        for rom in unit.roms:
            project = copy_project(built.project, tmp_path / rom.path)
            path = project.rtl / rom.path
            data = bytearray(path.read_bytes())
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
            path.write_bytes(data)
            with pytest.raises(DataError, match=rom.path):
                run(built, project)


def test_a_wrong_constant_in_rtl_turns_its_layer_red(built, tmp_path):
    project = copy_project(built.project, tmp_path)
    unit = project.rtl / "unit_deep.sv"
    text = unit.read_text()
    assert ".PAD_TOP(1)" in text
    unit.write_text(text.replace(".PAD_TOP(1)", ".PAD_TOP(0)"))
    with pytest.raises(Mismatch) as caught:
        simulate(
            project, built.graph, built.plan, built.codes, tmp_path / "sim", frames=2,
            stalls=StallSettings(0, 0, (1,)),
        )  # fmt: skip
    assert caught.value.layer == "deep"


def test_a_wrong_cycle_model_is_an_error(built):
    slow = built.plan.units[0]
    wrong = replace(slow, cycles=replace(slow.cycles, compute=slow.cycles.bound + 1))
    hw_plan = replace(built.plan, units=(wrong, *built.plan.units[1:]))
    with pytest.raises(FlowError, match=r"layer 'conv': \d+ cycles per frame simulated"):
        run(built._replace(plan=hw_plan), built.project)


def ask(built: Built, project: Project, codes: np.ndarray, folder: Path) -> Answer:
    return answer(
        project, built.graph, built.plan, codes, folder, simulated=built.folder,
        frames=played_frames(built.result.frames),
    )  # fmt: skip


def test_the_rtl_answers_for_itself(built, tmp_path):
    codes = random_codes(built.graph, 2, seed=8)
    found = ask(built, built.project, codes, tmp_path / "work")
    expected = run_taps(built.graph, codes)[built.graph.output.name]
    assert np.array_equal(found.simulated, expected) and np.array_equal(found.integer, expected)
    assert found.latency_cycles == built.result.latency_cycles
    assert found.words_compared * FRAMES == built.result.runs[0].outputs_compared * 2
    model = "network_bench.build/network_bench"  # the simulation's own: nothing was compiled
    assert (tmp_path / "work" / model).samefile(built.folder / model)


def test_a_wrong_answer_of_the_rtl_is_an_error(built, tmp_path):
    codes = random_codes(built.graph, 1, seed=8)
    x = run_taps(built.graph, codes)[built.graph.nodes[-1].source]
    copy = copy_project(built.project, tmp_path / "copy")
    project = flip_weight_sign(copy, built.graph, built.plan, "dense", x, seed=7)
    with pytest.raises(Mismatch) as caught:
        ask(built, project, codes, tmp_path / "work")
    assert caught.value.layer == "dense"


def test_an_incomplete_answer_is_an_error(built, tmp_path, monkeypatch):
    play = Bench.play

    def cut(bench: Bench, *arguments, **options):
        results = play(bench, *arguments, **options)
        path = bench.folder / "answer.hex"
        path.write_text(path.read_text().split("\n", 1)[1])
        return results

    monkeypatch.setattr(Bench, "play", cut)
    with pytest.raises(DataError, match=r"answered \d+ words, \d+ were expected"):
        ask(built, built.project, random_codes(built.graph, 1), tmp_path / "work")


@pytest.mark.parametrize("signed", [True, False])
def test_unpack_undoes_pack(signed):
    rng = np.random.default_rng(2)
    for bits, count in ((1, 3), (5, 7), (16, 4)):
        low = -(1 << (bits - 1)) if signed else 0
        codes = rng.integers(low, low + (1 << bits), count).tolist()
        assert unpack(pack(codes, bits) | 1 << bits * count, bits, count, signed=signed) == codes


def test_a_negative_code_is_shown_as_what_it_is() -> None:
    stream = GoldenStream("l", "u", "s", "f", 12, 1, 3, 4, signed=True)
    expected, got = pack([7, -3, 1], 4), pack([7, 2, -8], 4)
    assert locate(stream, (1, 1, 3), 4, expected, got) == ((4, 0, 0, 1), -3, 2)
