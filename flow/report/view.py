"""What the page shows beyond the values of report.json, so that the template only lays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.report.bits import bit_rows
from flow.report.columns import cells, columns_of, end_rows, header_groups, network_row
from flow.report.drawing import network_strips
from flow.report.timing import routing
from flow.report.vendor_rows import vendor_rows

RESOURCES = (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram", "BRAM"))


def page_values(report: Mapping[str, Any]) -> dict[str, Any]:
    """The template's variables besides `report`."""
    layers, sim = report["layers"], report["sim"]
    in_c = sim["ii_cycles"] is None
    columns = columns_of(report)
    stage_s = max((stage["seconds"] for stage in report["stages"]), default=0.0) or 1.0
    return {
        "failed": not sim["passed"],
        "in_c": in_c,
        "differing": _differing(report),
        "strips": network_strips(report),
        **_cycle_bars(report),
        "slowest": sum(bool(layer["bottleneck"]) for layer in layers),
        "header_groups": header_groups(columns),
        "rows": [(layer, cells(layer, columns)) for layer in layers],
        "ends": end_rows(report, columns),
        "network_row": network_row(report, columns),
        "bit_rows": bit_rows(report),
        "resources": _resources(report),
        "routing": routing(report),
        "vendor": vendor_rows(report["vitis"]) if report["vitis"] else None,
        "stage_rows": [{**stage, "length": 100 * stage["seconds"] / stage_s}
                       for stage in report["stages"]],
        "stage_total": sum(stage["seconds"] for stage in report["stages"]),
        "profiles": sorted({run["program" if in_c else "stall_profile"] for run in sim["runs"]}),
    }  # fmt: skip


def _differing(report: Mapping[str, Any]) -> int:
    """Differing words; the largest count wherever the parts disagree."""
    sim = report["sim"]
    in_runs = sum(int(run["mismatches"]) for run in sim["runs"])
    in_layers = sum(int(layer["mismatches"]) for layer in report["layers"])
    return max(int(sim["mismatches"]), in_runs, in_layers)


def _cycle_bars(report: Mapping[str, Any]) -> dict[str, Any]:
    """Bars of all layers, and the mark of the whole network; what was not simulated has none."""
    layers, whole = report["layers"], report["sim"]["ii_cycles"]
    cycles = [layer[key] or 0 for layer in layers for key in ("est_cycles", "sim_cycles")]
    longest = max(whole or 0, *cycles)
    return {
        "bars": [_bar(layer, longest) for layer in layers],
        "ii_mark": 100 * (whole or report["network"]["target_ii_cycles"]) / longest,
    }


def _bar(layer: Mapping[str, Any], longest: int) -> dict[str, Any]:
    simulated = layer["sim_cycles"]
    return {
        "name": layer["name"],
        "est": layer["est_cycles"],
        "sim": simulated,
        "est_length": 100 * layer["est_cycles"] / longest,
        "sim_length": None if simulated is None else 100 * simulated / longest,
        "bottleneck": bool(layer["bottleneck"]),
    }


def _resources(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    if report["synth"] is None:
        return []
    return [_resource(report, key, label) for key, label in RESOURCES]


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
