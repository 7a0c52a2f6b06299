"""Shape of report.json. Keys are added, never renamed; a changed meaning raises `SCHEMA`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from flow.errors import DataError
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
from flow.report.schema_layers import Layer, NetworkInput

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
    """`integer` and `rtl` are of this run; `float` and `qkeras` of the record if `recorded`.

    `rtl` is that of the integer network on the frames simulated, all of whose output words the RTL
    equals.
    """

    metric: Text
    dataset: Text
    float_: Annotated[Share | None, Field(alias="float")]
    qkeras: Share | None
    integer: Share
    rtl: Share | None
    samples: Positive
    rtl_samples: Count
    recorded: bool
    recorded_dataset: str | None
    recorded_samples: Positive | None
    note: str | None


class Run(Section):
    """One simulation pass."""

    stall_profile: Text
    seed: int
    frames: Count
    mismatches: Count
    outputs_compared: Count
    cycles: Count
    wall_s: Amount


class Sim(Section):
    """`passed`: something was compared and nothing differs, in every run and at every layer."""

    engine: Text
    frames: Positive
    outputs_compared: Count
    mismatches: Count
    ii_cycles: Positive
    latency_cycles: Positive
    sim_cycles_per_s: Amount
    wall_s: Amount
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


class Report(Section):
    """report.json."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    run: Text
    model: Text
    quant: Text
    engine: Text
    target: Text
    created_utc: Text
    git_commit: Text
    seed: int
    tools: dict[str, str]
    accuracy: Accuracy
    sim: Sim
    input: NetworkInput
    layers: Annotated[list[Layer], Field(min_length=1)]
    profile_samples: Positive
    network: Network
    synth: Synth
    timing: list[Timing]
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


def check_report(report: Mapping[str, Any]) -> None:
    """Raise DataError naming every key of a report that is missing, unknown or out of range."""
    try:
        Report.model_validate(report)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise DataError(
            f"report has {len(lines)} wrong value(s) (schema {SCHEMA}):\n" + "\n".join(lines)
        ) from error
