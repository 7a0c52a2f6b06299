"""Shape of reports/accuracy.json. Keys are added, never renamed; a changed meaning raises it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from flow.report.schema_base import Positive, Section, Share, Text

SCHEMA = 1
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Measured(Section):
    """A metric with its 95 % confidence interval; `partial_auc`: of ad, FPR below 0.1."""

    value: Share
    low: Share
    high: Share
    partial_auc: Share | None


class FloatMeasured(Measured):
    """Of the float model: measured here, or recorded when the weights were trained."""

    origin: Literal["measured", "recorded"]


class Row(Section):
    """One network with one set of bit-widths on all samples of its test set.

    `baseline` is the metric of a network that looks at nothing: the share of the most frequent
    label, of an AUC 0.5. `codes_compared` of `layers` layers, on `compared_frames` frames (windows
    of ad's clips), are equal in QKeras and in the integer reference; none differs.
    """

    model: Text
    quant: Text
    metric: Literal["accuracy", "auc"]
    dataset: Text
    data_sha256: Sha256
    weights_sha256: Sha256
    samples: Positive
    baseline: Share
    float_: Annotated[FloatMeasured, Field(alias="float")]
    qkeras: Measured
    integer: Measured
    layers: Positive
    compared_frames: Positive
    codes_compared: Positive
    mismatches: Literal[0]
    note: str | None


class AccuracyReport(Section):
    """The whole file."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    created_utc: Text
    git_commit: Text
    tools: dict[str, str]
    intervals: dict[str, Text]  # metric: whose method gives low and high
    rows: Annotated[list[Row], Field(min_length=1)]
