"""What `analyse` does with its options: draws samples, analyses with a bar, writes, prints."""

from __future__ import annotations

import argparse
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flow.commands._analysis_text import print_analysis
from flow.commands._ci_files import check_place, replace_text
from flow.commands.analyse import DEFAULT_SAMPLES
from flow.config import CONFIG_FILE, load_config
from flow.data import SHIPPED_ARE, Samples, pick_frames
from flow.errors import ConfigError, DataError
from flow.fetch import fetch_command
from flow.own_model import OwnModel
from flow.own_stages import read_own
from flow.progress import counter, tell
from flow.provenance import all_versions, git_commit
from flow.runs import FRAME_SEED, Request, Run, all_frames, prepare
from flow.terminal import Terminal

if TYPE_CHECKING:
    from flow.analysis import Analysis
    from flow.graph import IntGraph


def analyse_and_tell(options: argparse.Namespace) -> None:
    """Analyse the network that the options name.

    Raises:
        ConfigError, DataError, FlowError: see `flow.commands.analyse`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _check_files(options.json, options.csv)
    run = _run(options)
    samples = _drawn(run, options.samples)
    with _libraries_silenced(), Terminal(run.name, "analyse"):
        found, graph = _analysis(run, samples)
    _write(found, graph, _about(run, samples), options.json, options.csv)
    notes = (*graph.notes, *_sample_notes(run, samples))
    print_analysis(f"{run.model} ({run.quant})", samples.name, found, notes)


@contextmanager
def _libraries_silenced() -> Iterator[None]:
    """Some give a root logger without a handler one that shows the messages of all packages;
    Keras warns of QKeras' quantizers, and of initializers that a loaded model never calls."""
    nobody = logging.NullHandler()
    logging.getLogger().addHandler(nobody)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logging.getLogger().removeHandler(nobody)


def _check_files(json_file: Path | None, csv_file: Path | None) -> None:
    for option, path in (("--json", json_file), ("--csv", csv_file)):
        if path is not None:
            check_place(option, path)
    if json_file is not None and csv_file is not None and json_file.resolve() == csv_file.resolve():
        raise ConfigError(f"--json and --csv both name {json_file}.\n  Name two files.")


def _run(options: argparse.Namespace) -> Run:
    model, keras = options.model, options.keras
    if model is not None and keras is not None:
        raise ConfigError(
            f"--model {model} is not available with --keras {keras}.\n  Leave one of the two out."
        )
    if model is None and keras is None:
        raise ConfigError(
            "no model is given.\n  Say for example: python flow/build.py analyse --model kws\n"
            "  or: python flow/build.py analyse --keras my_model.h5 --data samples.npz"
        )
    config = load_config(options.config or CONFIG_FILE)
    name = model if keras is None else keras.stem
    return prepare(Request(name, quant=options.quant, data=options.data, keras=keras), config)


def _drawn(run: Run, count: int | None) -> Samples:
    """`count` of the run's samples (windows of clips are samples too), in turn from each label."""
    samples = all_frames(run.source, run.settings)
    if count is not None and count < 1:
        raise ConfigError(f"--samples {count} is not allowed; choose 1 or more.")
    if count is not None and count > len(samples.y):
        raise DataError(
            f"{count} samples were asked for, but {samples.name!r} holds {len(samples.y)}.\n"
            f"  Choose --samples {len(samples.y)} or fewer."
        )
    chosen = pick_frames(samples, count or min(DEFAULT_SAMPLES, len(samples.y)), FRAME_SEED)
    return replace(samples, x=samples.x[chosen], y=samples.y[chosen])


def _analysis(run: Run, samples: Samples) -> tuple[Analysis, IntGraph]:
    tell("loading the network")
    return (_of_own if isinstance(run.settings, OwnModel) else _of_benchmark)(run, samples)


def _of_benchmark(run: Run, samples: Samples) -> tuple[Analysis, IntGraph]:
    from flow.analysis import analyse
    from flow.frontend import from_keras
    from models import weights
    from models.raw import RAW_INPUTS

    record = weights.record(run.model, run.quant)
    network, raw = weights.load(run.model, run.quant), RAW_INPUTS.get(run.model)
    origin = {"weights_sha256": str(record["sha256"]), "data_sha256": samples.sha256}
    graph = from_keras(network, raw, name=run.model, provenance=origin)
    real = np.asarray(samples.x, np.float32) if raw is None else raw.to_real(samples.x)
    labels = samples.y if run.settings.metric == "accuracy" else None
    return analyse(network, graph, real, samples.x, labels, counter), graph


def _of_own(run: Run, samples: Samples) -> tuple[Analysis, IntGraph]:
    """The user's model as `build` reads it, calibrated on all samples; its file, read once more,
    has the float weights."""
    from flow.analysis import analyse
    from flow.evaluation import unmeasured
    from flow.frontend.user_model import load_keras

    own = run.settings
    assert isinstance(own, OwnModel)
    model, plain = read_own(run)
    missing = unmeasured(plain, samples)
    graph = replace(
        plain,
        provenance={**plain.provenance, "data_sha256": samples.sha256},
        notes=(*plain.notes, *([missing] if missing else [])),
    )
    return analyse(
        model, graph, samples.x.astype(np.float32, copy=False), samples.x,
        None if missing else samples.y, counter, load_keras(own.file),
    ), graph  # fmt: skip


def _sample_notes(run: Run, samples: Samples) -> Iterator[str]:
    """What a reader should know of the samples."""
    if samples.note is not None:
        yield samples.note
    if not samples.is_real:
        what = SHIPPED_ARE.get(samples.name, "made by the project itself")
        yield f"the samples are {what}; to get a test set: {fetch_command(run.model)}"


def _about(run: Run, samples: Samples) -> dict[str, Any]:
    return {
        "model": run.model,
        "quant": run.quant,
        "dataset": samples.name,
        "seed": FRAME_SEED,
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "tools": all_versions(),
    }


def _write(
    found: Analysis,
    graph: IntGraph,
    about: Mapping[str, Any],
    json_file: Path | None,
    csv_file: Path | None,
) -> None:
    from flow.analysis import csv_text, document

    if json_file is not None:
        content = document(found, graph, about)
        replace_text(json_file, json.dumps(content, indent=1, allow_nan=False) + "\n")
    if csv_file is not None:
        replace_text(csv_file, csv_text(found, graph))
