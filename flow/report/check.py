"""Checks a report against the schema of its engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from flow.errors import DataError
from flow.report.schema import SCHEMA, XlsReport
from flow.report.schema_vitis import VitisReport


def check_report(report: Mapping[str, Any]) -> None:
    """Raise DataError naming every key of a report that is missing, unknown or out of range."""
    model: type[BaseModel] = VitisReport if report.get("engine") == "vitis" else XlsReport
    try:
        model.model_validate(report)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise DataError(
            f"report has {len(lines)} wrong value(s) (schema {SCHEMA}):\n" + "\n".join(lines)
        ) from error
