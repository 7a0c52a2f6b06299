"""Train a quantized benchmark network: python models/train.py --model kws --quant mpq."""

import dataclasses
import datetime
import json
import logging
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  (the path above comes first)
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402

from flow.cache import hash_file  # noqa: E402
from flow.errors import ConfigError, FlowError  # noqa: E402
from flow.provenance import git_commit  # noqa: E402
from models import bits, data, distil, folding, networks, ranges, weights  # noqa: E402
from models.fit import Schedule, Task, best_epoch, fit  # noqa: E402
from models.float_models import FILES, FOLDER, load_float  # noqa: E402

CALIBRATION_CLIPS = 1000
TRAIN_FILE, TEST_FILE = "kws_train.npz", "kws_test_dev.npz"

log = logging.getLogger("train")


def main(
    model: Annotated[str, typer.Option(help="Network: kws.")] = "kws",
    quant: Annotated[str, typer.Option(help="mpq, flat4, flat8, flat16 or float.")] = "mpq",
    data_folder: Annotated[
        Path, typer.Option("--data", help="Folder with kws_train.npz and kws_test_dev.npz.")
    ] = data.DEFAULT_DATA,
    float_models: Annotated[
        Path, typer.Option(help="Folder with the float reference models.")
    ] = FOLDER,
    epochs: Annotated[int, typer.Option(min=0, help="Of both stages together.")] = 60,
    batch: Annotated[int, typer.Option(min=1)] = 100,
    lr: Annotated[float, typer.Option(help="First learning rate of Adam.")] = 3e-4,
    seed: int = 1,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; runs/<model>-<quant> by default.")
    ] = None,
    weights_out: Annotated[
        Path, typer.Option(help="Folder that gets <model>-<quant>.h5 and .json.")
    ] = weights.WEIGHTS_FOLDER,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with an interrupted run.")
    ] = True,
    threads: Annotated[int, typer.Option(min=0, help="TensorFlow threads; 0: all cores.")] = 0,
) -> None:
    """Transfer, calibrate, train with distillation, freeze, evaluate and save."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    schedule = Schedule(epochs=epochs, batch=batch, learning_rate=lr, seed=seed)
    run = out or ROOT / "runs" / f"{model}-{quant}"
    try:
        if model != "kws":
            raise ConfigError(f"model {model!r} cannot be trained.\n  Choose --model kws.")
        train(quant, data_folder, float_models, schedule, run, weights_out, resume)
    except FlowError as error:
        log.error("%s", error)
        raise typer.Exit(1) from error


def train(
    quant: str,
    data_folder: Path,
    float_models: Path,
    schedule: Schedule,
    run: Path,
    weights_out: Path,
    resume: bool,
) -> None:
    """Train kws with one quantization and write its weights; 'float' only evaluates.

    Raises:
        DataError: a data or model file is missing or corrupt.
        ConfigError: `quant` is unknown, or the run folder was made with other settings.
    """
    everything = data.load_kws(data_folder / TRAIN_FILE, variants=True)
    test = data.load_kws(data_folder / TEST_FILE)
    float_model = load_float(float_models / FILES["kws"])
    float_accuracy = evaluate(float_model, test)
    log.info("float model on %s: %.4f of %d", TEST_FILE, float_accuracy, len(test))
    if quant == "float":
        return
    widths = bits.network_bits("kws", quant)
    recipe = distil.Recipe()
    _prepare(run, quant, schedule, recipe, resume)
    training, validation = data.split_by_speaker(everything)
    log.info("%d training and %d validation clips", len(training), len(validation))
    tf.keras.utils.set_random_seed(schedule.seed)
    student = networks.build(widths)
    folding.transfer(student, folding.fold_batchnorm(float_model))
    ranges.calibrate(student, training.real()[:CALIBRATION_CLIPS, 0])
    log.info("after calibration: %.4f", evaluate(student, test))
    teacher = distil.teacher_of(float_model)
    trained = fit(student, Task(training, validation, teacher, recipe, schedule), run)
    facts = {
        "model": "kws",
        "quant": quant,
        "seed": schedule.seed,
        "epochs": schedule.epochs,
        "schedule": dataclasses.asdict(schedule),
        "recipe": dataclasses.asdict(recipe),
        "datasets": {
            TRAIN_FILE: {
                "training": len(training),
                "validation": len(validation),
                "sha256": hash_file(data_folder / TRAIN_FILE),
            },
            TEST_FILE: {"test": len(test), "sha256": hash_file(data_folder / TEST_FILE)},
        },
        "note": speaker_note(everything, test),
        "accuracy": {
            "dataset": TEST_FILE,
            "samples": len(test),
            "float": float_accuracy,
            "qkeras": evaluate(trained, test),
            "validation": best_epoch(run / "tune" / "history.csv").get("val_accuracy"),
        },
        **_provenance(),
    }
    path = weights.save(trained, facts, weights_out)
    log.info("accuracy %s", json.dumps(facts["accuracy"]))
    log.info("wrote %s", path.name)


def speaker_note(training: data.KwsSet, test: data.KwsSet) -> str | None:
    """What a reader of the accuracies should know when training has heard the test's speakers."""
    if training.speaker is None or test.speaker is None:
        return None
    speakers = np.unique(test.speaker[test.speaker != ""])  # cuts of silence have none
    known = int(np.isin(speakers, training.speaker).sum())
    if known == 0:
        return None
    return (
        f"{known} of the {len(speakers)} speakers of {TEST_FILE} also occur in {TRAIN_FILE}: "
        "accuracies on it are slightly optimistic."
    )


def evaluate(model: tf.keras.Model, test: data.KwsSet) -> float:
    """Return the share of clips whose greatest output is at their label."""
    scores = model.predict(test.real(), batch_size=250, verbose=0)
    return float(np.mean(scores.argmax(-1) == test.y))


def _prepare(
    run: Path, quant: str, schedule: Schedule, recipe: distil.Recipe, resume: bool
) -> None:
    """Make the run folder, or check that the one to resume has the same settings."""
    settings = {
        "quant": quant,
        "schedule": dataclasses.asdict(schedule),
        "recipe": dataclasses.asdict(recipe),
    }
    path = run / "settings.json"
    if path.is_file() and not resume:
        shutil.rmtree(run)
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != settings:
        raise ConfigError(
            f"run folder {run} was made with other settings ({path.name}).\n"
            "  Repeat them, choose another --out, or start over with --fresh."
        )
    run.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _provenance() -> dict[str, Any]:
    """Return time, commit and tool versions."""
    tools = {name: version(name) for name in ("tensorflow", "qkeras", "numpy")}
    return {
        "created_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "tools": {**tools, "python": ".".join(map(str, sys.version_info[:3]))},
    }


if __name__ == "__main__":
    typer.run(main)
