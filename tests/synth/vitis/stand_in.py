"""Stands in for Vitis HLS and Vivado: `python stand_in.py PROGRAM ARGUMENT...`, in a project.

It reads what the tools read (the script that it is given, project.tcl, build_opt.tcl), writes the
reports of `reports/` where the tools write theirs, and a prepared Verilog. `settings.json` beside
the program on PATH says how it behaves; messages are worded as the tools word theirs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

REPORTS = Path(__file__).parent / "reports"
LICENCE = (
    "ERROR: [Common 17-345] A valid license was not found for feature 'HLS' and/or device "
    "'xc7z020'. Please run the Vivado License Manager for assistance in determining which features "
    "and devices are licensed for your system."
)
BANNERS = {
    "vitis-run": "****** vitis-run v{release} (64-bit)",
    "vitis_hls": "Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v{release} (64-bit)",
    "vivado": "Vivado v{release} (64-bit)",
}
SCRIPTS = {"vitis-run": "build_prj.tcl", "vitis_hls": "build_prj.tcl", "vivado": "vivado_synth.tcl"}


def main(program: Path, arguments: list[str]) -> int:
    """Behave as the program of this name."""
    settings = json.loads((program.parent / "settings.json").read_text())
    release = settings["release"].get(program.name, "2024.1")
    print(BANNERS[program.name].format(release=release), flush=True)
    if arguments[0] in ("--version", "-version"):
        return 0
    script = Path(arguments[-1])
    assert script.name == SCRIPTS[program.name] and script.is_file(), arguments
    behaviour = settings["behaviour"].get(program.name, "success")
    name, part = _setting("project_name"), _setting("part")
    if program.name == "vivado":
        return _vivado(name, part, behaviour)
    return _vitis(name, part, behaviour, Path(settings["verilog"]))


def _vitis(name: str, part: str, behaviour: str, verilog: Path) -> int:
    steps = re.findall(r"^ +(\w+) +([01])$", Path("build_opt.tcl").read_text(), re.MULTILINE)
    asked = {step for step, value in steps if value == "1"}
    solution = Path(f"{name}_prj") / "solution1"
    solution.mkdir(parents=True, exist_ok=True)
    (solution.parent / "hls.app").write_text(
        '<project xmlns="com.autoesl.autopilot.project"><solutions>'
        '<solution name="solution1" status="active"/></solutions></project>\n'
    )
    if behaviour == "part":
        print(f"ERROR: [HLS 200-1023] Part '{part}' is not installed.")
        print("command 'ap_source' returned error code")
        return 1
    if behaviour in ("licence", "licence_exit_0"):
        print(LICENCE)
        return int(behaviour == "licence")
    if behaviour == "hang":
        # AMD's launchers give some of their children a session of their own
        with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
            Path("child.pid").write_text(str(child.pid))
    if behaviour == "slow":
        time.sleep(60)
    if "synth" in asked and behaviour != "no_reports":
        _csynth(name, part, solution, verilog, behaviour)
    if "cosim" in asked:
        _write(solution / "sim" / "report" / f"{name}_cosim.rpt", "cosim.rpt")
    print("INFO: [HLS 200-111] Finished Command csynth_design CPU user time: 1 seconds.")
    return 0


def _csynth(name: str, part: str, solution: Path, verilog: Path, behaviour: str) -> None:
    report = solution / "syn" / "report" / f"{name}_csynth.xml"
    _write(report, "top_csynth.xml", TOP=name, PART=part)
    if behaviour == "crash":
        report.write_text(report.read_text()[:900])
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    _write(report.with_name("conv_y_csynth.xml"), "module_csynth.xml", MODULE="conv_y",
           PART=part, LATENCY="144")  # fmt: skip
    shutil.copytree(verilog, solution / "syn" / "verilog")


def _vivado(name: str, part: str, behaviour: str) -> int:
    assert any(Path(f"{name}_prj/solution1/syn/verilog").glob("*.v"))
    if behaviour == "fail":
        print("ERROR: [Synth 8-439] module 'little_fifo' not found")
        return 1
    for report in ("vivado_synth.rpt", "vivado_timing.rpt"):
        _write(Path(report), report, TOP=name, PART=part)
        if behaviour == "crash":
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _write(path: Path, report: str, **values: str) -> None:
    text = (REPORTS / report).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _setting(name: str) -> str:
    found = re.search(rf'^set {name} "([^"]*)"', Path("project.tcl").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
