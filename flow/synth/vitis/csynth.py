"""Reports of C synthesis and of co-simulation.

hls4ml reads the top's numbers (`<top>_csynth.xml`) and the table of `<top>_cosim.rpt`. Read here,
because hls4ml does not: the release, part and top that a report is of, and the modules' own
reports. A module's own report holds, not its row in `csynth.xml`, whose interval can be a range or
that of an inner loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from flow.emit.vitis.project import VitisProject
from flow.emit.vitis.tool import reports_folder
from flow.errors import DataError
from flow.synth.vitis._hls4ml import parse, take
from flow.synth.vitis.numbers import count, cycles, real
from flow.synth.vitis.result import Cosim, Csynth, HlsModule, HlsResources

SUFFIX = "_csynth.xml"
RESOURCES = ("LUT", "FF", "DSP", "BRAM_18K", "URAM")
OVERALL = "PerformanceEstimates/SummaryOfOverallLatency"
CYCLES = ("Best-caseLatency", "Worst-caseLatency", "Interval-min", "Interval-max")
HLS4ML_CYCLES = ("BestLatency", "WorstLatency", "IntervalMin", "IntervalMax")
COSIM_CYCLES = ("LatencyMin", "LatencyMax", "IntervalMin", "IntervalMax")


def read_csynth(project: VitisProject) -> tuple[Csynth, str]:
    """The schedule and estimates of a synthesised project, and the release that made them.

    Raises:
        DataError: a report is missing, damaged, or of another design or part.
    """
    report = csynth_report(project)
    found = parse(
        project.name, report, f"{{solution}}/syn/report/{report.name}", "CSynthesisReport"
    )
    texts = {name: take(found, name, report) for name in (*HLS4ML_CYCLES, *_hls4ml_names())}
    root = _root(report)
    _check_origin(root, project, report)
    best, worst, shortest, longest = (cycles(texts[name], name, report) for name in HLS4ML_CYCLES)
    result = Csynth(
        latency_min_cycles=best,
        latency_max_cycles=worst,
        interval_min_cycles=shortest,
        interval_max_cycles=longest,
        target_clock_ns=real(texts["TargetClockPeriod"], "TargetClockPeriod", report),
        est_clock_ns=real(texts["EstimatedClockPeriod"], "EstimatedClockPeriod", report),
        used=_resources(texts, "", report),
        available=_resources(texts, "Available", report),
        modules=tuple(_module(path) for path in sorted(report.parent.glob(f"*{SUFFIX}"))
                      if path != report),
    )  # fmt: skip
    return result, _text(root, "ReportVersion/Version", report)


def read_cosim(project: VitisProject) -> Cosim:
    """The table of the tool's co-simulation.

    Raises:
        DataError: the report is missing, damaged, or says that co-simulation did not pass.
    """
    report = cosim_report(project)
    found = parse(project.name, report, f"{{solution}}/sim/report/{report.name}", "CosimReport")
    status = take(found, "Status", report)
    if status != "Pass":
        raise DataError(f"report {report}: co-simulation of {project.name!r} says {status!r}.")
    best, worst, shortest, longest = (
        cycles(take(found, key, report), key, report) for key in COSIM_CYCLES
    )
    return Cosim(take(found, "RTL", report), status, best, worst, shortest, longest)


def csynth_report(project: VitisProject) -> Path:
    """The top's report of C synthesis."""
    return reports_folder(project) / f"{project.name}{SUFFIX}"


def cosim_report(project: VitisProject) -> Path:
    """The table of the tool's co-simulation."""
    return reports_folder(project).parents[1] / "sim" / "report" / f"{project.name}_cosim.rpt"


def _hls4ml_names() -> Iterable[str]:
    """Names under which hls4ml gives clocks and resources."""
    yield from ("TargetClockPeriod", "EstimatedClockPeriod")
    for resource in RESOURCES:
        yield from (resource, f"Available{resource}")


def _module(report: Path) -> HlsModule:
    root = _root(report)
    best, worst, shortest, longest = (
        cycles(_text(root, f"{OVERALL}/{name}", report), name, report) for name in CYCLES
    )
    place = "AreaEstimates/Resources"
    texts = {name: _text(root, f"{place}/{name}", report) for name in RESOURCES}
    return HlsModule(
        _text(root, "UserAssignments/TopModelName", report),
        best, worst, shortest, longest, _resources(texts, "", report),
    )  # fmt: skip


def _resources(texts: Mapping[str, str], prefix: str, report: Path) -> HlsResources:
    lut, ff, dsp, bram, uram = (
        count(texts[prefix + name], prefix + name, report) for name in RESOURCES
    )
    return HlsResources(lut, ff, dsp, bram, uram)


def _check_origin(root: ElementTree.Element, project: VitisProject, report: Path) -> None:
    top = _text(root, "UserAssignments/TopModelName", report)
    part = _text(root, "UserAssignments/Part", report)
    if top != project.name:
        raise DataError(f"report {report} is of {top!r}, not of {project.name!r}.")
    if part.replace("-", "") != project.part.replace("-", ""):  # the report adds dashes
        raise DataError(f"report {report} is of part {part!r}, not of {project.part!r}.")


def _root(report: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(
            f"report {report} cannot be read: {error}.\n  Run C synthesis again."
        ) from error


def _text(root: ElementTree.Element, place: str, report: Path) -> str:
    text = root.findtext(place)
    if text is None:
        raise DataError(
            f"report {report} has no element {place!r}: it is cut off, or of another release."
        )
    return text.strip()
