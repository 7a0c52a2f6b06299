"""Everything that a report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from flow.graph import IntGraph, Profile
from flow.plan.hwplan import HwPlan, Target
from flow.simulate.csim_result import CsimResult
from flow.simulate.result import SimResult
from flow.synth.result import SynthResult, TimingResult
from flow.synth.vitis.result import VitisSynth

Scalar = str | int | float | bool | None


class StageTime(NamedTuple):
    """How long a stage took; `cached`: the time is of an earlier run whose result was used."""

    name: str
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True)
class AccuracyFigures:
    """The metric (0 to 1) at each level of the flow; None: not known.

    `integer` is computed in this run on `samples` samples of `dataset`, `rtl` on the `rtl_samples`
    of them that went through RTL, `csim` on the `csim_samples` that went through C simulation.
    `recorded`: `float` and `qkeras` were written down when the weights were trained, on
    `recorded_dataset` (None: on `dataset`). The partial AUCs, up to a false-positive rate of 0.1,
    are None where no clips are scored. `note` says what else a reader should know.
    """

    metric: str
    dataset: str
    float: float | None
    qkeras: float | None  # type: ignore[valid-type]  # the field above hides the type's name
    integer: float | None  # type: ignore[valid-type]
    rtl: float | None  # type: ignore[valid-type]
    samples: int
    rtl_samples: int
    recorded: bool
    recorded_dataset: str | None = None
    note: str | None = None
    recorded_samples: int | None = None  # of `recorded_dataset`
    csim: float | None = None  # type: ignore[valid-type]
    csim_samples: int = 0
    qkeras_partial_auc: float | None = None  # type: ignore[valid-type]
    integer_partial_auc: float | None = None  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Results of all stages and where they come from."""

    run: str
    model: str
    quant: str
    engine: str
    target: Target
    created_utc: str  # ISO 8601
    git_commit: str
    seed: int  # draws the frames that are simulated
    tools: Mapping[str, str]  # name -> version
    accuracy: AccuracyFigures | Mapping[str, Scalar]  # a mapping has the same keys
    graph: IntGraph
    profile: Profile  # of samples that `accuracy.integer` is measured on, or of some of them
    plan: HwPlan
    sim: SimResult | CsimResult
    synth: SynthResult | None  # None: by Yosys, nothing
    stages: tuple[StageTime | tuple[str, float, bool], ...]
    provenance: Mapping[str, Scalar]  # configuration, plan hash, data: shown as they are
    timing: TimingResult | None = None  # None: not routed
    vitis: VitisSynth | None = None  # engine `vitis` only
