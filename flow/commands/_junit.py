"""Runs as JUnit XML, which continuous integration systems show as test results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

from flow.commands._attempt import Attempt
from flow.errors import Mismatch

# what XML 1.0, section 2.2, does not allow: a tool's log may hold escape sequences
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Compared = Callable[[Path], list[tuple[str, int, int]]]  # layer, words compared, mismatches


@dataclass(frozen=True, slots=True)
class _Case:
    group: str
    name: str
    state: Literal["passed", "failure", "skipped"]
    seconds: float = 0.0
    text: str = ""  # why it failed or was skipped; of a passed one what there is to say


def junit_xml(attempts: Sequence[Attempt]) -> str:
    """A test suite for each run: its stages, and its layers in both comparisons.

    A layer's case passes only if words of it were compared and none differs. Cached stages count
    no seconds.
    """
    suites = [(attempt, list(_cases(attempt))) for attempt in attempts]
    every = [case for _, cases in suites for case in cases]
    root = ET.Element("testsuites", {"name": "shiftflow", **_counts(every)})
    for attempt, cases in suites:
        made = attempt.started.strftime("%Y-%m-%dT%H:%M:%S")
        attributes = {"name": _clean(attempt.name), **_counts(cases), "timestamp": made}
        suite = ET.SubElement(root, "testsuite", attributes)
        for case in cases:
            _append(suite, attempt.name, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(cases: Sequence[_Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.state == "failure" for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.state == "skipped" for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _append(suite: ET.Element, run: str, case: _Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        classname=_clean(f"{run}.{case.group}"),
        name=_clean(case.name),
        time=f"{case.seconds:.3f}",
    )
    if case.state == "failure":
        message = _clean(case.text.partition("\n")[0])
        ET.SubElement(element, "failure", message=message).text = _clean(case.text)
    elif case.state == "skipped":
        ET.SubElement(element, "skipped", message=_clean(case.text))
    elif case.text:
        ET.SubElement(element, "system-out").text = _clean(case.text)


def _cases(attempt: Attempt) -> Iterator[_Case]:
    wanted = attempt.wanted
    yield from (_stage(attempt, name) for name in wanted)
    if attempt.error is not None and attempt.stage not in wanted:
        yield _Case("run", "the run itself", "failure", text=attempt.problem or "")
    if "evaluate" in wanted:
        yield from _layers(attempt, "evaluate", "integers equal QKeras", _equality)
    if "simulate" in wanted:
        yield from _layers(attempt, "simulate", _simulation(attempt), _simulated)
    if "synth" in wanted:
        yield from _not_run(attempt)


def _stage(attempt: Attempt, name: str) -> _Case:
    for outcome in attempt.outcomes:
        if outcome.name == name and outcome.cached:
            return _Case("stages", name, "passed", text=f"cached; took {outcome.seconds:.1f} s")
        if outcome.name == name:
            return _Case("stages", name, "passed", outcome.seconds)
    if attempt.stage == name:
        return _Case("stages", name, "failure", text=attempt.problem or "it did not end")
    return _Case("stages", name, "skipped", text="not reached")


def _layers(attempt: Attempt, stage: str, group: str, compared: Compared) -> Iterator[_Case]:
    """A case for each layer; of a failed stage only what its error says is known."""
    places = {outcome.name: outcome.folder for outcome in attempt.outcomes}
    if stage in places:
        for name, words, mismatches in compared(places[stage]):
            right = words > 0 and mismatches == 0
            text = f"{words} words compared, {mismatches} mismatches"
            yield _Case(group, name, "passed" if right else "failure", text=text)
    elif "extract" in places:
        graph = json.loads((places["extract"] / "graph.json").read_text())
        for node in graph["nodes"]:
            yield _unknown(attempt, stage, group, node["name"])


def _simulation(attempt: Attempt) -> str:
    what = "C simulation" if attempt.run is not None and attempt.run.engine == "vitis" else "RTL"
    return f"{what} equals integer reference"


def _not_run(attempt: Attempt) -> Iterator[_Case]:
    """What the vendor's tools would have told, had they been there."""
    for outcome in attempt.outcomes:
        file = outcome.folder / "vitis.json"
        if outcome.name == "synth" and file.is_file():
            for step in json.loads(file.read_text())["not_run"]:
                yield _Case("not run", step["what"], "skipped", text=f"not run: {step['why']}")


def _unknown(attempt: Attempt, stage: str, group: str, layer: str) -> _Case:
    error = attempt.error
    if attempt.stage == stage and isinstance(error, Mismatch) and error.layer == layer:
        return _Case(group, layer, "failure", text=str(error))
    why = "failed" if attempt.stage == stage else "was not reached"
    return _Case(group, layer, "skipped", text=f"not known: the stage {stage} {why}")


def _equality(folder: Path) -> list[tuple[str, int, int]]:
    """The stage ends only if no layer differs."""
    found = json.loads((folder / "evaluation.json").read_text())
    return [(layer["name"], layer["compared"], 0) for layer in found["equality"]]


def _simulated(folder: Path) -> list[tuple[str, int, int]]:
    found = json.loads((folder / "sim.json").read_text())
    return [
        (layer["name"], layer["words_compared"], layer["mismatches"]) for layer in found["layers"]
    ]


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)
