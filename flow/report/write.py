"""Puts a report on disk."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from flow.report.build import build_report
from flow.report.html import render_html
from flow.report.inputs import ReportInputs


class ReportPaths(NamedTuple):
    """Where the two files lie."""

    json: Path
    html: Path


def write_report(folder: Path, inputs: ReportInputs) -> ReportPaths:
    """Write `report.json`, and `index.html` from what was written there.

    Both texts exist before the first file is touched, and each file is replaced as a whole: a
    reader never sees half a file, and a failure leaves the old ones.

    Raises:
        DataError: see `build_report`.
    """
    text = json.dumps(build_report(inputs), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    page = render_html(json.loads(text))
    folder.mkdir(parents=True, exist_ok=True)
    paths = ReportPaths(folder / "report.json", folder / "index.html")
    _replace(paths.json, text)
    _replace(paths.html, page)
    return paths


def _replace(path: Path, text: str) -> None:
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(part, 0o644)  # mkstemp's 0600 would hide the page from a web server
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise
