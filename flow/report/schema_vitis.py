"""report.json of engine `vitis`: what C simulation does not know is null, not left out, not 0."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from flow.report.schema import Report, Run, Synth
from flow.report.schema_base import Amount, Count, Frequency, Positive, Section, Text
from flow.report.schema_layers import PlannedLayer


class CRun(Section):
    """One compiled program on some frames."""

    stall_profile: None
    program: Text
    seed: None
    frames: Count
    mismatches: Count
    outputs_compared: Count
    cycles: None
    compile_s: Amount
    wall_s: Amount
    inferences_per_s: Amount


class CSim(Section):
    """C simulation; `compile_s` and `inferences_per_s` are those of native arithmetic."""

    engine: Text
    io_type: Text
    frames: Positive
    outputs_compared: Count
    mismatches: Count
    ii_cycles: None
    latency_cycles: None
    sim_cycles_per_s: None
    compile_s: Amount
    wall_s: Amount
    inferences_per_s: Amount
    passed: bool
    runs: list[CRun]


class CLayer(PlannedLayer):
    """A layer that was simulated in C alone; estimates are null where the planner has none."""

    sim_cycles: None
    sim_ii_cycles: None
    starved: None
    blocked: None
    utilisation: None
    est_lut: Count | None
    est_dsp: Count | None
    est_bram: Amount | None
    synth_lut: None
    synth_ff: None
    synth_dsp: None
    synth_bram: None
    bottleneck: None


class CNetwork(Section):
    """As `Network`; measured figures are those of Vitis' Verilog, null where there is none."""

    macs: Count
    multipliers: Count
    utilisation: Amount | None
    ideal_ii_cycles: Positive
    target_ii_cycles: Positive
    assumed_clock_mhz: Frequency
    frames_per_s: Amount | None
    slowest_fmax_mhz: None


class HlsResources(Section):
    """Vitis HLS's own count, before logic synthesis; `bram_18k` counts blocks of 18 kbit."""

    lut: Count
    ff: Count
    dsp: Count
    bram_18k: Count
    uram: Count


class HlsCycles(Section):
    """Of one run; null where the tool says that they depend on data."""

    latency_min_cycles: Count | None
    latency_max_cycles: Count | None
    interval_min_cycles: Count | None
    interval_max_cycles: Count | None


class HlsModule(HlsCycles):
    """One module of the design."""

    name: Text
    used: HlsResources


class Csynth(HlsCycles):
    """C synthesis: Vitis' schedule and its own estimates."""

    target_clock_ns: Frequency
    est_clock_ns: Frequency
    used: HlsResources
    available: HlsResources
    modules: list[HlsModule]


class Cosim(HlsCycles):
    """Vitis' co-simulation of C++ and RTL."""

    rtl: Text
    status: Text


class Utilisation(Section):
    """After Vivado's synthesis, not placed; `bram36` counts blocks of 36 kbit."""

    lut: Count
    ff: Count
    dsp: Count
    bram36: Amount
    uram: Count


class VivadoTiming(Section):
    """After Vivado's synthesis, with estimated wires."""

    wns_ns: float
    period_ns: Frequency
    fmax_mhz: Frequency


class RtlCheck(Section):
    """Vitis' Verilog against the integers, in the network's bench: its input and its output."""

    frames: Positive
    words_compared: Positive
    mismatches: Count
    ii_cycles: Positive
    latency_cycles: Positive
    runs: list[Run]


class Vitis(Section):
    """What the vendor's tools said; a part is null where `not_run` says why."""

    tool: Text | None
    version: Text | None
    part: Text
    csynth: Csynth | None
    cosim: Cosim | None
    rtl: RtlCheck | None
    vivado_version: Text | None
    vivado: Utilisation | None
    timing: VivadoTiming | None
    seconds: Amount


class VitisReport(Report):
    """`synth` is Vivado's, `vitis` what all its tools said; both null where they were not run."""

    engine: Literal["vitis"]
    sim: CSim
    layers: Annotated[list[CLayer], Field(min_length=1)]
    network: CNetwork
    synth: Synth | None
    vitis: Vitis | None
