"""Routed clock frequencies beside the assumed clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RoutedUnit:
    """One routed unit; lengths are percent of the chart."""

    name: str
    fmax_mhz: float
    length: float
    critical_path: str
    slowest: bool
    too_slow: bool  # slower than the assumed clock


@dataclass(frozen=True, slots=True)
class Routing:
    """All routed units; None instead: nothing was routed.

    `frames_per_s` is that at the slowest unit's clock; `missing` counts layers without a figure.
    """

    tool: str
    target: str
    scope: str
    units: tuple[RoutedUnit, ...]
    slowest_mhz: float
    assumed_mhz: float
    assumed_mark: float
    frames_per_s: float
    missing: int

    @property
    def too_slow(self) -> bool:
        """The assumed clock is out of reach."""
        return self.slowest_mhz < self.assumed_mhz


def routing(report: Mapping[str, Any]) -> Routing | None:
    """What `timing` of report.json means for the assumed clock."""
    entries = report["timing"]
    if not entries:
        return None
    slowest, assumed = report["network"]["slowest_fmax_mhz"], report["network"]["assumed_clock_mhz"]
    longest = max(assumed, *(entry["fmax_mhz"] for entry in entries))
    routed = {entry["unit"] for entry in entries}
    return Routing(
        tool=entries[0]["tool"],
        target=entries[0]["target"],
        scope=entries[0]["scope"],
        units=tuple(_unit(entry, slowest, assumed, longest) for entry in entries),
        slowest_mhz=slowest,
        assumed_mhz=assumed,
        assumed_mark=100 * assumed / longest,
        frames_per_s=slowest * 1e6 / report["sim"]["ii_cycles"],
        missing=sum(layer["name"] not in routed for layer in report["layers"]),
    )


def _unit(entry: Mapping[str, Any], slowest: float, assumed: float, longest: float) -> RoutedUnit:
    return RoutedUnit(
        name=entry["unit"],
        fmax_mhz=entry["fmax_mhz"],
        length=100 * entry["fmax_mhz"] / longest,
        critical_path=entry["critical_path"],
        slowest=entry["fmax_mhz"] == slowest,
        too_slow=entry["fmax_mhz"] < assumed,
    )
