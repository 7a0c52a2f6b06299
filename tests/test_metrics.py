"""Confidence intervals, against SciPy and a published example."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from flow.metrics import Z95, accuracy_figure, as_text, auc_figure


@pytest.mark.parametrize(
    ("right", "samples"), [(0, 7), (7, 7), (1, 2), (457, 500), (4151, 4805), (250, 500)]
)
def test_an_accuracy_has_wilsons_interval(right: int, samples: int) -> None:
    found = accuracy_figure(right / samples, samples)
    expected = binomtest(right, samples).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-7)
    assert found.partial_auc is None


def test_an_auc_has_hanleys_and_mcneils_interval() -> None:
    """58 normal, 51 abnormal images, area 0.893: standard error 0.0325 by the formula."""
    found = auc_figure(0.893, 58, 51, 0.7)
    assert (found.high - found.low) / (2 * Z95) == pytest.approx(0.03251, abs=1e-5)
    assert found.high + found.low == pytest.approx(2 * 0.893)
    assert found.partial_auc == 0.7


def test_intervals_do_not_leave_the_range() -> None:
    perfect, useless = auc_figure(1.0, 3, 3), auc_figure(0.02, 3, 3)
    assert (perfect.low, perfect.high) == (1.0, 1.0)
    assert useless.low == 0.0


def test_only_accuracies_are_percent() -> None:
    assert as_text(0.91404, "accuracy") == "91.40 %"
    assert as_text(0.87037, "auc") == "0.8704"
