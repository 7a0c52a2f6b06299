"""The command line with quick stand-ins for the stages; also a program, for tests that kill it.

    python -m tests.fake_run FOLDER ARGUMENT...

A stage that finds a file `FOLDER/hold-<stage>` starts a child process and waits for it;
`fail-<stage>` makes it raise, `differ-<stage>` makes it find a difference in the layer whose name
the file holds. `FOLDER/calls` gets one line per executed stage.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from flow import build, runs, stages
from flow.cache import Stage
from flow.errors import Mismatch, ToolFailed

Files = dict[str, dict[str, Any]]  # stage: {file: content}

LAYERS = ("conv", "dense")
SIM = {"engine": "verilator", "frames": 2, "outputs_compared": 24, "mismatches": 0,
       "ii_cycles": 8000, "latency_cycles": 9000,
       "layers": [{"name": name, "words_compared": 12, "mismatches": 0} for name in LAYERS],
       }  # fmt: skip
CSIM = {"engine": "csim", "frames": 2, "outputs_compared": 30, "mismatches": 0,
        "runs": [{"name": "native", "frames": 2, "wall_s": 0.01, "compile_s": 4.25}],
        "layers": [{"name": name, "words_compared": 15, "mismatches": 0} for name in LAYERS],
        }  # fmt: skip
NOT_RUN = [{"what": "Vitis HLS (synthesis)", "why": "not on PATH"}]
REPORT: dict[str, Any] = {
    "sim": SIM,
    "vitis": None,
    "not_run": [],
    "network": {"multipliers": 333, "utilisation": 0.997},
    "synth": {"tool": "yosys", "target": "xc7z020", "scope": "per unit", "lut": 25000, "ff": 1,
              "dsp": 60, "bram": 7.5, "device_fit": {"lut": 47.0, "dsp": 27.3, "bram": 5.4}},
    "layers": [{"name": name, "op": name, "w_bits": 4, "a_bits": 8, "pe": 1, "simd": 9,
                "est_cycles": 8000, "sim_cycles": 8000, "utilisation": 1.0, "synth_lut": 1200,
                "synth_dsp": 9, "synth_bram": 0.5, "words_compared": 12, "mismatches": 0}
               for name in LAYERS],
}  # fmt: skip
UNKNOWN = ("sim_cycles", "utilisation", "synth_lut", "synth_dsp", "synth_bram")
CREPORT = {
    **REPORT,
    "sim": CSIM,
    "network": {"multipliers": 333, "utilisation": None},
    "synth": None,
    "not_run": NOT_RUN,
    "layers": [{**layer, **dict.fromkeys(UNKNOWN)} for layer in REPORT["layers"]],
}
EVALUATION = {
    "accuracy": {"metric": "accuracy", "dataset": "set", "float": 0.9, "qkeras": 0.8,
                 "integer": 0.8, "samples": 10, "recorded": False},
    "recorded": {"dataset": "set.npz", "sha256": None, "samples": 10, "note": None, "float": 0.9,
                 "qkeras": 0.8},
    "equality": [{"name": name, "compared": 6} for name in LAYERS],
    "note": None,
}  # fmt: skip
COMMON: Files = {
    "extract": {"graph.json": {"nodes": [{"name": name} for name in LAYERS], "notes": []}},
    "evaluate": {"evaluation.json": EVALUATION},
}
FILES: dict[str, Files] = {
    "xls": {
        **COMMON,
        "simulate": {"sim.json": SIM},
        "report": {"report.json": REPORT, "index.html": {}},
    },
    "vitis": {
        **COMMON,
        "simulate": {"sim.json": CSIM},
        "synth": {"vitis.json": {"not_run": NOT_RUN}},
        "report": {"report.json": CREPORT, "index.html": {}},
    },
}


NAMES = tuple(name for name in stages.STAGES if name != "route")  # as on a device without router


def install(folder: Path) -> None:
    """Let the command line work in `folder` with stand-ins for the stages."""
    runs.BUILD = folder / "build"
    runs.REPORTS = folder / "reports"
    stages.stages_of = lambda run: fake_stages(folder, run.engine)  # type: ignore[assignment]


def fake_stages(folder: Path, engine: str) -> list[Stage]:
    """Stages of the real names, each needing the one before."""
    previous = ("", *NAMES)
    return [
        Stage(name, (before,) if before else (), "sources", {},
              lambda work, done, name=name: _make(folder, engine, name, work))
        for before, name in zip(previous, NAMES, strict=False)
    ]  # fmt: skip


def _make(folder: Path, engine: str, name: str, work: Path) -> None:
    (work / f"{name}.txt").write_text(name)
    for file, content in FILES[engine].get(name, {}).items():
        (work / file).write_text(json.dumps(content))
    if (folder / f"hold-{name}").exists():
        with subprocess.Popen(["sleep", "60"]) as child:
            (folder / "child").write_text(str(child.pid))
    if (folder / f"fail-{name}").exists():
        log = work / "tool.log"
        log.write_text("first line\nlast line\n")
        raise ToolFailed(f"stage {name}", ["tool", "--input", "a b"], 3, log)
    if (differs := folder / f"differ-{name}").exists():
        raise Mismatch(differs.read_text(), (0, 1), 3, 4, 5, 12)
    with (folder / "calls").open("a") as calls:
        calls.write(f"{name}\n")


if __name__ == "__main__":
    install(Path(sys.argv[1]))
    sys.exit(build.main(sys.argv[2:]))
