"""Save and load a SimResult as JSON."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError
from flow.simulate.result import SimResult

_ADAPTER = TypeAdapter(SimResult)


def save_sim(result: SimResult, path: Path) -> None:
    """Write the result with stable key order."""
    path.write_bytes(_ADAPTER.dump_json(result, indent=1) + b"\n")


def load_sim(path: Path) -> SimResult:
    """Read what `save_sim` wrote; raises DataError when it is missing or damaged."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"the simulation result {path} cannot be read: {error}.\n"
            "  Rerun the simulate stage (--from simulate)."
        ) from error
