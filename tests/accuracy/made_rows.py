"""Rows as `make accuracy` would measure them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flow.accuracy.schema import Row
from flow.metrics import accuracy_figure, auc_figure


def kws_row(**changes: Any) -> Row:
    """An accuracy; the float figure is recorded."""
    figure = asdict(accuracy_figure(0.914, 500))
    return Row.model_validate(
        {
            "model": "kws", "quant": "mpq", "metric": "accuracy", "dataset": "kws_test_dev",
            "data_sha256": "a" * 64, "weights_sha256": "b" * 64, "samples": 500, "baseline": 0.092,
            "float": {**figure, "origin": "recorded"}, "qkeras": figure, "integer": figure,
            "layers": 12, "compared_frames": 500, "codes_compared": 36_283_000, "mismatches": 0,
            "note": "speakers occur in both sets.", **changes,
        }
    )  # fmt: skip


def ad_row(**changes: Any) -> Row:
    """An AUC; the float figure is measured."""
    float_, integer = auc_figure(0.8704, 70, 54, 0.71), auc_figure(0.86, 70, 54, 0.7)
    return kws_row(
        model="ad", metric="auc", dataset="ad_test_dev", samples=124, baseline=0.5, note=None,
        float={**asdict(float_), "origin": "measured"}, qkeras=asdict(integer),
        integer=asdict(integer), compared_frames=512, **changes,
    )  # fmt: skip
