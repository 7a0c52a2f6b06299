"""Draws report.json as one self-contained page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
NONE = "\N{EN DASH}"
RESOURCES = (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram", "BRAM"))


def render_html(report: Mapping[str, Any]) -> str:
    """Return the page of a report that `check_report` accepts; it needs no other file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=number, share=share, score=score, duration=duration, blocks=blocks
    )
    template = environment.get_template("index.html.j2")
    return template.render(report=report, **_derived(report))


def number(value: float | None, digits: int = 0) -> str:
    """Group the digits by thousands; None is a dash."""
    return NONE if value is None else f"{value:,.{digits}f}".replace(",", NARROW_SPACE)


def share(value: float | None) -> str:
    """A share (0 to 1) as percent, rounded down: 100.0 % means all of it; None is a dash."""
    return NONE if value is None else f"{math.floor(1000 * value) / 10:.1f}{NARROW_SPACE}%"


def score(value: float | None, metric: str) -> str:
    """An accuracy as percent, any other metric as it is."""
    if value is None:
        return NONE
    return f"{100 * value:.2f}{NARROW_SPACE}%" if "accuracy" in metric.lower() else f"{value:.4f}"


def blocks(value: float) -> str:
    """Block RAM counts, whose halves matter."""
    return f"{value:g}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 10:
        return f"{seconds:.1f}{NARROW_SPACE}s"
    if seconds < 100:
        return f"{seconds:.0f}{NARROW_SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{NARROW_SPACE}min {rest:02d}{NARROW_SPACE}s"


def _derived(report: Mapping[str, Any]) -> dict[str, Any]:
    """Sums and bar lengths, so that the template only lays out."""
    layers, sim, synth = report["layers"], report["sim"], report["synth"]
    longest = max(max(layer["est_cycles"], layer["sim_cycles"]) for layer in layers)
    longest = max(longest, sim["ii_cycles"])
    names = {layer["name"] for layer in layers}
    stage_s = max((stage["seconds"] for stage in report["stages"]), default=0.0) or 1.0
    return {
        "failed": not sim["passed"],
        "differing": _differing(report),
        "bars": [_bar(layer, longest) for layer in layers],
        "slowest": sum(layer["bottleneck"] for layer in layers),
        "ii_mark": 100 * sim["ii_cycles"] / longest,
        "totals": {key: sum(layer[key] for layer in layers)
                   for key in ("macs", "est_lut", "est_dsp", "est_bram",
                               "synth_lut", "synth_ff", "synth_dsp", "synth_bram")},
        "ends": [unit for unit in synth["units"] if unit["name"] not in names],
        "resources": [_resource(report, key, label) for key, label in RESOURCES],
        "stage_rows": [{**stage, "length": 100 * stage["seconds"] / stage_s}
                       for stage in report["stages"]],
        "stage_total": sum(stage["seconds"] for stage in report["stages"]),
        "profiles": sorted({run["stall_profile"] for run in sim["runs"]}),
    }  # fmt: skip


def _differing(report: Mapping[str, Any]) -> int:
    """Differing words; the largest count wherever the parts disagree."""
    sim = report["sim"]
    in_runs = sum(int(run["mismatches"]) for run in sim["runs"])
    in_layers = sum(int(layer["mismatches"]) for layer in report["layers"])
    return max(int(sim["mismatches"]), in_runs, in_layers)


def _bar(layer: Mapping[str, Any], longest: int) -> dict[str, Any]:
    return {
        "name": layer["name"],
        "est": layer["est_cycles"],
        "sim": layer["sim_cycles"],
        "est_length": 100 * layer["est_cycles"] / longest,
        "sim_length": 100 * layer["sim_cycles"] / longest,
        "bottleneck": layer["bottleneck"],
    }


def _resource(report: Mapping[str, Any], key: str, label: str) -> dict[str, Any]:
    fit = report["synth"]["device_fit"].get(key)
    return {
        "label": label,
        "used": report["synth"][key],
        "available": report["device"][key],
        "percent": fit,
        "length": min(fit or 0.0, 100.0),
        "too_many": fit is not None and fit > 100.0,
    }
