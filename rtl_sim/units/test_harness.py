"""The harness ends tools that do not end by themselves, and works below paths of any characters."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cocotb_tools import config

from flow.errors import FlowError, ToolFailed
from rtl_sim.harness import Model, Profile, _paths, _verilator, build, lint, play
from rtl_sim.harness._paths import ODD, plain_path

pytestmark = pytest.mark.sim

BENCH = """
module endless (
  input logic clk, input logic rst, input logic [7:0] source_stall, input logic [7:0] check_stall,
  input logic [31:0] seed, input logic [31:0] frames, output logic done
);
  assign done = 1'b0;
endmodule
"""


def model(folder: Path, text: str = BENCH, **options: float) -> Model:
    source = folder / "endless.sv"
    source.write_text(text)
    return build([source], "endless", folder / "model", **options)


def test_endless_simulation_is_stopped(tmp_path: Path) -> None:
    built = model(tmp_path)
    started = time.monotonic()
    with pytest.raises(ToolFailed) as caught:
        play(built, [], tmp_path, frames=1, timeout_cycles=10**12, timeout_s=5)
    assert time.monotonic() - started < 30
    first, *_ = str(caught.value).splitlines()
    assert first == (
        "simulation of 'endless' was stopped at its limit of 5 s (tools.simulation.timeout_s); "
        "it failed with exit code -9."
    )


def test_endless_build_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as caught:
        model(tmp_path, timeout_s=0.01)
    assert "was stopped at its limit of 0.01 s (tools.simulation.timeout_s); it" in str(
        caught.value
    )


def test_warning_of_verilator_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="WIDTHTRUNC"):
        model(tmp_path, BENCH.replace("assign done = 1'b0", "assign done = 2'b01 + 2'b01"))


def test_profiles_decide_the_initial_values(tmp_path: Path) -> None:
    program = tmp_path / "fails"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    seeds = []
    for seed in (3, 2**31):
        with pytest.raises(ToolFailed, match="failed with exit code 3") as caught:
            play(
                Model("fails", tmp_path, False, False), [], tmp_path, frames=1, timeout_cycles=1,
                profiles=[Profile("none"), Profile("random", seed=seed)],
            )  # fmt: skip
        seeds += [word for word in caught.value.command if "seed" in word]
    assert seeds == ["+verilator+seed+4", "+verilator+seed+3"]


COUNTER = """
module counter (
  input logic clk, input logic rst, input logic [7:0] source_stall, input logic [7:0] check_stall,
  input logic [31:0] seed, input logic [31:0] frames, output logic done
);
  logic unused;
  assign unused = &{source_stall, check_stall, seed};
  count_to u_count (.clk(clk), .rst(rst), .last(frames), .done(done));
endmodule
"""
COUNT_TO = """
module count_to (
  input logic clk, input logic rst, input logic [31:0] last, output logic done
);
  logic [31:0] count_q;
  always_ff @(posedge clk) count_q <= rst ? '0 : count_q + 1;
  assign done = count_q >= last;
endmodule
"""


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder whose path is plain, wherever the tests' own folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(_paths, "cache_folder", lambda: Path(folder) / "cache")
        yield Path(folder) / "cache"


@pytest.mark.parametrize("name", ["mein Projekt", "größe & co (1)", "!#%'*+,-;<=>?@[]^_`|~ 日本"])
def test_bench_is_built_and_played_below_any_path(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    odd = tmp_path / name
    (odd / "includes").mkdir(parents=True)
    (odd / f"counter of {name}.sv").write_text(COUNTER)
    (odd / "includes" / "count_to.sv").write_text(COUNT_TO)
    # An installation below such a path: what Verilator and cocotb are started with lies there.
    for what, real in (("verilator", _verilator._verilator_root()), ("libs", config.libs_dir)):
        (odd / what).symlink_to(real)
    monkeypatch.setattr(_verilator, "_verilator_root", lambda: odd / "verilator")
    monkeypatch.setattr(config, "libs_dir", odd / "libs")
    simulator, _, function = config.pygpi_entry_point().rpartition(",")
    (odd / "simulator.so").symlink_to(simulator)
    entry = f"{odd / 'simulator.so'},{function}"
    monkeypatch.setattr(config, "pygpi_entry_point", lambda: entry)

    sources, includes = [odd / f"counter of {name}.sv"], [odd / "includes"]
    lint([includes[0] / "count_to.sv"], "count_to", odd / "lint.log")
    built = build(sources, "counter", odd / "the model", includes=includes)
    (result,) = play(
        built, [], odd / "run", frames=3, timeout_cycles=100, profiles=[Profile("none")]
    )
    assert not result.timed_out
    assert not build(sources, "counter", odd / "the model", includes=includes).rebuilt
    for link in (cache / "paths").iterdir():  # as after a reboot, from /tmp
        link.unlink()
    play(built, [], odd / "run", frames=3, timeout_cycles=100, profiles=[Profile("none")])


def test_plain_path_is_left_alone(cache: Path) -> None:
    assert plain_path(Path("/a-b/c_1.2/d+e@f=~")) == Path("/a-b/c_1.2/d+e@f=~")
    assert not cache.exists()


def test_odd_path_is_reached_through_one_link(tmp_path: Path, cache: Path) -> None:
    odd = tmp_path / "a b" / "plain" / "ä"
    odd.mkdir(parents=True)
    (odd / "top.sv").write_text("text")
    plain = plain_path(odd / "top.sv")
    assert not ODD.search(str(plain))
    assert plain.is_relative_to(cache)
    assert plain.name == "top.sv" and plain.read_text() == "text"
    assert plain.parent == plain_path(odd)
    assert plain_path(odd / "my top.sv").suffix == ".sv"
    assert len({plain_path(odd), plain_path(odd / "x"), plain_path(tmp_path / "a b")}) == 3


def test_link_that_points_elsewhere_is_set_right(tmp_path: Path, cache: Path) -> None:
    link = plain_path(tmp_path / "a b")
    assert link.parent == cache / "paths"
    link.unlink()
    link.symlink_to("/")
    assert os.readlink(plain_path(tmp_path / "a b")) == str(tmp_path / "a b")
    assert list(link.parent.iterdir()) == [link]


def test_links_lie_in_a_private_folder_with_a_plain_name(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, shared, own = tmp_path / "my home", cache / "shared", cache / "own"
    private = f"shiftflow-{os.geteuid()}"
    (shared / private).mkdir(parents=True)
    (shared / private).chmod(0o777)  # made by another user, who could swap links
    monkeypatch.setattr(_paths, "cache_folder", lambda: home)
    monkeypatch.setattr(_paths, "SYSTEM_FOLDERS", (shared, own))
    assert plain_path(tmp_path / "a b").parent == own / private
    assert (own / private).stat().st_mode & 0o777 == 0o700


def test_no_folder_for_links_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_paths, "cache_folder", lambda: tmp_path / "my cache")
    monkeypatch.setattr(_paths, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(_paths.tempfile, "gettempdir", lambda: "/proc")
    with pytest.raises(FlowError) as caught:
        plain_path(tmp_path / "a b" / "c")
    assert str(caught.value) == (
        f"Verilator cannot build below '{tmp_path}/a b', whose name holds more than letters, "
        "digits and ._/+@=~-, without a link to it elsewhere, and none of these can hold one:\n"
        f"  {tmp_path}/my cache/paths\n"
        f"  /proc/shiftflow-{os.geteuid()}\n"
        "  Set SHIFTFLOW_CACHE to a folder of yours with a plain name."
    )
