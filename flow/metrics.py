"""Figures of merit with their 95 % confidence intervals: accuracy, area under the ROC curve."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959964  # 97.5 % quantile of the standard normal distribution
NAMES = {"accuracy": "accuracy", "auc": "AUC"}  # by the metric's name in config.yaml


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric (0 to 1) on a test set, and between what its true value lies at 95 %.

    `partial_auc` is the area up to a false-positive rate of 0.1 (`flow.anomaly.partial_auc`);
    None: not known, or no AUC.
    """

    value: float
    low: float
    high: float
    partial_auc: float | None = None


def accuracy_figure(value: float, samples: int) -> Figure:
    """An accuracy measured on so many samples, with Wilson's score interval.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    spread = Z95**2 / samples
    centre = (value + spread / 2) / (1 + spread)
    half = sqrt(value * (1 - value) * spread + spread**2 / 4) / (1 + spread)
    return Figure(value, max(centre - half, 0.0), min(centre + half, 1.0))


def auc_figure(value: float, normal: int, anomalies: int, partial: float | None = None) -> Figure:
    """An AUC measured on so many samples of each label.

    The interval needs no scores, so that a recorded AUC has one as well.

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", equation 1, with the Q1 and Q2 of exponential scores.
    """
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    variance = (
        value * (1 - value) + (anomalies - 1) * (q1 - value**2) + (normal - 1) * (q2 - value**2)
    ) / (normal * anomalies)
    half = Z95 * sqrt(max(variance, 0.0))
    return Figure(value, max(value - half, 0.0), min(value + half, 1.0), partial)


def as_text(value: float, metric: str) -> str:
    """An accuracy as percent; any other metric, which is no share of samples, as a number."""
    return f"{100 * value:.2f} %" if metric == "accuracy" else f"{value:.4f}"
