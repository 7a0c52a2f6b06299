"""Shape of report.json. Keys are added, never renamed; a changed meaning raises `SCHEMA`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from flow.report.schema_base import (
    Amount,
    Count,
    Frequency,
    Positive,
    Scalar,
    Section,
    Share,
    Text,
)
from flow.report.schema_layers import Layer, NetworkInput, PlannedLayer

SCHEMA = 1


class Device(Section):
    """The target's resources; `bram` in 36 kbit blocks."""

    name: Text
    family: Text
    lut: Count
    ff: Count
    dsp: Count
    bram: Count


class Accuracy(Section):
    """`float` and `qkeras` are of the record if `recorded`, the others of this run.

    `rtl` and `csim` are those of the integer network on the frames simulated in RTL and in C, all
    of whose output words are equal to its own. The partial AUCs are those of ad's clips up to a
    false-positive rate of 0.1.
    """

    metric: Text
    dataset: Text
    float_: Annotated[Share | None, Field(alias="float")]
    qkeras: Share | None
    integer: Share | None
    rtl: Share | None
    samples: Positive
    rtl_samples: Count
    csim: Share | None
    csim_samples: Count
    qkeras_partial_auc: Share | None
    integer_partial_auc: Share | None
    recorded: bool
    recorded_dataset: str | None
    recorded_samples: Positive | None
    note: str | None


class Run(Section):
    """One pass of RTL simulation; what only C simulation knows is null."""

    stall_profile: Text
    program: None
    seed: int
    frames: Count
    mismatches: Count
    outputs_compared: Count
    cycles: Count
    compile_s: None
    wall_s: Amount
    inferences_per_s: None


class Sim(Section):
    """`passed`: something was compared and nothing differs, in every run and at every layer."""

    engine: Text
    io_type: None
    frames: Positive
    outputs_compared: Count
    mismatches: Count
    ii_cycles: Positive
    latency_cycles: Positive
    sim_cycles_per_s: Amount
    compile_s: None
    wall_s: Amount
    inferences_per_s: None
    passed: bool
    runs: list[Run]


class Network(Section):
    """`ideal_ii_cycles` is the slowest layer's estimate; `frames_per_s` assumes the clock.

    `slowest_fmax_mhz` is that of the slowest routed unit, null where nothing was routed.
    """

    macs: Count
    multipliers: Count
    utilisation: Amount | None
    ideal_ii_cycles: Positive
    target_ii_cycles: Positive
    assumed_clock_mhz: Frequency
    frames_per_s: Amount
    slowest_fmax_mhz: Frequency | None


class SynthUnit(Section):
    """One separately synthesised unit: a layer or an end of the network."""

    name: Text
    lut: Count
    ff: Count
    dsp: Count
    bram: Amount
    seconds: Amount


class Synth(Section):
    """Sums over `units`."""

    tool: Text
    target: Text
    scope: Text
    lut: Count
    ff: Count
    dsp: Count
    bram: Amount
    device_fit: dict[str, Amount]
    units: list[SynthUnit]
    warnings: list[str]


class Timing(Section):
    """Clock frequency and cells of one routed unit."""

    tool: Text
    target: Text
    scope: Text
    unit: Text
    fmax_mhz: Frequency
    critical_path: str
    lut: Count
    ff: Count
    dsp: Count
    bram: Amount
    seconds: Amount


class StageTime(Section):
    """Wall time of a stage."""

    name: Text
    seconds: Amount
    cached: bool


class NotRun(Section):
    """A step that this run could not take, and why."""

    what: Text
    why: Text


class WeightTensor(Section):
    """Codes of a kernel or bias: the width given, the least that holds them, the share of zeros."""

    layer: Text
    tensor: Literal["kernel", "bias"]
    values: Positive
    bits: Positive
    used_bits: Positive
    zeros: Share


class Report(Section):
    """report.json: what it holds whatever the engine; engines narrow the layers' type."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    run: Text
    model: Text
    quant: Text
    target: Text
    created_utc: Text
    git_commit: Text
    seed: int
    tools: dict[str, str]
    accuracy: Accuracy
    input: NetworkInput
    layers: Sequence[PlannedLayer]
    profile_samples: Positive
    timing: list[Timing]
    not_run: list[NotRun]
    notes: list[Text]
    weight_tensors: list[WeightTensor]
    stages: list[StageTime]
    device: Device
    provenance: dict[str, Scalar]

    @model_validator(mode="after")
    def _layers_read_what_comes_before(self) -> Report:
        known = {"input"}
        for layer in self.layers:
            wrong = [name for name in layer.inputs if name not in known]
            if wrong or layer.name in known:
                raise ValueError(
                    f"layer {layer.name!r} must have a name of its own and read earlier layers or "
                    f"'input', not {wrong}"
                )
            known.add(layer.name)
        return self


class XlsReport(Report):
    """Everything was simulated and synthesised: no figure is null for want of a tool."""

    engine: Literal["xls"]
    sim: Sim
    layers: Annotated[list[Layer], Field(min_length=1)]
    network: Network
    synth: Synth
    vitis: None
