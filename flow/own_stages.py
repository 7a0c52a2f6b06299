"""Stages extract and evaluate of a user's own model."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.data import Samples
from flow.errors import DataError
from flow.own_model import OwnModel, Shape, own_samples
from flow.progress import counter
from flow.runs import Run
from flow.steps import Done, graph_of, save_json

if TYPE_CHECKING:
    from flow.graph import IntGraph

PREPARED = "prepared.h5"  # the model as the integers were taken from it


def extract_own(run: Run, folder: Path, done: Done) -> None:
    """Load the file, make constants of its scales, take its integers; keep the model as it is then.

    Raises:
        DataError, UnsupportedLayer: what cannot be used or made exact; all of it is listed.
    """
    from flow.graph import save_graph
    from models.quantizers import keep_settings

    model, graph = read_own(run)
    with warnings.catch_warnings():  # Keras': of its own newer format, of QKeras' quantizers
        warnings.simplefilter("ignore", UserWarning)
        keep_settings(model).save(folder / PREPARED, save_format="h5")
    save_graph(graph, folder)


def read_own(run: Run) -> tuple[Any, IntGraph]:
    """The Keras model whose scales are constants, calibrated on all samples; and its integers.

    Raises:
        DataError, UnsupportedLayer: what cannot be used or made exact; all of it is listed.
    """
    from flow.frontend import from_keras
    from flow.frontend.user_model import load_user_model

    own, samples = _own(run), own_samples(run.source, _own(run))
    real = samples.x.reshape(-1, *own.shape).astype(np.float32, copy=False)
    loaded = load_user_model(own.file, real)
    graph = from_keras(
        loaded.model,
        name=_identifier(run.model),
        provenance={"model": run.model, "quant": own.quant, "weights_sha256": own.sha256},
        notes=loaded.notes,
    )
    _check_labels(samples, graph.output.out_shape)
    return loaded.model, graph


def evaluate_own(run: Run, folder: Path, done: Done) -> None:
    """Compare the integers with QKeras on the user's samples, layer by layer; note the ranges.

    Raises:
        Mismatch: a layer's integers differ from QKeras.
    """
    from flow.evaluation import own_evaluation
    from flow.frontend.user_model import load_keras
    from flow.graph import map_input, profile, save_profile

    own = _own(run)
    graph, samples = graph_of(done), own_samples(run.source, own)
    network = load_keras(done["extract"].folder / PREPARED)
    save_json(folder / "evaluation.json", own_evaluation(graph, samples, network, own.shape))
    ranges = profile(graph, map_input(graph, samples.x), counter("value ranges, samples"))
    save_profile(ranges, folder / "profile.json")


def _own(run: Run) -> OwnModel:
    assert isinstance(run.settings, OwnModel)
    return run.settings


def _check_labels(samples: Samples, out_shape: Shape) -> None:
    """Refuse labels beyond the classes; of a map there are none, and labels are not read."""
    height, width, classes = out_shape
    if height * width > 1 or classes == 1 or not samples.labelled:
        return
    if int(samples.y.max()) >= classes:
        wrong = int(np.argmax(samples.y >= classes))
        raise DataError(
            f"data {samples.name!r}: y[{wrong}] is {samples.y[wrong]}, but the model has {classes} "
            f"outputs: labels are 0..{classes - 1}.\n  Correct the labels, or leave y out."
        )


def _identifier(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if plain[0].isalpha() else f"net_{plain}"
