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

import tensorflow as tf  # noqa: E402  (the path above comes first)
import typer  # noqa: E402

from flow.errors import ConfigError, FlowError  # noqa: E402
from flow.provenance import git_commit  # noqa: E402
from models import (  # noqa: E402
    bits,
    data,
    float_models,
    folding,
    networks,
    ranges,
    recipes,
    weights,
)
from models.fit import Schedule, best_epoch, fit, fit_float  # noqa: E402
from models.float_models import load_float  # noqa: E402
from models.recipes.recipe import Benchmark  # noqa: E402

FLOAT = "float"
TRAINED = "trained.h5"  # in the run folder of a float training

log = logging.getLogger("train")


def main(
    model: Annotated[str, typer.Option(help=f"Network: {', '.join(recipes.RECIPES)}.")] = "kws",
    quant: Annotated[str, typer.Option(help="mpq, flat4, flat8, flat16 or float.")] = "mpq",
    data_folder: Annotated[
        Path, typer.Option("--data", help="Folder of the data sets.")
    ] = data.DEFAULT_DATA,
    float_folder: Annotated[
        Path, typer.Option("--float-models", help="Folder with the float reference models.")
    ] = float_models.FOLDER,
    epochs: Annotated[
        int | None, typer.Option(min=0, help="Of both stages together; default: the recipe's.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Default: the recipe's.")] = None,
    lr: Annotated[
        float | None, typer.Option(help="First learning rate of Adam; default: the recipe's.")
    ] = None,
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
    run = out or ROOT / "runs" / f"{model}-{quant}"
    given = {"epochs": epochs, "batch": batch, "learning_rate": lr, "seed": seed}
    try:
        benchmark = recipes.prepare(model, data_folder, float_folder)
        schedule = dataclasses.replace(
            benchmark.schedule, **{key: value for key, value in given.items() if value is not None}
        )
        if quant == FLOAT:
            train_float(model, benchmark, schedule, run, resume)
        else:
            train(model, quant, benchmark, schedule, run, weights_out, resume)
    except FlowError as error:
        log.error("%s", error)
        raise typer.Exit(1) from error


def train(
    model: str,
    quant: str,
    benchmark: Benchmark,
    schedule: Schedule,
    run: Path,
    weights_out: Path,
    resume: bool,
) -> None:
    """Train a network with one quantization and write its weights.

    Raises:
        DataError: the float network that its weights come from is missing or corrupt.
        ConfigError: `quant` is unknown, or the run folder was made with other settings.
    """
    widths = bits.network_bits(model, quant)
    _prepare(run, quant, schedule, benchmark.recipe, resume)
    float_model = _float_network(model, benchmark, run)
    reference = benchmark.evaluate(float_model)
    log.info("float: %s %.4f on %s", benchmark.metric, reference, benchmark.test_file)
    task = benchmark.task(schedule)
    tf.keras.utils.set_random_seed(schedule.seed)
    student = networks.build(widths)
    folding.transfer(student, folding.fold_batchnorm(float_model))
    ranges.calibrate(student, benchmark.calibration)
    log.info("after calibration: %.4f", benchmark.evaluate(student))
    trained = fit(student, task, run)
    facts = {
        "model": model,
        "quant": quant,
        "seed": schedule.seed,
        "epochs": schedule.epochs,
        "schedule": dataclasses.asdict(schedule),
        "recipe": dataclasses.asdict(benchmark.recipe),
        "datasets": benchmark.datasets,
        "note": benchmark.note,
        "accuracy": {
            "metric": benchmark.metric,
            "dataset": benchmark.test_file,
            "samples": benchmark.test_samples,
            "float": reference,
            "qkeras": benchmark.evaluate(trained),
            "validation": best_epoch(run / "tune" / "history.csv").get("val_accuracy"),
        },
        **_provenance(),
    }
    path = weights.save(trained, facts, weights_out)
    log.info("accuracy %s", json.dumps(facts["accuracy"]))
    log.info("wrote %s", path.name)


def train_float(
    model: str, benchmark: Benchmark, schedule: Schedule, run: Path, resume: bool
) -> None:
    """Evaluate the float reference; train the float network where the reference is another's."""
    if benchmark.float_network == model:
        found = benchmark.evaluate(benchmark.float_model)
    else:
        _prepare(run, FLOAT, schedule, benchmark.recipe, resume)
        tf.keras.utils.set_random_seed(schedule.seed)
        network = networks.build_float(model)
        found = benchmark.evaluate(fit_float(network, benchmark.task(schedule), run, TRAINED))
    log.info("float: %s %.4f on %s", benchmark.metric, found, benchmark.test_file)


def _float_network(model: str, benchmark: Benchmark, run: Path) -> tf.keras.Model:
    """The float network that the weights are taken from."""
    if benchmark.float_network == model:
        return benchmark.float_model
    path = run.parent / f"{model}-{FLOAT}" / TRAINED
    if not path.is_file():
        raise ConfigError(
            f"the float network of {model!r} is not trained: {path} does not exist.\n"
            f"  Train it first: python models/train.py --model {model} --quant {FLOAT}"
        )
    return load_float(path)


def _prepare(run: Path, quant: str, schedule: Schedule, recipe: Any, resume: bool) -> None:
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
