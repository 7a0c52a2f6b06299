"""Reports through hls4ml's own reader, `hls4ml.report.parse_vivado_report`.

The reader takes a whole project folder and has traps (hls4ml 1.3.0): without hls.app it dies of an
IndexError, of several solutions it takes the first one listed, a report that is missing or cut off
gives a dictionary with fewer keys and a line on the terminal (hls4ml issues 438 and 1231), and an
earlier run's files are read like this one's. So it is shown a folder that holds nothing but the
reports it shall read, and what it found is checked by the caller.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from flow.emit.vitis.tool import SOLUTION
from flow.errors import DataError

APP = f'<project><solutions><solution name="{SOLUTION}" status="active"/></solutions></project>\n'


def parse(name: str, report: Path, place: str, key: str) -> Mapping[str, Any]:
    """What hls4ml reads from one report, as it gives it: texts by its own names.

    Args:
        name: of the top function.
        place: of the report in a project, '{solution}' standing for the solution's folder.
        key: of the reader's result that the report fills.

    Raises:
        DataError: the report is missing, or the reader fails on it.
    """
    if not report.is_file():
        raise DataError(
            f"report {report} is missing, although the step that writes it ended without an error."
            "\n  Run the step again; if it stays missing, read the tool's log beside the project."
        )
    return dict(parse_all(name, {place: report}).get(key, {}))


def parse_all(name: str, reports: Mapping[str, Path]) -> dict[str, Any]:
    """What hls4ml reads from these reports, by their places; one that is missing is left out.

    Raises:
        DataError: the reader fails on them.
    """
    from hls4ml.report import parse_vivado_report

    with tempfile.TemporaryDirectory(prefix="hls4ml-report.") as scratch:
        root = Path(scratch)
        solution = root / f"{name}_prj" / SOLUTION
        solution.mkdir(parents=True)
        (root / "project.tcl").write_text(f'set project_name "{name}"\nset backend "vitis"\n')
        (solution.parent / "hls.app").write_text(APP)
        for place, report in reports.items():
            copy = root / place.format(solution=solution.relative_to(root))
            copy.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(report, copy)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return dict(parse_vivado_report(str(root)))
        except (ParseError, AttributeError, LookupError, ValueError, TypeError) as error:
            shown = ", ".join(str(report) for report in reports.values())
            raise DataError(
                f"report {shown} is damaged: hls4ml's reader fails on it ({error!r}).\n"
                "  Run the step that writes it again."
            ) from error


def take(values: Mapping[str, Any], name: str, report: Path) -> str:
    """One of the reader's values.

    Raises:
        DataError: the reader did not find it, and said nothing.
    """
    if values.get(name) is None:
        raise DataError(
            f"report {report} has no value for {name!r} where hls4ml's reader looks for it.\n"
            "  The report is cut off, or of a release that hls4ml 1.3.0 cannot read."
        )
    return str(values[name])
