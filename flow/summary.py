"""The few lines about a run that the terminal shows at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flow.stages import Finished

Section = Mapping[str, Any]
STAGE_FILES = {"evaluate": "accuracy", "simulate": "sim", "synth": "synth"}


def summarise(finished: Finished) -> list[tuple[str, str]]:
    """Label and text of each line; only what the run has reached."""
    found = _sections(finished)
    lines = [
        ("accuracy", _accuracy(found["accuracy"]) if "accuracy" in found else None),
        ("RTL simulation", _simulation(found["sim"]) if "sim" in found else None),
        ("cycles per frame", _cycles(found["sim"]) if "sim" in found else None),
        ("multipliers", _multipliers(found["network"]) if "network" in found else None),
        ("resources", _resources(found["synth"]) if "synth" in found else None),
    ]
    return [(label, text) for label, text in lines if text is not None]


def _sections(finished: Finished) -> dict[str, Section]:
    """The sections of report.json, or without a report what the stages have written."""
    if finished.report is not None:
        report: dict[str, Section] = json.loads((finished.report / "report.json").read_text())
        return report
    sections: dict[str, Section] = {}
    for outcome in finished.outcomes:
        if outcome.name in STAGE_FILES:
            section = STAGE_FILES[outcome.name]
            sections[section] = json.loads((outcome.folder / f"{section}.json").read_text())
    return sections


def _accuracy(section: Section) -> str:
    names = (("float", "float"), ("qkeras", "QKeras"), ("integer", "integer"))
    recorded = " (recorded)" if section.get("recorded") else ""
    parts = [
        f"{label} {100 * section[key]:.2f} %" + ("" if key == "integer" else recorded)
        for key, label in names
        if section.get(key) is not None
    ]
    return f"{', '.join(parts)}; {section['samples']} samples of {section['dataset']}"


def _simulation(section: Section) -> str:
    return (
        f"{section['frames']} frames, {section['outputs_compared']:,} outputs compared, "
        f"{section['mismatches']} mismatches"
    )


def _cycles(section: Section) -> str:
    return f"{section['ii_cycles']:,} (latency {section['latency_cycles']:,})"


def _multipliers(section: Section) -> str:
    return f"{section['multipliers']}, utilisation {100 * section['utilisation']:.1f} %"


def _resources(section: Section) -> str:
    fit = section["device_fit"]
    parts = [
        f"{name.upper()} {section[name]:,g} ({fit[name]:.1f} %)"
        if name in fit
        else f"{name.upper()} {section[name]:,g}"
        for name in ("lut", "dsp", "bram")
    ]
    return f"{', '.join(parts)} of {section['target']} ({section['tool']}, {section['scope']})"
