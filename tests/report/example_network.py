"""A report of a deep network with branches, made from the layers of `example.py`."""

from __future__ import annotations

import copy
from typing import Any

from flow.report import build_report, check_report
from tests.report.example import inputs, timing

BLOCK = ("expand", "depthwise", "project", "squeeze", "excite", "scale")


def branching(layers: int) -> dict[str, Any]:
    """Blocks of six: a branch beside the main path, and a shortcut over every other block."""
    report = build_report(inputs(timing=timing(151.2, 84.5, 120.0)))
    samples = report["layers"][:3]
    report["layers"] = []
    for place in range(layers):
        layer = copy.deepcopy(samples[place % 3])
        layer["name"] = _name(place)
        layer["inputs"] = _inputs(place)
        layer["sim_cycles"] = 4000 + (place * 37 % 11) * 350
        layer["bottleneck"] = False
        report["layers"].append(layer)
    slowest = max(report["layers"], key=lambda layer: int(layer["sim_cycles"]))
    slowest["sim_cycles"], slowest["bottleneck"] = 8004, True
    check_report(report)
    return report


def _name(place: int) -> str:
    return f"block_{place // 6}_{BLOCK[place % 6]}_conv2d"


def _inputs(place: int) -> list[str]:
    """The branch squeeze, excite leaves after depthwise and joins the main path in scale."""
    block, step = divmod(place, 6)
    if place == 0:
        return ["input"]
    if step == 3:
        return [_name(6 * block + 1)]
    if step == 5:
        shortcut = [_name(6 * block - 1)] if block % 2 else []
        return [_name(6 * block + 2), _name(6 * block + 4), *shortcut]
    return [_name(place - 1)]
