"""What the accuracy command leaves: a JSON with its provenance, and the table of README.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from flow.accuracy.rows import TOOLS
from flow.accuracy.schema import SCHEMA, AccuracyReport, Row
from flow.accuracy.table import table
from flow.config import ROOT
from flow.errors import DataError
from flow.marked_text import replace_between, text_between, write_text
from flow.provenance import all_versions, git_commit, tool_versions

JSON = ROOT / "reports" / "accuracy.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- accuracy: begin, made by make accuracy -->", "<!-- accuracy: end -->"
INTERVALS = {
    "accuracy": "Wilson 1927, score interval",
    "auc": "Hanley and McNeil 1982, exponential model",
}


def check_places() -> None:
    """Refuse what could not be published, before anything is measured.

    Raises:
        DataError: README.md lacks the place of the table.
    """
    text_between(README, BEGIN, END)


def publish(rows: Sequence[Row]) -> None:
    """Write both, each whole or not at all."""
    report = AccuracyReport.model_validate(
        {
            "schema": SCHEMA,
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "git_commit": git_commit(),
            "tools": all_versions() | tool_versions(TOOLS),
            "intervals": INTERVALS,
            "rows": [row.model_dump(by_alias=True) for row in rows],
        }
    )
    JSON.parent.mkdir(parents=True, exist_ok=True)
    write_text(JSON, json.dumps(report.model_dump(by_alias=True), indent=1) + "\n")
    replace_between(README, BEGIN, END, table(rows))


def load_report(path: Path = JSON) -> AccuracyReport:
    """Read what `publish` wrote.

    Raises:
        DataError: it is missing or is not such a file.
    """
    try:
        return AccuracyReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{path} is no accuracy table: {error}.\n  Make it again: make accuracy"
        ) from error
