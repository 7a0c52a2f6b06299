"""From a WAV file to codes, and from output codes to words."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.config import ROOT
from flow.errors import DataError, RangeError
from flow.graph import IntGraph
from flow.speech import read_speech, word_scores
from models.labels import LABELS
from models.mfcc import codes, mfcc
from models.wav import read_wav
from tests.helpers import small_graph

YES = ROOT / "models" / "samples" / "wav" / "yes.wav"


@pytest.fixture
def graph() -> IntGraph:
    """A graph called kws; only its output's type matters here."""
    small = small_graph()
    *others, last = small.nodes
    output = replace(last, y=replace(last.y, scale_exp=-3, zero_point=2))
    return replace(small, name="kws", nodes=(*others, output))


def test_a_recording_becomes_codes() -> None:
    speech = read_speech(YES)
    assert (speech.path, speech.offset_s, speech.duration_s, speech.rate_hz) == (YES, 0, 1, 16_000)
    assert speech.sha256 == hashlib.sha256(YES.read_bytes()).hexdigest()
    assert speech.codes.shape == (1, 49, 10) and speech.codes.dtype == np.int8
    assert not speech.codes.flags.writeable
    np.testing.assert_array_equal(speech.codes[0], codes(mfcc(read_wav(YES).pcm)))


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"audio file .*no\.wav does not exist\."):
        read_speech(tmp_path / "no.wav")


def test_scores_are_the_softmax_of_real_outputs(graph: IntGraph) -> None:
    output = np.array([2, 10, 18, *[-1000] * 9])
    scores = word_scores(graph, output)
    weights = np.exp([2.0, 1.0, 0.0])  # (code - 2) / 8
    assert [score.word for score in scores[:3]] == ["left", "go", "down"]
    np.testing.assert_allclose([s.probability for s in scores[:3]], weights / weights.sum())
    assert sum(score.probability for score in scores) == pytest.approx(1)
    assert {score.word for score in scores} == set(LABELS["kws"])


def test_equal_scores_stay_in_the_order_of_the_labels(graph: IntGraph) -> None:
    scores = word_scores(graph, np.full(12, 10**6))
    assert tuple(score.word for score in scores) == LABELS["kws"]
    assert scores[0].probability == 1 / 12


def test_outputs_without_labels_are_refused(graph: IntGraph) -> None:
    with pytest.raises(RangeError) as error:
        word_scores(graph, np.zeros(10, np.int64))
    assert str(error.value) == (
        "output codes of 'kws' have shape (10,), expected (12,): one for each label.\n"
        "  models/labels.py has labels for ad, ic, kws, vww, vww_effnet, vww_mbv2."
    )
    with pytest.raises(RangeError, match=r"'other' have shape \(12,\), expected \(0,\)"):
        word_scores(replace(graph, name="other"), np.zeros(12, np.int64))
