"""The evaluation's JSON form, and the line about it that the terminal shows."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from flow.anomaly import auc, frames_of, integer_scores, partial_auc
from flow.config import ROOT, load_config
from flow.data import SHIPPED, Samples, find_samples, load_samples
from flow.errors import Mismatch
from flow.evaluation import (
    Evaluation,
    PartialAuc,
    Recorded,
    SimulatedFrames,
    evaluation,
    load_evaluation,
    simulated_frames,
)
from flow.frontend import from_keras
from flow.graph import Accuracy, IntGraph, run_taps
from flow.layer_equality import COMPARED_FRAMES, Equality, drawn_frames, layer_equality
from flow.stages import save_json
from flow.summary import _accuracy, _real_test_set

AD = load_config().model("ad")
RECORDED = Recorded(
    dataset="kws_test_dev.npz", sha256="0f", samples=500, note="n", qkeras=0.916, float=0.914
)


def accuracy(dataset: str, float_accuracy: float | None, recorded: bool) -> Accuracy:
    return Accuracy("accuracy", dataset, float_accuracy, 0.916, 0.5, 120, recorded)


def test_saved_evaluation_loads_again(tmp_path: Path) -> None:
    areas = PartialAuc(0.8, 0.81)
    made = Evaluation(accuracy("kws", None, False), RECORDED, (Equality("conv2d", 10),), "n", areas)
    save_json(tmp_path / "evaluation.json", made)
    assert load_evaluation(tmp_path / "evaluation.json") == made


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            accuracy("kws_test_dev", 0.914, False),
            "float 91.40 %, QKeras 91.60 %, integer 50.00 % on 120 samples of kws_test_dev"
            " (float: recorded in training)",
        ),
        (
            accuracy("mine", None, False),
            "QKeras 91.60 %, integer 50.00 % on 120 samples of mine",
        ),
        (
            accuracy("kws", 0.914, True),
            "float 91.40 %, QKeras 91.60 % (recorded on 500 samples of kws_test_dev.npz); "
            "integer 50.00 % on 120 samples of kws shipped here, which are synthesised speech",
        ),
    ],
)
def test_recorded_figures_are_told_apart(found: Accuracy, text: str) -> None:
    assert _accuracy(dataclasses.asdict(found), dataclasses.asdict(RECORDED)) == text


def test_command_for_real_samples_stands_beside_the_shipped_ones_only() -> None:
    shipped, real = accuracy("kws", 0.914, True), accuracy("kws_test", None, False)
    text = "not here; to get it: python flow/build.py fetch kws"
    assert _real_test_set(dataclasses.asdict(shipped)) == text
    assert _real_test_set(dataclasses.asdict(real)) is None


@pytest.mark.parametrize(("known", "is_real", "shown"), [
    (True, True, True), (False, True, False), (False, False, True),
])  # fmt: skip
def test_recorded_figures_stand_beside_the_very_samples_of_the_record(
    monkeypatch: pytest.MonkeyPatch, known: bool, is_real: bool, shown: bool
) -> None:
    from flow.frontend import extract
    from models import weights

    record = weights.record("kws", "mpq")
    source = find_samples(load_config(), "kws", ROOT / "models" / "samples" / "kws.npz")
    sha256 = source.sha256 if known else record["datasets"]["kws_test_dev.npz"]["sha256"]
    changed = {**record, "datasets": {"kws_test_dev.npz": {"sha256": sha256}}}
    monkeypatch.setattr(weights, "record", lambda *_: changed)
    loaded = load_samples(source, load_config().model("kws"))
    samples = Samples(loaded.x[:4], loaded.y[:4], "kws_test_dev", is_real, loaded.sha256, "n")
    found = evaluation(
        extract("kws", "mpq"), samples, samples, model="kws", quant="mpq", metric="accuracy"
    )
    assert found.accuracy.float == (record["accuracy"]["float"] if shown else None)
    drawn = "The samples of kws_test_dev are made by the project itself: no test set, whatever they"
    if is_real:
        assert found.note == (record["note"] if shown else "n")
    else:
        assert found.note == f"{drawn} score. {record['note']}"
    assert "slightly optimistic" in record["note"]
    assert found.partial_auc is None


def ad_run(monkeypatch: pytest.MonkeyPatch) -> tuple[IntGraph, Samples]:
    """The autoencoder with random weights, and the shipped clips as if they were recorded ones."""
    from models import networks, weights

    network = networks.untrained("ad")
    monkeypatch.setattr(weights, "load", lambda *_: network)
    monkeypatch.setattr(weights, "record", lambda *_: {
        "accuracy": {"dataset": "set.npz", "samples": 8, "float": 0.87, "qkeras": 0.86},
        "datasets": {}, "note": None,
    })  # fmt: skip
    shipped = load_samples(find_samples(load_config(), "ad", SHIPPED / "ad.npz"), AD)
    return from_keras(network), shipped


def test_clips_are_scored_whole_and_compared_by_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, clips = ad_run(monkeypatch)
    windows = frames_of(clips, "auc")
    drawn = drawn_frames(graph, windows)
    assert (len(windows.y), len(drawn.y)) == (8 * 196, COMPARED_FRAMES)
    few = replace(drawn, x=drawn.x[:20], y=drawn.y[:20])
    found = evaluation(graph, clips, few, model="ad", quant="mpq", metric="auc")
    scores = integer_scores(graph, clips.x)
    assert found.accuracy.integer == auc(clips.y, scores)
    assert found.partial_auc is not None
    assert found.partial_auc.integer == partial_auc(clips.y, scores)
    assert found.accuracy.qkeras == pytest.approx(found.accuracy.integer, abs=0.1)
    assert found.accuracy.samples == 8
    assert dict((layer.name, layer.compared) for layer in found.equality)["dense_9"] == 20 * 640
    text = _accuracy(dataclasses.asdict(found.accuracy), {})
    assert text is not None
    assert "%" not in text
    assert f"integer {found.accuracy.integer:.4f} on 8 samples of ad" in text
    assert simulated_frames(graph, few, "auc") == SimulatedFrames(20, None)


def test_a_difference_is_named_by_its_frame_in_all_that_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph, clips = ad_run(monkeypatch)
    drawn = drawn_frames(graph, frames_of(clips, "auc"))
    few = replace(drawn, x=drawn.x[:20], y=drawn.y[:20])
    calls = iter(range(2))

    def other_taps(graph: IntGraph, codes: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        taps = run_taps(graph, codes)
        if next(calls) == 1:
            taps["dense_3"][2, 0, 0, 5] ^= 1
        return taps

    from models import weights

    monkeypatch.setattr("flow.layer_equality.run_taps", other_taps)
    network = weights.load("ad", "mpq")
    with pytest.raises(Mismatch, match=r"layer 'dense_3': 1 of 512 .* first at \(18, 0, 0, 5\)"):
        layer_equality(graph, few, network, lambda raw: np.asarray(raw, np.float32))
