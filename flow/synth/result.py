"""What synthesis reported, per unit and summed."""

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


def save_synth_result(result: SynthResult, path: Path) -> None:
    """Write the result as JSON; a reader sees the old file or the new one, never a part."""
    text = json.dumps(synth_result_to_dict(result), indent=2, allow_nan=False) + "\n"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text)
    os.replace(part, path)


def load_synth_result(path: Path) -> SynthResult:
    """Read what `save_synth_result` wrote.

    Raises:
        DataError: the file is missing or not such a file.
    """
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read the synthesis result {str(path)!r}: {error}.\n"
            "  Run the stage 'synth' again."
        ) from error
    return synth_result_from_dict(values)
