"""What the page shows beyond the values of report.json, so that the template only lays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.report.bits import bit_rows
from flow.report.columns import cells, end_rows, header_groups, network_row
from flow.report.drawing import network_strips
from flow.report.timing import routing

RESOURCES = (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram", "BRAM"))


def page_values(report: Mapping[str, Any]) -> dict[str, Any]:
    """The template's variables besides `report`."""
    layers, sim = report["layers"], report["sim"]
    longest = max(max(layer["est_cycles"], layer["sim_cycles"]) for layer in layers)
    longest = max(longest, sim["ii_cycles"])
    stage_s = max((stage["seconds"] for stage in report["stages"]), default=0.0) or 1.0
    return {
        "failed": not sim["passed"],
        "differing": _differing(report),
        "strips": network_strips(report),
        "bars": [_bar(layer, longest) for layer in layers],
        "slowest": sum(layer["bottleneck"] for layer in layers),
        "ii_mark": 100 * sim["ii_cycles"] / longest,
        "header_groups": header_groups(),
        "rows": [(layer, cells(layer)) for layer in layers],
        "ends": end_rows(report),
        "network_row": network_row(report),
        "bit_rows": bit_rows(report),
        "resources": [_resource(report, key, label) for key, label in RESOURCES],
        "routing": routing(report),
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
