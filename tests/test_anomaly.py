"""ad's host side: windows, scores and areas under the curve, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from flow.anomaly import as_windows, auc, integer_scores, partial_auc, scores, windows
from flow.data import Samples, pick_frames
from flow.errors import DataError
from flow.frontend import from_keras
from flow.graph import run_taps
from flow.graph.arithmetic import dequantise, quantise_input
from tests.frontend.small_models import activation, dense, frozen


def clips(count: int, frames: int = 12, bins: int = 128) -> np.ndarray:
    return np.random.default_rng(1).normal(-20, 15, (count, frames, bins)).astype(np.float32)


def test_a_window_is_five_frames_oldest_first() -> None:
    x = clips(3, frames=9, bins=4)
    cut = windows(x)
    assert (cut.shape, cut.dtype) == ((3, 5, 1, 1, 20), np.float32)
    for clip in range(3):
        for start in range(5):
            expected = np.concatenate([x[clip, start + k] for k in range(5)])
            np.testing.assert_array_equal(cut[clip, start].ravel(), expected)
    np.testing.assert_array_equal(windows(x[..., None]), cut)
    assert windows(clips(1, frames=200)).shape == (1, 196, 1, 1, 640)


@pytest.mark.parametrize("shape", [(3, 4, 128), (200, 128), (2, 9, 4, 2), (1, 2, 3, 1, 1)])
def test_what_is_no_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError) as caught:
        windows(np.zeros(shape, np.float32))
    assert str(caught.value) == (
        f"clips have shape {shape}, expected [n, frames, bins] with 5 frames or more.\n"
        "  Give log-mel spectrograms in raw form."
    )


def test_windows_as_samples_keep_their_clips_label_and_are_drawn_across_clips() -> None:
    x, y = clips(6), np.array([0, 0, 1, 0, 1, 0])
    samples = as_windows(Samples(x[..., None], y, "set", True, "0"))
    assert samples.x.shape == (6 * 8, 1, 1, 640)
    np.testing.assert_array_equal(samples.x[2 * 8 + 3].ravel(), x[2, 3:8].ravel())
    np.testing.assert_array_equal(samples.y, np.repeat(y, 8))
    drawn = pick_frames(samples, 24, seed=1)
    assert samples.y[drawn].tolist().count(1) == 12
    assert len({int(index) // 8 for index in drawn}) == 6


def test_a_score_is_the_mean_squared_error_of_a_clip() -> None:
    x = windows(clips(2, frames=6, bins=2))
    output = x + np.array([1.0, -3.0])[:, None, None, None, None]
    np.testing.assert_allclose(scores(x, output.reshape(4, 10)), [1.0, 9.0], rtol=1e-6)


def test_integer_scores_compare_with_the_float_input() -> None:
    graph = from_keras(
        frozen((640,), [activation(4), dense(8), activation(6), dense(640), activation(8)])
    )
    x = clips(11, frames=7)  # three windows each, more clips than a batch
    seen: list[tuple[int, int]] = []
    found = integer_scores(graph, x, lambda done, total: seen.append((done, total)))
    assert seen == [(8, 11), (11, 11)]
    for clip, score in zip(x, found, strict=True):
        errors = []
        for start in range(3):
            window = clip[start : start + 5].reshape(1, 1, 1, 640)
            codes = quantise_input(window, graph.input_type, graph.input_map.rounding)
            output = dequantise(run_taps(graph, codes)[graph.output.name], graph.output.y)
            errors.append(np.square(window.astype(np.float64) - output))
        np.testing.assert_allclose(score, np.mean(errors), rtol=1e-12)


labelled = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=60)


@settings(max_examples=100, deadline=None)
@given(labelled)
def test_areas_are_those_of_the_definition(pairs: list[tuple[int, int]]) -> None:
    labels = np.array([label for label, _ in pairs] + [0, 1])
    values = np.array([value for _, value in pairs] + [3, 4], np.float64)
    normal, strange = values[labels == 0], values[labels == 1]
    above = (strange[:, None] > normal).mean() + 0.5 * (strange[:, None] == normal).mean()
    assert auc(labels, values) == pytest.approx(above, abs=1e-12)
    assert auc(labels, values) == pytest.approx(roc_auc_score(labels, values), abs=1e-12)
    for limit in (0.1, 0.37):
        expected = roc_auc_score(labels, values, max_fpr=limit)
        assert partial_auc(labels, values, limit) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_has_no_area(label: int) -> None:
    with pytest.raises(DataError) as caught:
        auc(np.full(7, label), np.arange(7.0))
    assert str(caught.value) == (
        f"all 7 clips have label {label}: an AUC needs normal clips (0) and anomalies (1).\n"
        "  Give a test set with both."
    )
