"""What C simulation compared and how fast it was; it knows no cycles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError

ENGINE = "csim"


@dataclass(frozen=True, slots=True)
class CsimRun:
    """One compiled program on some frames; `wall_s` is that of simulating them, once.

    `name`: 'native' and 'bit_true' compare every layer, in C++'s own integers and in exact widths
    (ap_int); 'testbench' is the project's own program, which compares the output.
    """

    name: str
    frames: int
    outputs_compared: int
    mismatches: int
    compile_s: float
    wall_s: float

    @property
    def inferences_per_s(self) -> float:
        """On one core of this machine."""
        return self.frames / self.wall_s


@dataclass(frozen=True, slots=True)
class CsimLayer:
    """What was compared of one layer, in all runs that see it."""

    name: str
    words_compared: int
    mismatches: int


@dataclass(frozen=True, slots=True)
class CsimResult:
    """All runs; `mismatches` counts every compared word of every run."""

    engine: str
    io_type: str
    frames: int
    outputs_compared: int
    mismatches: int
    wall_s: float
    runs: tuple[CsimRun, ...]
    layers: tuple[CsimLayer, ...]


_ADAPTER = TypeAdapter(CsimResult)


def save_csim(result: CsimResult, path: Path) -> None:
    """Write the result with stable key order."""
    path.write_bytes(_ADAPTER.dump_json(result, indent=1) + b"\n")


def load_csim(path: Path) -> CsimResult:
    """Read what `save_csim` wrote; raises DataError when it is missing or damaged."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"the simulation result {path} cannot be read: {error}.\n"
            "  Rerun the simulate stage (--from simulate)."
        ) from error
