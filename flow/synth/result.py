"""What synthesis and routing reported, per unit."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from flow.errors import DataError


@dataclass(frozen=True, slots=True)
class UnitResources:
    """Post-synthesis cells of one unit; `lut` includes LUTRAM, `bram` counts 36 kbit blocks."""

    name: str
    lut: int
    ff: int
    dsp: int
    bram: float
    seconds: float  # of the run that produced the figures, which may lie in the cache


@dataclass(frozen=True, slots=True)
class SynthResult:
    """Sum over separately synthesised units."""

    tool: str
    target: str
    scope: str
    units: tuple[UnitResources, ...]
    lut: int
    ff: int
    dsp: int
    bram: float
    device_fit: dict[str, float]  # resource -> percent of the device
    warnings: tuple[str, ...] = ()  # cell types that no resource accounts for


@dataclass(frozen=True, slots=True)
class UnitTiming:
    """One unit after place and route; resources are counted as in `UnitResources`."""

    unit: str
    fmax_mhz: float
    lut: int  # sites, those of carry chains and LUT RAM included
    ff: int
    dsp: int
    bram: float
    critical_path: str
    seconds: float  # of the run that produced the figures, which may lie in the cache


@dataclass(frozen=True, slots=True)
class TimingResult:
    """Clock frequencies of separately routed units; at least one unit."""

    tool: str
    target: str
    scope: str
    units: tuple[UnitTiming, ...]

    @property
    def slowest(self) -> UnitTiming:
        """The unit that limits the clock of all."""
        return min(self.units, key=lambda unit: unit.fmax_mhz)


def synth_result_to_dict(result: SynthResult) -> dict[str, Any]:
    """The same fields as plain values, in the order of the class."""
    return asdict(result)


def synth_result_from_dict(values: Mapping[str, Any]) -> SynthResult:
    """Inverse of `synth_result_to_dict`.

    Raises:
        DataError: a field is missing or unknown.
    """
    try:
        units = tuple(UnitResources(**unit) for unit in values["units"])
        rest = {**values, "units": units, "warnings": tuple(values.get("warnings", ()))}
        return SynthResult(**rest)
    except (KeyError, TypeError) as error:
        names = [item.name for item in fields(SynthResult)]
        raise DataError(
            f"synthesis result does not have the fields {names}: {error}.\n"
            "  Run the stage 'synth' again."
        ) from error


def timing_from_dict(values: Mapping[str, Any]) -> TimingResult:
    """A TimingResult of the plain values that `save_timing` writes.

    Raises:
        DataError: a field is missing or unknown, or there is no unit.
    """
    try:
        units = tuple(UnitTiming(**unit) for unit in values["units"])
        if not units:
            raise KeyError("a unit")
        return TimingResult(**{**values, "units": units})
    except (KeyError, TypeError) as error:
        names = [item.name for item in fields(TimingResult)]
        raise DataError(
            f"routing result does not have the fields {names}: {error}.\n"
            "  Run the stage 'route' again."
        ) from error


def save_synth_result(result: SynthResult, path: Path) -> None:
    """Write the result as JSON; a reader sees the old file or the new one, never a part."""
    _save(asdict(result), path)


def load_synth_result(path: Path) -> SynthResult:
    """Read what `save_synth_result` wrote.

    Raises:
        DataError: the file is missing or not such a file.
    """
    return synth_result_from_dict(_load(path, "synthesis", "synth"))


def save_timing(result: TimingResult, path: Path) -> None:
    """Write the result as JSON; a reader sees the old file or the new one, never a part."""
    _save(asdict(result), path)


def load_timing(path: Path) -> TimingResult:
    """Read what `save_timing` wrote.

    Raises:
        DataError: the file is missing or not such a file.
    """
    return timing_from_dict(_load(path, "routing", "route"))


def _save(values: Mapping[str, Any], path: Path) -> None:
    text = json.dumps(values, indent=2, allow_nan=False) + "\n"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text)
    os.replace(part, path)


def _load(path: Path, what: str, stage: str) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read the {what} result {str(path)!r}: {error}.\n"
            f"  Run the stage {stage!r} again."
        ) from error
    if not isinstance(values, Mapping):
        raise DataError(
            f"{str(path)!r} holds no {what} result but a {type(values).__name__}.\n"
            f"  Run the stage {stage!r} again."
        )
    return values
