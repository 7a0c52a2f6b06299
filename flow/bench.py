"""Benchmarks of one model, each figure beside its goal and, where there is one, a peer's rate.

    python flow/bench.py --model kws [--markdown]       (or: make bench)

Everything is measured in this run, from empty caches, on this machine: a fresh build of all stages,
a second run from the cache, XLS compilation alone, RTL simulation speed, and integer inference
beside its peers on the same frames (`flow/bench_inference.py`). Absolute times depend on the
machine; counts and ratios do not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# `<=` or `>=` the number, for a model on its default target; a figure without an entry has no goal.
GOALS: dict[str, dict[str, tuple[str, float]]] = {
    "kws": {
        "integer accuracy (%)": (">=", 90.4),
        "cycles per frame": ("<=", 9000),
        "utilisation": (">=", 0.85),
        "DSP, post-synthesis": ("<=", 188),
        "LUT, post-synthesis": ("<=", 37_000),
        "BRAM36, post-synthesis": ("<=", 140),
        "RTL simulation (cycles/s)": (">=", 60_000),
        "XLS compilation, no cache (s)": ("<=", 60),
        "all stages, no cache (s)": ("<=", 1200),
        "second run, cached (s)": ("<=", 15),
        "integer engine, one core (inf/s)": (">=", 4500),
        "integer engine / QKeras": (">=", 1.5),
    },
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; None where its peer is not here, `met` None where there is no goal."""

    name: str
    value: float | None
    goal: str
    met: bool | None


def main() -> int:
    """Measure, print the table, write reports/bench-<model>.json; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="flow/bench.py", description=(__doc__ or "").split(".")[0]
    )
    parser.add_argument("--model", default="kws")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table as well")
    options = parser.parse_args()
    model: str = options.model
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    figures = [figure(model, name, value) for name, value in _measure(model).items()]
    _print(figures)
    if options.markdown:
        print(markdown(figures))
    save(figures, model, ROOT / "reports" / f"bench-{model}.json")
    return int(any(figure.met is False for figure in figures))


def figure(model: str, name: str, value: float | None) -> Figure:
    """A number beside its goal."""
    if value is None or name not in GOALS.get(model, {}):
        return Figure(name, value, "", None)
    sign, goal = GOALS[model][name]
    met = value <= goal if sign == "<=" else value >= goal
    return Figure(name, value, f"{sign} {goal:,g}", met)


def markdown(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = ["| figure | measured | goal | met |", "|---|---:|---:|---|"]
    return "\n".join(rows + [f"| {' | '.join(_cells(figure))} |" for figure in figures])


def save(figures: list[Figure], model: str, path: Path) -> None:
    """Write the figures with the commit, tools and machine that made them."""
    from flow.machine import cpu_model
    from flow.provenance import all_versions, git_commit

    content = {
        "model": model,
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "tools": all_versions(),
        "cpu": {"model": cpu_model(), "count": os.cpu_count()},
        "figures": [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def _measure(model: str) -> dict[str, float | None]:
    fresh = _build_fresh(model)
    cached = _timed(lambda: _build(model))
    report = json.loads((ROOT / "reports" / model / "report.json").read_text())
    synth, network = report["synth"], report["network"]
    return {
        "integer accuracy (%)": 100 * report["accuracy"]["integer"],
        "cycles per frame": report["sim"]["ii_cycles"],
        "latency (cycles)": report["sim"]["latency_cycles"],
        f"frames/s at an assumed {network['assumed_clock_mhz']:g} MHz": network["frames_per_s"],
        "multipliers": network["multipliers"],
        "utilisation": network["utilisation"],
        "DSP, post-synthesis": synth["dsp"],
        "LUT, post-synthesis": synth["lut"],
        "LUT, estimated": sum(layer["est_lut"] for layer in report["layers"]),
        "BRAM36, post-synthesis": synth["bram"],
        "RTL simulation (cycles/s)": report["sim"]["sim_cycles_per_s"],
        "XLS compilation, no cache (s)": _xls(model),
        "all stages, no cache (s)": fresh,
        "second run, cached (s)": cached,
        **_inference(model),
    }


def _build_fresh(model: str) -> float:
    """Seconds of a build that finds no cache at all, the set-up of packages excluded."""
    shutil.rmtree(ROOT / "build" / model, ignore_errors=True)
    shutil.rmtree(ROOT / "build" / "cache", ignore_errors=True)
    with tempfile.TemporaryDirectory() as empty:
        return _timed(lambda: _build(model, SHIFTFLOW_CACHE=empty))


def _build(model: str, **environment: str) -> None:
    command = [sys.executable, str(ROOT / "flow" / "build.py"), "--model", model]
    subprocess.run(command, env={**os.environ, **environment}, check=True)


def _xls(model: str) -> float:
    from flow.config import load_config
    from flow.emit.writer import kernel_specs, uses_dsp
    from flow.emit.xls import compile_kernels
    from flow.plan import load_plan

    plan, tools = load_plan(ROOT / "build" / model / "plan" / "plan.json"), load_config().tools
    specs = [(spec, uses_dsp(unit)) for unit in plan.units for spec in kernel_specs(unit)]
    with tempfile.TemporaryDirectory() as folder:
        return _timed(
            lambda: compile_kernels(
                [spec for spec, _ in specs],
                Path(folder),
                jobs=tools.jobs,
                timeout_s=int(tools.xls_timeout_s),
                cache_dir=None,
                use_dsp={spec.name: dsp for spec, dsp in specs},
            )
        )


def _inference(model: str) -> dict[str, float | None]:
    """Inferences per second, measured in a process of its own, which it pins to one core."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rates.json"
        program = ROOT / "flow" / "bench_inference.py"
        command = [sys.executable, str(program), "--model", model, "--json", str(path)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL)  # 1 also where a goal is missed
        if not path.is_file():
            raise subprocess.CalledProcessError(done.returncode, command)
        (rates,) = json.loads(path.read_text())
    engine, qkeras, tflite = rates["engine"], rates["qkeras"], rates["tflite"]
    stock = rates["stock"]
    return {
        "integer engine, one core (inf/s)": engine,
        "QKeras tf.function, same frames (inf/s)": qkeras,
        "integer engine / QKeras": engine / qkeras,
        "TFLite int8, one thread (inf/s)": tflite,
        "integer engine / TFLite": engine / tflite if tflite else None,
        "stock hls4ml, C simulation (inf/s)": stock,
        "integer engine / stock hls4ml": engine / stock if stock else None,
        "integer reference (inf/s)": rates["reference"],
        f"integer engine, {rates['cores']} cores (inf/s)": rates["all_cores"],
    }


def _timed(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _print(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "measured", "goal", "met")
    for figure in figures:
        table.add_row(*_cells(figure))
    Console().print(table)


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    met = {True: "yes", False: "NO", None: ""}[figure.met]
    return figure.name, _shown(figure.value), figure.goal, met


def _shown(value: float | None) -> str:
    if value is None:
        return "not here"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not flow/, whose modules would hide others
    sys.exit(main())
