"""Waveforms of one unit: they say what the unit computed, where it is wrong, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flow import runs, waves
from flow.cache import RECORD, locked
from flow.config import load_config
from flow.data import Samples
from flow.emit import Project, write_project
from flow.errors import ConfigError, FlowError, StageBusy
from flow.graph import IntGraph, run_taps, save_graph
from flow.plan import HwPlan, Target, plan, save_plan
from flow.runs import Request, Run, prepare
from flow.simulate import _wave_bench
from flow.simulate import waves as layer_waves
from flow.simulate.stimuli import golden_streams
from flow.simulate.waves import Waves, write_waves
from rtl_sim.clock import PERIOD_NS, RESET_CYCLES, start_ns
from rtl_sim.harness import pack
from tests.faults import copy_project, flip_weight_sign
from tests.helpers import random_codes, small_graph

pytestmark = pytest.mark.sim

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)
FRAMES = 6


class Built(NamedTuple):
    graph: IntGraph
    plan: HwPlan
    project: Project
    codes: np.ndarray
    folder: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("waves")
    graph = small_graph(0)
    hw_plan = plan(graph, TARGET, 400)
    project = write_project(graph, hw_plan, folder / "project", jobs=2, xls_timeout_s=120)
    return Built(graph, hw_plan, project, random_codes(graph, FRAMES), folder / "waves")


def write(built: Built, layer: str, frame: int | None = None, **other: object) -> Waves:
    """Waveform of a layer; another `project` or `folder` may be given."""
    asked = built._replace(**other)
    return write_waves(
        asked.project, asked.graph, asked.plan, asked.codes, asked.folder, layer, frame=frame
    )  # fmt: skip


def header(path: Path) -> str:
    return path.read_text().split("$enddefinitions", 1)[0]


def cycles(path: Path) -> Iterator[dict[str, int]]:
    """The bench's own signals in each cycle, as they stand at its end (`ends_ns`)."""
    names: dict[str, list[str]] = {}
    scopes: list[str] = []
    for line in header(path).splitlines():
        match line.split():
            case ["$scope", "module", name, "$end"]:
                scopes.append(name)
            case ["$upscope", "$end"]:
                scopes.pop()
            case ["$var", _, _, code, name, *_] if scopes == ["wave_bench"]:
                names.setdefault(code, []).append(name)
    values: dict[str, int] = {}
    for line in path.read_text().split("$enddefinitions $end", 1)[1].split("\n"):
        if line.startswith("#"):
            if values and int(line[1:]) % PERIOD_NS == 0:
                yield values | {"ends_ns": int(line[1:])}
        elif line:
            digits, code = line[1:].split() if line[0] == "b" else (line[0], line[1:])
            values |= dict.fromkeys(names.get(code, []), int(digits, 2))


def taken(path: Path) -> list[dict[str, int]]:
    """The cycles at whose end an output word is taken."""
    return [now for now in cycles(path) if not now["rst"] and now["y_tvalid"] and now["y_tready"]]


def golden(built: Built, layer: str, frame: int) -> list[int]:
    stream = golden_streams(built.graph, built.plan)[layer]
    codes = run_taps(built.graph, built.codes)[layer][frame].reshape(-1, stream.elems)
    return [pack(word, stream.bits) for word in codes.tolist()]


@pytest.mark.parametrize(("layer", "frame"), [("conv", 0), ("conv", 2), ("pool", 5)])
def test_the_waveform_of_a_frame_holds_its_words(built, layer, frame):
    found = write(built, layer, frame)
    assert (found.layer, found.frame, found.frames, found.profile) == (layer, frame, FRAMES, "none")
    assert found.difference is None and found.faults == ()
    assert "$timescale 1ns $end" in header(found.path)
    words = [now for now in taken(found.path) if now["y_frame"] == frame]
    assert [now["y_tdata"] for now in words] == golden(built, layer, frame)
    assert [now["expected"] for now in words] == golden(built, layer, frame)
    assert [now["y_word"] for now in words] == list(range(len(words)))
    assert not any(now["differs"] for now in cycles(found.path))


def test_the_waveform_spans_the_frame_and_no_more(built):
    found = write(built, "conv", 2)
    shown = [now["cycle"] for now in cycles(found.path)]
    assert shown == list(range(found.first_cycle, found.last_cycle + 1))
    assert taken(found.path)[-1]["cycle"] == found.last_cycle
    first, *_ = (now for now in cycles(found.path) if now["x_frame"] == 2 and now["x_tready"])
    assert (first["cycle"], first["x_word"]) == (found.first_cycle, 0)


def test_signals_of_all_levels_are_shown_and_parts_of_the_bench_are_not(built):
    text = header(write(built, "conv", 0).path)
    for scope in ("dut", "u_swg", "u_mac", "u_requant", "u_fifo"):
        assert f"$scope module {scope} $end" in text
    assert "u_source" not in text and "frame_end_cycle" not in text


def test_elements_are_shown_apart(built):
    stream = golden_streams(built.graph, built.plan)["conv"]
    (word, *_) = taken(write(built, "conv", 1).path)
    elements = [word[f"y_elem[{index}]"] for index in range(stream.elems)]
    assert pack(elements, stream.bits) == word["y_tdata"]


def test_without_a_frame_a_correct_unit_shows_frame_0(built):
    found = write(built, "pool")
    assert (found.frame, found.first_cycle, found.difference) == (0, 0, None)


def test_a_wrong_golden_value_is_shown_where_it_is(built, monkeypatch):
    def corrupted(graph, codes):
        taps = run_taps(graph, codes)
        taps["conv"][3, 2, 1, 5] ^= 1
        return taps

    sound = int(run_taps(built.graph, built.codes)["conv"][3, 2, 1, 5])
    monkeypatch.setattr(layer_waves, "run_taps", corrupted)
    found = write(built, "conv")
    assert found.difference is not None
    assert found.difference.index == (3, 2, 1, 5)
    assert (found.difference.expected, found.difference.got) == (sound ^ 1, sound)
    assert found.frame == 3
    (wrong,) = (now for now in cycles(found.path) if now["differs"])
    assert (wrong["cycle"], wrong["y_frame"]) == (found.difference.cycle, 3)
    assert wrong["ends_ns"] == found.difference.time_ns + PERIOD_NS
    assert any("1 of" in fault and "words differ" in fault for fault in found.faults)


def test_a_wrong_weight_is_shown_before_and_after_its_first_word(built, tmp_path):
    x = run_taps(built.graph, built.codes)["codes"]
    copy = copy_project(built.project, tmp_path)
    project = flip_weight_sign(copy, built.graph, built.plan, "conv", x, seed=7)
    found = write(built, "conv", project=project)
    assert found.difference is not None
    frame, y, x_, channel = found.difference.index
    right = run_taps(built.graph, built.codes)["conv"]
    assert found.difference.expected == right[frame, y, x_, channel]
    wrong = [now for now in cycles(found.path) if now["differs"]]
    assert wrong[0]["cycle"] == found.difference.cycle
    assert found.first_cycle < found.difference.cycle < found.last_cycle
    assert found.last_cycle - found.first_cycle <= 500


def test_a_chosen_frame_is_shown_though_another_one_differs_first(built, tmp_path):
    x = run_taps(built.graph, built.codes)["codes"]
    copy = copy_project(built.project, tmp_path)
    project = flip_weight_sign(copy, built.graph, built.plan, "conv", x, seed=7)
    found = write(built, "conv", 4, project=project)
    assert found.difference is not None and found.difference.index[0] < 4
    assert {now["y_frame"] for now in taken(found.path)} <= {3, 4}
    assert taken(found.path)[-1]["y_frame"] == 4


def with_logic(
    project: Project, layer: str, folder: Path, logic: str, ports: dict[str, str]
) -> Project:
    """A copy of the project with `logic` in a unit, and its last part's ports connected anew."""
    copy = copy_project(project, folder)
    path = copy.rtl / f"unit_{layer}.sv"
    head, _, body = path.read_text().partition(");\n")
    for port, signal in ports.items():
        assert body.count(f".{port}({port})") == 1
        body = body.replace(f".{port}({port})", f".{port}({signal})")
    path.write_text(f"{head});\n{logic}\n{body}")
    return copy


GIVES_SOME_WORDS = """
  logic [15:0] given_q;
  logic open;
  assign open = given_q < 16'd%d;
  always_ff @(posedge clk) begin
    if (rst) given_q <= '0;
    else if (m_tvalid && m_tready) given_q <= given_q + 1'b1;
  end
  logic inner_tvalid;
  assign m_tvalid = inner_tvalid && open;
"""


def test_a_unit_that_stops_is_shown_where_it_stops(built, tmp_path):
    words = 5 * golden_streams(built.graph, built.plan)["conv"].beats // 2
    project = with_logic(
        built.project, "conv", tmp_path, GIVES_SOME_WORDS % words,
        {"m_tvalid": "inner_tvalid", "m_tready": "m_tready && open"},
    )  # fmt: skip
    found = write(built, "conv", project=project, folder=tmp_path / "waves")
    assert (found.frame, found.difference) == (2, None)
    assert any(f"received {words} of" in fault for fault in found.faults)
    assert any("timeout" in fault for fault in found.faults)
    assert 100 < found.last_cycle - found.first_cycle <= 500
    shown = list(cycles(found.path))
    assert shown[-1]["cycle"] == found.last_cycle
    assert not shown[-1]["y_tvalid"] and not shown[-1]["x_tready"]
    assert taken(found.path)[-1]["y_word"] + 1 == shown[-1]["y_word"]


WRONG_AFTER_A_STALL = """
  logic stalled_q;
  always_ff @(posedge clk) stalled_q <= !rst && m_tvalid && !m_tready;
  logic [$bits(m_tdata)-1:0] inner_tdata;
  assign m_tdata = inner_tdata ^ $bits(m_tdata)'(stalled_q);
"""


def test_a_fault_that_needs_stalls_is_found(built, tmp_path):
    project = with_logic(
        built.project, "conv", tmp_path, WRONG_AFTER_A_STALL, {"m_tdata": "inner_tdata"}
    )  # fmt: skip
    found = write(built, "conv", project=project, folder=tmp_path / "waves")
    assert found.profile == "both" and found.difference is not None
    (first, *_) = (now for now in cycles(found.path) if now["differs"])
    assert first["cycle"] == found.difference.cycle


def test_a_large_waveform_is_cut_between_cycles(built, monkeypatch):
    whole = write(built, "conv", 2)
    size, text = whole.path.stat().st_size, whole.path.read_bytes()
    monkeypatch.setattr(_wave_bench, "MAX_BYTES", size * 3 // 4)
    found = write(built, "conv", 2)
    assert whole.first_cycle == found.first_cycle < found.last_cycle < whole.last_cycle
    assert found.path.stat().st_size < size and text.startswith(found.path.read_bytes())
    last = [now["cycle"] for now in cycles(found.path)][-1]
    assert last in (found.last_cycle - 1, found.last_cycle)  # complete, whether or not it ends
    assert f"#{start_ns(found.last_cycle)}\n" in found.path.read_text()


def test_unknown_layer_and_frame_are_refused(built):
    with pytest.raises(ConfigError) as caught:
        write(built, "conv9")
    assert str(caught.value) == (
        "layer 'conv9' is unknown; choose one of: conv, deep, point, pool, dense."
    )
    for frame in (-1, FRAMES):
        with pytest.raises(ConfigError) as caught:
            write(built, "conv", frame)
        assert str(caught.value) == (
            f"frame {frame} is not among the 6 that are simulated; choose 0 to 5."
        )


def test_no_older_waveform_is_taken_for_that_of_a_failure(built, monkeypatch):
    path = write(built, "pool").path
    monkeypatch.setattr(layer_waves, "dump", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(built, "pool")
    assert not path.exists()


def test_the_first_cycle_starts_when_the_reset_ends():
    assert start_ns(1) - start_ns(0) == PERIOD_NS
    assert start_ns(0) == (RESET_CYCLES - 1) * PERIOD_NS


@pytest.fixture
def finished(built, tmp_path, monkeypatch) -> Run:
    """A run of the small network with the results that a waveform needs."""
    monkeypatch.setattr(runs, "BUILD", tmp_path / "build")
    run = replace(prepare(Request("kws"), load_config()), name="small")
    for stage in ("extract", "plan", "emit"):
        (run.folder / stage).mkdir(parents=True)
        (run.folder / stage / RECORD).write_text("{}")
    save_graph(built.graph, run.folder / "extract")
    save_plan(built.plan, run.folder / "plan" / "plan.json")
    shutil.copytree(built.project.root, run.folder / "emit" / "project")
    real = (built.codes * 2.0**built.graph.input_type.scale_exp).astype(np.float32)
    samples = Samples(real, np.zeros(FRAMES, np.int64), "small", False, "")
    monkeypatch.setattr(waves, "simulated_samples", lambda run: samples)
    return run


def test_the_waveform_of_a_run_lies_beside_its_stages(built, finished):
    lines = dict(waves.write(finished, "pool", 1))
    path = finished.folder / "waves" / "pool.vcd"
    assert lines["waveform"].startswith(str(path))
    assert "pool by itself, frame 1, cycles " in lines["shows"]
    assert lines["differences"].startswith("none in 6 frames")
    words = [now["y_tdata"] for now in taken(path) if now["y_frame"] == 1]
    assert words == golden(built, "pool", 1)


def test_the_lines_name_the_first_difference(finished, built, monkeypatch):
    def corrupted(graph, codes):
        taps = run_taps(graph, codes)
        taps["pool"][2, 0, 0, 7] ^= 1
        return taps

    sound = int(run_taps(built.graph, built.codes)["pool"][2, 0, 0, 7])
    monkeypatch.setattr(layer_waves, "run_taps", corrupted)
    lines = dict(waves.write(finished, "pool", None))
    wanted = f"(frame, y, x, channel) = (2, 0, 0, 7): expected {sound ^ 1}, got {sound}; cycle "
    assert lines["first difference"].startswith(wanted)
    assert "1 of" in lines["wrong by itself"] and "differences" not in lines


def test_a_run_without_a_project_is_told_what_to_do(finished):
    shutil.rmtree(finished.folder / "emit")
    with pytest.raises(FlowError) as caught:
        waves.write(finished, "pool", None)
    assert str(caught.value) == (
        "run 'small' has no result of emit to make a waveform from.\n"
        "  Make it first: python flow/build.py --model kws --to emit"
    )


def test_two_processes_do_not_work_in_one_run(finished):
    with locked(finished.folder), pytest.raises(StageBusy):
        waves.write(finished, "pool", None)
