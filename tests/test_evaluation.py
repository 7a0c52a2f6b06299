"""The evaluation's JSON form, and the line about it that the terminal shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flow.config import ROOT, load_config
from flow.data import Samples, find_samples, load_samples
from flow.evaluation import Equality, Evaluation, Recorded, evaluation, load_evaluation
from flow.graph import Accuracy
from flow.stages import save_json
from flow.summary import _accuracy, _real_test_set

RECORDED = Recorded(
    dataset="kws_test_dev.npz", sha256="0f", samples=500, note="n", qkeras=0.916, float=0.914
)


def accuracy(dataset: str, float_accuracy: float | None, recorded: bool) -> Accuracy:
    return Accuracy("accuracy", dataset, float_accuracy, 0.916, 0.5, 120, recorded)


def test_saved_evaluation_loads_again(tmp_path: Path) -> None:
    made = Evaluation(accuracy("kws", None, False), RECORDED, (Equality("conv2d", 10),), "n")
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
        extract("kws", "mpq"), samples, model="kws", quant="mpq", metric="accuracy"
    )  # fmt: skip
    assert found.accuracy.float == (record["accuracy"]["float"] if shown else None)
    assert found.note == (record["note"] if shown else "n")
    assert "slightly optimistic" in record["note"]
