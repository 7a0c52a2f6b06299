"""The cocotb side of `play`: sets the knobs, waits for whole runs, reads the probes.

No Python runs per clock cycle, which would cost a factor of ten in speed.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import First, RisingEdge, Timer
from cocotb.utils import get_sim_time

from rtl_sim.clock import PERIOD_NS, RESET_CYCLES


@cocotb.test()
async def play(dut: Any) -> None:
    """Run every profile of the specification and write the answer file."""
    spec = json.loads(Path(os.environ["SHIFTFLOW_PLAY"]).read_text())
    dut.rst.value = 1
    dut.frames.value = spec["frames"]
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    results = [await _run_profile(dut, profile, spec) for profile in spec["profiles"]]
    Path(spec["answer"]).write_text(json.dumps(results))


async def _run_profile(dut: Any, profile: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    dut.source_stall.value = profile["source_stall"]
    dut.check_stall.value = profile["check_stall"]
    dut.seed.value = profile["seed"]
    for cycles in profile["reset_after_cycles"]:
        await _reset(dut)
        await _cycles(cycles)
    await _reset(dut)
    started, started_ns = time.monotonic(), _now_ns()
    timeout = Timer(spec["timeout_cycles"] * PERIOD_NS, unit="ns")
    timed_out = await First(RisingEdge(dut.done), timeout) is timeout
    cycles, wall_s = (_now_ns() - started_ns) // PERIOD_NS, time.monotonic() - started
    await _cycles(spec["grace_cycles"])
    return {
        "profile": profile["name"],
        "timed_out": timed_out,
        "cycles": int(cycles),
        "wall_s": wall_s,
        "taps": [_read_tap(dut, tap) for tap in spec["taps"]],
    }


async def _reset(dut: Any) -> None:
    dut.rst.value = 1
    await _cycles(RESET_CYCLES)
    dut.rst.value = 0


async def _cycles(count: int) -> None:
    await Timer(count * PERIOD_NS, unit="ns")


def _now_ns() -> float:
    return float(get_sim_time("ns"))


COUNTERS = (
    "received",
    "mismatches",
    "first_bad_index",
    "first_bad_cycle",
    "first_expected",
    "first_got",
    "protocol_errors",
    "first_cycle",
    "last_cycle",
    "starved_cycles",
    "blocked_cycles",
)


def _read_tap(dut: Any, tap: dict[str, Any]) -> dict[str, Any]:
    probe = dut
    for name in tap["path"].split("."):
        probe = getattr(probe, name)
    ends = probe.frame_end_cycle
    read = {name: int(getattr(probe, name).value) for name in COUNTERS}
    kept = range(min(tap["frames"], len(ends)))
    return {
        "path": tap["path"],
        "label": tap["label"],
        "words": tap["words"],
        **read,
        "frame_end_cycles": [int(ends[index].value) for index in kept],
    }
