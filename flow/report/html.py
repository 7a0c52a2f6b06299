"""Draws report.json as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flow.report import formats
from flow.report.view import page_values

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = (
    formats.number,
    formats.share,
    formats.percent,
    formats.score,
    formats.metric_name,
    formats.heading,
    formats.blocks,
    formats.shape,
    formats.duration,
)


def render_html(report: Mapping[str, Any]) -> str:
    """Return the page of a report that `check_report` accepts; it needs no other file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({function.__name__: function for function in FILTERS})
    template = environment.get_template("index.html.j2")
    return template.render(report=report, **page_values(report))
