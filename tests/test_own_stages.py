"""Stages extract and evaluate of a user's own model, on files that Keras wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation, QConv2D, QDense

from flow.cache import Outcome, hash_file
from flow.config import load_config
from flow.errors import DataError, Mismatch
from flow.evaluation import load_evaluation
from flow.graph import evaluate, load_graph, save_graph
from flow.own_stages import evaluate_own, extract_own
from flow.runs import Request, Run, all_frames, prepare
from flow.summary import _accuracy, _is_own
from tests.frontend.small_models import activation, chain, quick
from tests.own_files import data

CLASSES, SAMPLES = 3, 20
WEIGHTS = {
    "kernel_quantizer": "quantized_bits(4,0,1,alpha='auto')",
    "bias_quantizer": "quantized_bits(8,1)",
}


@quick
def saved(folder: Path, outputs: int = CLASSES) -> Path:
    layers = [
        QActivation("quantized_bits(8,2)"), QConv2D(4, 3, name="first-one", **WEIGHTS),
        activation(6, name="learned"), tf.keras.layers.Flatten(),
        QDense(outputs, name="last", **WEIGHTS), QActivation("quantized_bits(8,3)"),
    ]  # fmt: skip
    model = chain((5, 5, 2), layers)
    rng = np.random.default_rng(3)
    for name in ("first-one", "last"):
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(size=w.shape) * 0.4 for w in layer.get_weights()])
    path = folder / "own.h5"
    model.save(path, save_format="h5")
    return path


def samples(folder: Path, **arrays: Any) -> Path:
    x = np.random.default_rng(5).normal(size=(SAMPLES, 5, 5, 2)).astype(np.float32)
    return data(folder / "set.npz", x=x, **arrays)


def run_of(folder: Path, **arrays: Any) -> Run:
    asked = Request("own", keras=folder / "own.h5", data=samples(folder, **arrays))
    return prepare(asked, load_config())


def extracted(run: Run, folder: Path) -> dict[str, Outcome]:
    place = folder / "extract"
    place.mkdir()
    extract_own(run, place, {})
    return {"extract": Outcome("extract", place, 0.0, cached=False)}


def test_a_labelled_model_is_extracted_and_evaluated(tmp_path: Path) -> None:
    saved(tmp_path)
    run = run_of(tmp_path, y=np.arange(SAMPLES) % CLASSES)
    done = extracted(run, tmp_path)
    graph = load_graph(tmp_path / "extract")
    assert graph.provenance["weights_sha256"] == hash_file(tmp_path / "own.h5")
    assert graph.name == "own"
    calibrated, named = graph.notes[-2:]
    assert calibrated == "calibrated on the samples: learned."
    assert named.startswith("layer 'first-one' is called 'first_one' here")

    evaluate_own(run, tmp_path, done)
    found = load_evaluation(tmp_path / "evaluation.json")
    given = all_frames(run.source, run.settings)
    assert found.accuracy.integer == evaluate(graph, given.x, given.y)
    assert found.accuracy.qkeras is not None
    assert found.recorded is None
    assert [layer.name for layer in found.equality] == ["codes", "first_one", "last"]
    assert found.note is not None
    assert found.note.startswith("QKeras in float32 and the integers choose the same class for ")
    assert (tmp_path / "profile.json").is_file()
    sections = json.loads((tmp_path / "evaluation.json").read_text())
    assert _is_own(sections)


def test_without_labels_there_is_no_accuracy(tmp_path: Path) -> None:
    saved(tmp_path)
    run = run_of(tmp_path)
    evaluate_own(run, tmp_path, extracted(run, tmp_path))
    found = load_evaluation(tmp_path / "evaluation.json")
    assert (found.accuracy.integer, found.accuracy.qkeras, found.accuracy.float) == (None,) * 3
    assert found.note is not None
    assert found.note.startswith("No accuracy was measured: the samples have no labels (y). ")
    sections = json.loads((tmp_path / "evaluation.json").read_text())
    assert _accuracy(sections["accuracy"], sections["recorded"]) is None


def test_a_single_output_has_no_accuracy(tmp_path: Path) -> None:
    saved(tmp_path, outputs=1)
    run = run_of(tmp_path, y=np.ones(SAMPLES, int))
    evaluate_own(run, tmp_path, extracted(run, tmp_path))
    found = load_evaluation(tmp_path / "evaluation.json")
    assert found.accuracy.integer is None
    assert found.note is not None
    assert found.note == "No accuracy was measured: a single output is no choice between classes."


def test_a_feature_map_has_no_accuracy_and_its_labels_are_not_read(tmp_path: Path) -> None:
    layers = [QActivation("quantized_bits(8,2)"), QConv2D(4, 3, **WEIGHTS),
              QActivation("quantized_bits(8,3)")]  # fmt: skip
    chain((5, 5, 2), layers).save(tmp_path / "own.h5", save_format="h5")
    run = run_of(tmp_path, y=np.arange(SAMPLES))
    evaluate_own(run, tmp_path, extracted(run, tmp_path))
    found = load_evaluation(tmp_path / "evaluation.json")
    assert (found.accuracy.integer, found.accuracy.qkeras) == (None, None)
    assert found.note == (
        "No accuracy was measured: the output is a feature map of 3 x 3 x 4 values, not one value "
        "for each class."
    )


def test_labels_beyond_the_outputs_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    run = run_of(tmp_path, y=np.arange(SAMPLES) % 4)
    with pytest.raises(DataError) as caught:
        extracted(run, tmp_path)
    assert str(caught.value) == (
        "data 'set': y[3] is 3, but the model has 3 outputs: labels are 0..2.\n"
        "  Correct the labels, or leave y out."
    )


def test_integers_that_differ_from_the_model_fail(tmp_path: Path) -> None:
    saved(tmp_path)
    run = run_of(tmp_path)
    done = extracted(run, tmp_path)
    graph = load_graph(tmp_path / "extract")
    first, *rest = graph.nodes
    save_graph(replace(graph, nodes=(replace(first, bias=first.bias + 4000), *rest)),
               tmp_path / "extract")  # fmt: skip
    with pytest.raises(Mismatch, match="layer 'first_one'"):
        evaluate_own(run, tmp_path, done)
