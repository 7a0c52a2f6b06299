"""Report of a run: `report.json`, and `index.html` drawn only from it."""

from flow.report.build import build_report
from flow.report.check import check_report
from flow.report.html import render_html
from flow.report.inputs import AccuracyFigures, ReportInputs, StageTime
from flow.report.schema import SCHEMA
from flow.report.write import ReportPaths, write_report

__all__ = [
    "SCHEMA",
    "AccuracyFigures",
    "ReportInputs",
    "ReportPaths",
    "StageTime",
    "build_report",
    "check_report",
    "render_html",
    "write_report",
]
