"""Accuracy comes from the fast engine, and the reference looks on."""

from __future__ import annotations

import numpy as np
import pytest

from flow.errors import DataError, Mismatch
from flow.graph import evaluate, map_input, predict, run
from flow.graph.engine import _engine as engine_module
from flow.graph.engine._step import Step
from tests.helpers import random_codes, small_graph

FRAMES = 2500  # more than one slice


def samples(frames: int = FRAMES) -> np.ndarray:
    graph = small_graph()
    return np.ldexp(random_codes(graph, frames), graph.input_type.scale_exp).astype(np.float32)


def test_the_share_of_correct_classes_is_the_references() -> None:
    graph, raw, told = small_graph(), samples(), []
    expected = run(graph, map_input(graph, raw)).reshape(FRAMES, -1).argmax(axis=1)
    labels = np.where(np.arange(FRAMES) % 3 == 0, expected, -1)
    share = evaluate(graph, raw, labels, lambda done, total: told.append((done, total)))
    assert share == np.mean(labels == expected)
    assert told == [(2048, FRAMES), (FRAMES, FRAMES)]
    np.testing.assert_array_equal(predict(graph, map_input(graph, raw)), expected)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(DataError, match="with n > 0"):
        evaluate(small_graph(), samples(1)[:0], np.zeros(0))


def test_an_engine_that_differs_from_the_reference_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoiled(node: object, library: object) -> Step | None:
        step = honest(node, library)  # type: ignore[arg-type]
        if step is not None and step.kernel == "depthwise":
            packed = next(array for array in step.arrays if array.dtype == np.int16)
            packed *= -1
        return step

    honest = engine_module.step_of
    monkeypatch.setattr(engine_module, "step_of", spoiled)
    with pytest.raises(Mismatch, match=r"(?s)layer 'deep'.*fault of the fast integer engine"):
        evaluate(small_graph(), samples(20), np.zeros(20))
