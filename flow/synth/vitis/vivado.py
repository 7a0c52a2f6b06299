"""Vivado's reports after logic synthesis: cells, and the slack of the slowest path.

hls4ml reads the cells (`vivado_synth.rpt`), under two misleading names: its BRAM_18K counts tiles
of 36 kbit, its DSP48E counts DSP blocks of any kind. Read here, because hls4ml does not: release
and design of a report, and `vivado_timing.rpt` (hls4ml knows only that of a placed accelerator).
"""

from __future__ import annotations

import re
from pathlib import Path

from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.tool import VIVADO_REPORTS
from flow.errors import DataError
from flow.synth.vitis._hls4ml import parse, take
from flow.synth.vitis.numbers import count, real
from flow.synth.vitis.result import Timing, Utilisation

UTILISATION, TIMING = VIVADO_REPORTS
KEYS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM_18K", "dsp": "DSP48E"}  # ours: hls4ml's
CLOCK = "ap_clk"
VERSION = re.compile(r"^\| Tool Version\s*: Vivado v\.(\S+)", re.MULTILINE)
DESIGN = re.compile(r"^\| Design\s*: (\S+)", re.MULTILINE)
SLACK = re.compile(r"^\s*WNS\(ns\).*\n[\s-]*\n\s*(\S+)", re.MULTILINE)
PERIOD = re.compile(rf"^{CLOCK}\s+\{{[^}}]*\}}\s+(\S+)", re.MULTILINE)


def read_utilisation(project: VitisProject) -> tuple[Utilisation, str]:
    """Cells of the synthesised network, and the release that counted them.

    A device without UltraRAM has no row for it; `uram` is 0 then.

    Raises:
        DataError: the report is missing, cut off, or of another design.
    """
    report = project.root / UTILISATION
    found = parse(project.name, report, UTILISATION, "VivadoSynthReport")
    text = _checked(report, project)
    texts = {name: take(found, key, report) for name, key in KEYS.items()}
    return Utilisation(
        lut=count(texts["lut"], "LUT", report),
        ff=count(texts["ff"], "FF", report),
        dsp=count(texts["dsp"], "DSP", report),
        bram36=real(texts["bram36"], "Block RAM Tile", report),
        uram=count(str(found.get("URAM", "0")), "URAM", report),
    ), _find(VERSION, text, "the line 'Tool Version'", report)


def read_timing(project: VitisProject) -> Timing:
    """Slack and period of the network's clock, wires estimated.

    Raises:
        DataError: the report is missing, cut off, of another design, or has no clock.
    """
    report = project.root / TIMING
    if not report.is_file():
        raise DataError(f"report {report} is missing.\n  Run Vivado's synthesis again.")
    text = _checked(report, project)
    slack = _find(SLACK, text, "the table below 'WNS(ns)'", report)
    if slack == "NA":
        raise DataError(f"report {report}: WNS is 'NA', so no path had a clock.\n  {VIVADO_HINT}")
    wns = real(slack, "WNS", report)
    period = real(_find(PERIOD, text, f"the clock {CLOCK!r}", report), "Period", report)
    if period - wns <= 0:
        raise DataError(f"report {report}: slack {wns} ns is not below the period {period} ns.")
    return Timing(wns_ns=wns, period_ns=period, fmax_mhz=round(1e3 / (period - wns), 2))


VIVADO_HINT = "vivado_synth.tcl of the project creates it: write the project again."


def _checked(report: Path, project: VitisProject) -> str:
    text = report.read_text(errors="replace")
    if not text.endswith("\n"):  # else a number could lack its last digits
        raise DataError(f"report {report} is cut off in mid-line.\n  Run Vivado's synthesis again.")
    design = _find(DESIGN, text, "the line 'Design'", report)
    if design != project.name:
        raise DataError(f"report {report} is of {design!r}, not of {project.name!r}.")
    return text


def _find(pattern: re.Pattern[str], text: str, what: str, report: Path) -> str:
    found = pattern.search(text)
    if found is None:
        raise DataError(f"report {report} lacks {what}: it is cut off, or of another release.")
    return found[1]
