"""Save and load a HwPlan as JSON, and its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError
from flow.plan.hwplan import HwPlan

_ADAPTER = TypeAdapter(HwPlan)


def save_plan(plan: HwPlan, path: Path) -> None:
    """Write the plan with stable key order."""
    path.write_bytes(_ADAPTER.dump_json(plan, indent=1) + b"\n")


def load_plan(path: Path) -> HwPlan:
    """Read what `save_plan` wrote; raises DataError when it is missing or damaged."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"the hardware plan {path} cannot be read: {error}.\n"
            "  Rerun the plan stage (--from plan)."
        ) from error


def plan_hash(plan: HwPlan) -> str:
    """SHA-256 of the plan's JSON."""
    return hashlib.sha256(_ADAPTER.dump_json(plan)).hexdigest()
