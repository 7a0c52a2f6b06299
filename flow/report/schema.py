"""Shape of report.json. Keys are added, never renamed; a changed meaning raises `SCHEMA`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flow.errors import DataError

SCHEMA = 1

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool | None


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Device(_Section):
    """The target's resources; `bram` in 36 kbit blocks."""

    name: Text
    family: Text
    lut: Count
    ff: Count
    dsp: Count
    bram: Count


class Accuracy(_Section):
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


class Run(_Section):
    """One simulation pass."""

    stall_profile: Text
    seed: int
    frames: Count
    mismatches: Count
    outputs_compared: Count
    cycles: Count
    wall_s: Amount


class Sim(_Section):
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


class Layer(_Section):
    """A unit of the plan.

    `a_bits` is the width of the layer's input activations. `utilisation` = macs / (pe * simd *
    sim_cycles), null where nothing is multiplied. `bottleneck`: no layer has more `sim_cycles`.
    """

    name: Text
    op: Text
    macs: Count
    w_bits: Count
    a_bits: Positive
    y_bits: Positive
    acc_bits: Count
    pe: Positive
    simd: Positive
    lanes: Positive
    products: Text
    est_cycles: Positive
    sim_cycles: Positive
    sim_ii_cycles: Positive
    utilisation: Amount | None
    est_lut: Count
    est_dsp: Count
    est_bram: Amount
    synth_lut: Count
    synth_ff: Count
    synth_dsp: Count
    synth_bram: Amount
    words_compared: Count
    mismatches: Count
    bottleneck: bool


class Network(_Section):
    """`ideal_ii_cycles` is the slowest layer's estimate; `frames_per_s` assumes the clock."""

    macs: Count
    multipliers: Count
    utilisation: Amount | None
    ideal_ii_cycles: Positive
    target_ii_cycles: Positive
    assumed_clock_mhz: Annotated[float, Field(gt=0)]
    frames_per_s: Amount


class SynthUnit(_Section):
    """One separately synthesised unit: a layer or an end of the network."""

    name: Text
    lut: Count
    ff: Count
    dsp: Count
    bram: Amount
    seconds: Amount


class Synth(_Section):
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


class Timing(_Section):
    """A routed design's clock."""

    tool: Text
    target: Text
    scope: Text
    fmax_mhz: Annotated[float, Field(gt=0)]


class StageTime(_Section):
    """Wall time of a stage."""

    name: Text
    seconds: Amount
    cached: bool


class Report(_Section):
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
    layers: Annotated[list[Layer], Field(min_length=1)]
    network: Network
    synth: Synth
    timing: list[Timing]
    stages: list[StageTime]
    device: Device
    provenance: dict[str, Scalar]


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
