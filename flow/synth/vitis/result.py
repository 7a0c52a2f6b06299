"""What Vitis HLS, Vivado and the simulation of their Verilog said of a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow.emit.vitis.files import write_atomically
from flow.errors import DataError
from flow.simulate.result import SimRun


@dataclass(frozen=True, slots=True)
class HlsResources:
    """Vitis HLS's own count, before logic synthesis; `bram_18k` counts blocks of 18 kbit."""

    lut: int
    ff: int
    dsp: int
    bram_18k: int
    uram: int


@dataclass(frozen=True, slots=True)
class HlsModule:
    """One module of the design; cycles are None where the tool says that they depend on data."""

    name: str
    latency_min_cycles: int | None
    latency_max_cycles: int | None
    interval_min_cycles: int | None
    interval_max_cycles: int | None
    used: HlsResources


@dataclass(frozen=True, slots=True)
class Csynth:
    """C synthesis: the tool's schedule and its estimates; cycles as in `HlsModule`."""

    latency_min_cycles: int | None
    latency_max_cycles: int | None
    interval_min_cycles: int | None
    interval_max_cycles: int | None
    target_clock_ns: float
    est_clock_ns: float
    used: HlsResources
    available: HlsResources
    modules: tuple[HlsModule, ...]  # all but the top, by name


@dataclass(frozen=True, slots=True)
class Cosim:
    """The tool's own co-simulation of C++ and RTL; cycles are None where it gives none."""

    rtl: str  # language, 'Verilog'
    status: str  # 'Pass'
    latency_min_cycles: int | None
    latency_max_cycles: int | None
    interval_min_cycles: int | None
    interval_max_cycles: int | None


@dataclass(frozen=True, slots=True)
class Utilisation:
    """After Vivado's synthesis, not placed; `bram36` counts tiles of 36 kbit, halves included."""

    lut: int
    ff: int
    dsp: int
    bram36: float
    uram: int


@dataclass(frozen=True, slots=True)
class Timing:
    """After Vivado's synthesis, with estimated wires; fmax_mhz = 1000 / (period_ns - wns_ns)."""

    wns_ns: float
    period_ns: float
    fmax_mhz: float


@dataclass(frozen=True, slots=True)
class RtlCheck:
    """Vitis' Verilog in the network's bench; words are those of its input and its output.

    Cycles are measured without stalls: `ii_cycles` between frame ends in the steady state,
    `latency_cycles` from the first input word in to the last output word of the first frame out.
    """

    frames: int
    words_compared: int
    mismatches: int
    ii_cycles: int
    latency_cycles: int
    runs: tuple[SimRun, ...]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A step without a result, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class VitisSynth:
    """All results; a part is None where its step was not run, and then `not_run` says why.

    `ran` is false, with its `reason`, when Vitis HLS itself was not run.
    """

    tool: str | None  # the program: 'vitis-run' or 'vitis_hls'
    version: str | None  # as its report gives it
    part: str
    ran: bool
    reason: str | None
    csynth: Csynth | None
    cosim: Cosim | None
    rtl: RtlCheck | None
    vivado_version: str | None
    vivado: Utilisation | None
    timing: Timing | None
    not_run: tuple[NotRun, ...]
    seconds: float  # of all tools together

    def __post_init__(self) -> None:
        if self.ran == (self.reason is not None) or self.ran == (self.csynth is None):
            raise ValueError("csynth belongs to a run, reason to none")


_ADAPTER = TypeAdapter(VitisSynth)


def save_vitis_synth(result: VitisSynth, path: Path) -> None:
    """Write the result as JSON; a reader sees the old file or the new one, never a part."""
    write_atomically(path, _ADAPTER.dump_json(result, indent=2).decode() + "\n")


def load_vitis_synth(path: Path) -> VitisSynth:
    """Read what `save_vitis_synth` wrote.

    Raises:
        DataError: the file is missing, or is not such a file.
    """
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"cannot read the Vitis result {str(path)!r}: {error}.\n  Run the stage 'synth' again."
        ) from error
