"""The evaluation's JSON form, and the line about it that the terminal shows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flow.evaluation import Equality, Evaluation, Recorded, load_evaluation
from flow.graph import Accuracy
from flow.stages import save_json
from flow.summary import _accuracy

RECORDED = Recorded(dataset="kws_test_dev.npz", samples=500, qkeras=0.916, float=0.914)


def accuracy(dataset: str, float_accuracy: float | None, recorded: bool) -> Accuracy:
    return Accuracy("accuracy", dataset, float_accuracy, 0.916, 0.5, 120, recorded)


def test_saved_evaluation_loads_again(tmp_path: Path) -> None:
    made = Evaluation(accuracy("kws", None, False), RECORDED, (Equality("conv2d", 10),))
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
            "integer 50.00 % on 120 samples of kws shipped here",
        ),
    ],
)
def test_recorded_figures_are_told_apart(found: Accuracy, text: str) -> None:
    assert _accuracy(dataclasses.asdict(found), dataclasses.asdict(RECORDED)) == text
