"""The few lines about a run that the terminal shows at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flow.data import SHIPPED_ARE
from flow.fetch import fetch_command
from flow.report.formats import NARROW_SPACE, share
from flow.stages import Finished

Section = Mapping[str, Any]


def summarise(finished: Finished) -> list[tuple[str, str]]:
    """Label and text of each line; only what the run has reached."""
    found = _sections(finished)
    lines = [
        (
            "accuracy",
            _accuracy(found["accuracy"], found["recorded"]) if "accuracy" in found else None,
        ),
        ("real test set", _real_test_set(found["accuracy"]) if "accuracy" in found else None),
        ("RTL simulation", _simulation(found["sim"]) if "sim" in found else None),
        ("cycles per frame", _cycles(found["sim"]) if "sim" in found else None),
        ("multipliers", _multipliers(found["network"]) if "network" in found else None),
        ("resources", _resources(found["synth"]) if "synth" in found else None),
    ]
    return [(label, text) for label, text in lines if text is not None]


def _sections(finished: Finished) -> dict[str, Section]:
    """The sections of report.json, or without a report what the stages have written."""
    folders = {outcome.name: outcome.folder for outcome in finished.outcomes}
    sections: dict[str, Section] = {}
    if finished.report is not None:
        sections |= json.loads((finished.report / "report.json").read_text())
    elif "simulate" in folders:
        sections["sim"] = json.loads((folders["simulate"] / "sim.json").read_text())
    if "evaluate" in folders:
        sections |= json.loads((folders["evaluate"] / "evaluation.json").read_text())
    return sections


def _accuracy(section: Section, recorded: Section) -> str:
    measured = f"{section['samples']} samples of {section['dataset']}"
    shares = [
        f"{label} {100 * section[key]:.2f} %"
        for key, label in (("float", "float"), ("qkeras", "QKeras"), ("integer", "integer"))
        if section[key] is not None
    ]
    if not section["recorded"]:
        text = f"{', '.join(shares)} on {measured}"
        return f"{text} (float: recorded in training)" if section["float"] is not None else text
    origin = f"recorded on {recorded['samples']} samples of {recorded['dataset']}"
    shipped = f"{measured} shipped here, which are {SHIPPED_ARE[section['dataset']]}"
    return f"{', '.join(shares[:-1])} ({origin}); {shares[-1]} on {shipped}"


def _real_test_set(section: Section) -> str | None:
    """How to get it, when only the shipped samples are there."""
    return (
        f"not here; to get it: {fetch_command(section['dataset'])}" if section["recorded"] else None
    )


def _simulation(section: Section) -> str:
    return (
        f"{section['frames']} frames, {section['outputs_compared']:,} outputs compared, "
        f"{section['mismatches']} mismatches"
    )


def _cycles(section: Section) -> str:
    return f"{section['ii_cycles']:,} (latency {section['latency_cycles']:,})"


def _multipliers(section: Section) -> str:
    used = share(section["utilisation"]).replace(NARROW_SPACE, " ")  # as the page writes it
    return f"{section['multipliers']}, utilisation {used}"


def _resources(section: Section) -> str:
    fit = section["device_fit"]
    parts = [
        f"{name.upper()} {section[name]:,g} ({fit[name]:.1f} %)"
        if name in fit
        else f"{name.upper()} {section[name]:,g}"
        for name in ("lut", "dsp", "bram")
    ]
    return f"{', '.join(parts)} of {section['target']} ({section['tool']}, {section['scope']})"
