"""The few lines about a run that the terminal shows at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flow.data import SHIPPED_ARE
from flow.fetch import fetch_command
from flow.metrics import NAMES as METRICS
from flow.metrics import as_text
from flow.report.formats import NARROW_SPACE, share
from flow.simulate.csim_result import ENGINE as CSIM
from flow.stages import Finished

Section = Mapping[str, Any]
Lines = Iterator[tuple[str, str]]


def summarise(finished: Finished) -> list[tuple[str, str]]:
    """Label and text of each line; only what the run has reached."""
    found = _sections(finished)
    lines: list[tuple[str, str | None]] = [
        (
            METRICS[found["accuracy"]["metric"]] if "accuracy" in found else "accuracy",
            _accuracy(found["accuracy"], found["recorded"]) if "accuracy" in found else None,
        ),
        ("partial AUC", _partial_auc(found) if found.get("partial_auc") else None),
        ("evaluation", found["note"] if _is_own(found) else None),
        ("real test set", _real_test_set(found["accuracy"]) if "accuracy" in found else None),
        *(_simulated(found["sim"]) if "sim" in found else ()),
        *(_vendor(found["vitis"]) if found.get("vitis") else ()),
        ("multipliers", _multipliers(found["network"]) if "network" in found else None),
        ("resources", _resources(found["synth"]) if found.get("synth") else None),
        *(("note", text) for text in found["notes"]),
        *(("not run", f"{step['what']}: {step['why']}") for step in found.get("not_run", ())),
    ]
    return [(label, text) for label, text in lines if text is not None]


def _is_own(found: Section) -> bool:
    """Whether it is of a user's own model: no training record tells about it."""
    return "accuracy" in found and found["recorded"] is None


def _sections(finished: Finished) -> dict[str, Any]:
    """The sections of report.json, or without a report what the stages have written."""
    folders = {outcome.name: outcome.folder for outcome in finished.outcomes}
    sections: dict[str, Any] = {"notes": []}
    if "extract" in folders:
        sections["notes"] = json.loads((folders["extract"] / "graph.json").read_text())["notes"]
    if finished.report is not None:
        sections |= json.loads((finished.report / "report.json").read_text())
    elif "simulate" in folders:
        sections["sim"] = json.loads((folders["simulate"] / "sim.json").read_text())
        sections["not_run"] = _not_run(folders.get("synth"))
    if "evaluate" in folders:
        sections |= json.loads((folders["evaluate"] / "evaluation.json").read_text())
    return sections


def _not_run(synth: Path | None) -> list[Section]:
    """Of a run that stopped before its report."""
    file = synth / "vitis.json" if synth is not None else None
    if file is None or not file.is_file():
        return []
    found: list[Section] = json.loads(file.read_text())["not_run"]
    return found


def _accuracy(section: Section, recorded: Section) -> str | None:
    measured = f"{section['samples']} samples of {section['dataset']}"
    shares = [
        f"{label} {as_text(section[key], section['metric'])}"
        for key, label in (("float", "float"), ("qkeras", "QKeras"), ("integer", "integer"))
        if section[key] is not None
    ]
    if not shares:
        return None
    if not section["recorded"]:
        text = f"{', '.join(shares)} on {measured}"
        return f"{text} (float: recorded in training)" if section["float"] is not None else text
    origin = f"recorded on {recorded['samples']} samples of {recorded['dataset']}"
    shipped = f"{measured} shipped here, which are {SHIPPED_ARE[section['dataset']]}"
    return f"{', '.join(shares[:-1])} ({origin}); {shares[-1]} on {shipped}"


def _partial_auc(found: Section) -> str:
    areas = found["partial_auc"]
    shown = [
        f"{label} {as_text(areas[key], 'auc')}"
        for key, label in (("qkeras", "QKeras"), ("integer", "integer"))
        if areas[key] is not None
    ]
    return f"{', '.join(shown)} (false-positive rate < 0.1, standardised)"


def _real_test_set(section: Section) -> str | None:
    """How to get it, when only the shipped samples are there."""
    return (
        f"not here; to get it: {fetch_command(section['dataset'])}" if section["recorded"] else None
    )


def _simulated(section: Section) -> Lines:
    compared = (
        f"{section['frames']} frames, {section['outputs_compared']:,} outputs compared, "
        f"{section['mismatches']} mismatches"
    )
    if section["engine"] == CSIM:
        native = section["runs"][0]
        rate = native["frames"] / native["wall_s"]
        speed = f"{rate:,.0f} inferences/s, compiled in {native['compile_s']:.1f} s"
        yield "C simulation", f"{compared}; {speed}"
        return
    yield "RTL simulation", compared
    yield "cycles per frame", _cycles(section)


def _vendor(section: Section) -> Lines:
    """What the vendor's tools made, as far as they were run."""
    if section["rtl"] is not None:
        rtl = section["rtl"]
        yield (
            "RTL simulation",
            f"Verilog of Vitis HLS, {rtl['frames']} frames, {rtl['words_compared']:,} outputs "
            f"compared, {rtl['mismatches']} mismatches",
        )
        yield "cycles per frame", _cycles(rtl)
    if section["timing"] is not None:
        timing = section["timing"]
        yield (
            "clock",
            f"{timing['fmax_mhz']:.1f} MHz after Vivado's synthesis, with estimated wires",
        )


def _cycles(section: Section) -> str:
    return f"{section['ii_cycles']:,} (latency {section['latency_cycles']:,})"


def _multipliers(section: Section) -> str:
    if section["utilisation"] is None:
        return f"{section['multipliers']}"
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
