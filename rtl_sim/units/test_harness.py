"""The harness ends tools that do not end by themselves, and says which limit they met."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flow.errors import ToolFailed
from rtl_sim.harness import Model, Profile, build, play

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
