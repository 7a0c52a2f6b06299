"""What changed from one report to another, and which changes are regressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from flow.commands._reports import Loaded
from flow.errors import ConfigError
from flow.metrics import NAMES as METRICS

Number = int | float | bool


class Better(Enum):
    """In which direction a figure improves."""

    HIGHER = 1
    LOWER = -1


class Limit(Enum):
    """How much worse a figure may get."""

    NONE = "may not get worse"
    PERCENT = "--limit"
    SECONDS = "--limit-seconds"


class Needs(Enum):
    """What must be alike in both reports for a figure to be judged."""

    NOTHING = "nothing"
    SAMPLES = "samples"
    RTL_SAMPLES = "samples in RTL"
    CSIM_SAMPLES = "samples in C simulation"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of report.json: where it stands and when it is a regression."""

    label: str
    section: str
    key: str
    better: Better
    limit: Limit
    needs: Needs = Needs.NOTHING
    unit: str = ""  # '%': the report holds a share


FIGURES = (
    Figure("integer accuracy", "accuracy", "integer", Better.HIGHER, Limit.NONE, Needs.SAMPLES,
           unit="%"),
    Figure("RTL accuracy", "accuracy", "rtl", Better.HIGHER, Limit.NONE, Needs.RTL_SAMPLES,
           unit="%"),
    Figure("C simulation accuracy", "accuracy", "csim", Better.HIGHER, Limit.NONE,
           Needs.CSIM_SAMPLES, unit="%"),
    Figure("simulation passed", "sim", "passed", Better.HIGHER, Limit.NONE),
    Figure("mismatches", "sim", "mismatches", Better.LOWER, Limit.NONE),
    Figure("cycles per frame", "sim", "ii_cycles", Better.LOWER, Limit.PERCENT),
    Figure("latency (cycles)", "sim", "latency_cycles", Better.LOWER, Limit.PERCENT),
    Figure("utilisation", "network", "utilisation", Better.HIGHER, Limit.PERCENT, unit="%"),
    Figure("multipliers", "network", "multipliers", Better.LOWER, Limit.PERCENT),
    Figure("LUT", "synth", "lut", Better.LOWER, Limit.PERCENT, Needs.TARGET),
    Figure("FF", "synth", "ff", Better.LOWER, Limit.PERCENT, Needs.TARGET),
    Figure("DSP", "synth", "dsp", Better.LOWER, Limit.PERCENT, Needs.TARGET),
    Figure("BRAM36", "synth", "bram", Better.LOWER, Limit.PERCENT, Needs.TARGET),
)  # fmt: skip
FMAX = Figure(
    "slowest Fmax (MHz)", "timing", "fmax_mhz", Better.HIGHER, Limit.PERCENT, Needs.TARGET
)
SECONDS = Figure("", "stages", "seconds", Better.LOWER, Limit.SECONDS, unit="s")
PLANNED_KEYS = ("op", "w_bits", "a_bits", "acc_bits", "pe", "simd")
MEASURED_KEYS = (
    "sim_cycles", "words_compared", "mismatches", "synth_lut", "synth_ff", "synth_dsp",
    "synth_bram",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A figure in both reports; None: it is not there."""

    figure: Figure
    a: Number | None
    b: Number | None
    regressed: bool
    judged: bool

    @property
    def percent(self) -> float | None:
        """How much larger b is than a; None where that says nothing."""
        if isinstance(self.a, bool) or not self.a or self.b is None:
            return None
        return 100.0 * (self.b - self.a) / abs(self.a)


@dataclass(frozen=True, slots=True)
class LayerChange:
    """What is different in a layer; None: it has no such layer."""

    layer: str
    key: str
    a: object
    b: object


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that `compare` shows."""

    a: Loaded
    b: Loaded
    limits: Mapping[Limit, float | None]  # in percent; None: not judged
    notes: tuple[str, ...]
    figures: tuple[Change, ...]
    layers: tuple[LayerChange, ...]
    stages: tuple[Change, ...]

    @property
    def regressions(self) -> list[Change]:
        """What got worse beyond its limit."""
        return [change for change in (*self.figures, *self.stages) if change.regressed]


def compare(
    a: Loaded, b: Loaded, limit_percent: float, limit_seconds_percent: float | None = None
) -> Comparison:
    """Judge `b` by `a`.

    A figure measured on other samples or another device is shown and not judged.

    Raises:
        ConfigError: the reports are of different models.
    """
    if a.content["model"] != b.content["model"]:
        raise ConfigError(
            f"{a.path} is of model {a.content['model']!r}, {b.path} of {b.content['model']!r}.\n"
            "  Compare two runs of one model."
        )
    limits = {
        Limit.NONE: 0.0,
        Limit.PERCENT: limit_percent,
        Limit.SECONDS: limit_seconds_percent,
    }
    unlike = _unlike(a.content, b.content)
    metric = a.content["accuracy"]["metric"]
    pairs = [
        (_of_metric(figure, metric), *values)
        for figure in FIGURES
        if (values := (_value(a.content, figure), _value(b.content, figure))) != (None, None)
    ]
    return Comparison(
        a,
        b,
        limits,
        tuple(_notes(a.content, b.content, unlike)),
        tuple(_change(*pair, unlike, limits) for pair in (*pairs, *_fmax(a.content, b.content))),
        tuple(_layer_changes(a.content, b.content)),
        tuple(_change(*pair, unlike, limits) for pair in _seconds(a.content, b.content)),
    )


def _of_metric(figure: Figure, metric: str) -> Figure:
    """An accuracy under the name of the benchmark's metric; only accuracies are shares."""
    if figure.section != "accuracy" or metric == "accuracy":
        return figure
    name = METRICS.get(metric, metric)
    return replace(figure, label=figure.label.replace("accuracy", name), unit="")


def _value(report: Mapping[str, Any], figure: Figure) -> Number | None:
    """None where the engine has no such figure, or its tool was not run."""
    section = report[figure.section]
    value: Number | None = None if section is None else section[figure.key]
    return value


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> set[Needs]:
    """What the reports do not have in common."""
    same = {
        Needs.NOTHING: True,
        Needs.SAMPLES: all(
            a["accuracy"][key] == b["accuracy"][key] for key in ("metric", "dataset", "samples")
        ) and _data(a) == _data(b),
        **{
            need: a["accuracy"][key] == b["accuracy"][key] and _data(a) == _data(b)
            for need, key in (
                (Needs.RTL_SAMPLES, "rtl_samples"), (Needs.CSIM_SAMPLES, "csim_samples"),
            )
        },
        Needs.TARGET: a["device"] == b["device"],
    }  # fmt: skip
    return {need for need, alike in same.items() if not alike}


def _data(report: Mapping[str, Any]) -> object:
    return report["provenance"].get("data_sha256")


def _notes(a: Mapping[str, Any], b: Mapping[str, Any], unlike: set[Needs]) -> Iterator[str]:
    for key in ("quant", "engine", "target"):
        if a[key] != b[key]:
            yield f"other {key}: {a[key]} and {b[key]}"
    for side, report in (("A", a), ("B", b)):
        if a["engine"] != b["engine"] and report["sim"]["ii_cycles"] is None:
            yield (
                f"{side} was simulated in C, which knows no cycles; compared are integers and plan"
            )
        yield from (f"{side}, not run: {step['what']}: {step['why']}" for step in report["not_run"])
    if Needs.SAMPLES in unlike:
        left, right = (
            f"{report['accuracy']['samples']:,} samples of {report['accuracy']['dataset']}"
            for report in (a, b)
        )
        yield f"other samples: {left} and {right}; accuracies are not judged"
    elif Needs.RTL_SAMPLES in unlike and a["engine"] == b["engine"]:
        yield "other samples went through RTL; that accuracy is not judged"
    if Needs.TARGET in unlike:
        yield "another device; resources and clock are not judged"


def _change(
    figure: Figure,
    a: Number | None,
    b: Number | None,
    unlike: set[Needs],
    limits: Mapping[Limit, float | None],
) -> Change:
    limit = limits[figure.limit]
    if limit is None or figure.needs in unlike or a is None or b is None:
        return Change(figure, a, b, regressed=False, judged=False)
    worse = figure.better.value * (a - b)
    # worse than nothing is beyond every percentage
    return Change(figure, a, b, regressed=100 * worse > limit * abs(a), judged=True)


def _fmax(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> Iterator[tuple[Figure, Number | None, Number | None]]:
    """The slowest clock for each way of measuring that both reports have."""
    slowest_a, slowest_b = _slowest(a), _slowest(b)
    for scope, fmax_mhz in slowest_a.items():
        if scope in slowest_b:
            yield FMAX, fmax_mhz, slowest_b[scope]


def _slowest(report: Mapping[str, Any]) -> dict[str, float]:
    slowest: dict[str, float] = {}
    for routed in report["timing"]:
        before = slowest.get(routed["scope"], routed["fmax_mhz"])
        slowest[routed["scope"]] = min(before, routed["fmax_mhz"])
    return slowest


def _seconds(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> Iterator[tuple[Figure, Number | None, Number | None]]:
    times_a, times_b = (
        {stage["name"]: stage["seconds"] for stage in report["stages"]} for report in (a, b)
    )
    for name in {**times_a, **times_b}:
        yield replace(SECONDS, label=name), times_a.get(name), times_b.get(name)


def _layer_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[LayerChange]:
    layers_a, layers_b = ({layer["name"]: layer for layer in report["layers"]} for report in (a, b))
    # words of RTL are beats, those of C simulation codes
    keys = (*PLANNED_KEYS, *(MEASURED_KEYS if a["engine"] == b["engine"] else ()))
    for name in {**layers_a, **layers_b}:
        if name not in layers_a or name not in layers_b:
            op_a, op_b = (layers.get(name, {}).get("op") for layers in (layers_a, layers_b))
            yield LayerChange(name, "op", op_a, op_b)
            continue
        for key in keys:
            if layers_a[name][key] != layers_b[name][key]:
                yield LayerChange(name, key, layers_a[name][key], layers_b[name][key])
