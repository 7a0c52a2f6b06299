"""Why does flat `auto_po2` train badly? python models/experiments/flat_po2.py; docs/flat-po2.md.

ResNet-8 is trained on CIFAR-10 with several weight quantizers (`arms.py`) in two settings:

    scratch   random weights, batch normalization folded at every step (QConv2DBatchnorm)
    transfer  the trained float network, its batch normalization folded away beforehand

Every finished training is kept as a file of its own and not repeated; an interrupted one starts
over. Figures and the summary are drawn from all that are there.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

ROOT = Path(__file__).resolve().parent.parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402  (the path above comes first)
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402

from flow.cache import hash_file  # noqa: E402
from flow.errors import ConfigError, FlowError  # noqa: E402
from flow.provenance import git_commit  # noqa: E402
from models import data, float_models, folding  # noqa: E402
from models.experiments import arms, curves, figures  # noqa: E402
from models.recipes import ic  # noqa: E402
from models.recipes.images import Images, load_images  # noqa: E402

SETTINGS = ("scratch", "transfer")
HELD_OUT = 1000  # images of the test set that are evaluated after each epoch
DOCS = ROOT / "docs" / "flat-po2"
FIRST_RATE, DECAY = 1e-3, 0.99  # per epoch: the learning rates of the thesis' ResNet-8
CLASSES = 10

log = logging.getLogger("flat_po2")


@dataclass(frozen=True, slots=True)
class Plan:
    """How each network is trained."""

    images: int
    validation: int
    epochs: int
    batch: int
    dataset: dict[str, str]  # SHA-256 of each file


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """Images [n, 32, 32, 3] and labels [n]."""

    x: Images
    y: np.ndarray[Any, np.dtype[np.int64]]
    held_x: Images
    held_y: np.ndarray[Any, np.dtype[np.int64]]


def main(
    data_folder: Annotated[
        Path, typer.Option("--data", help="Folder of the data sets.")
    ] = data.DEFAULT_DATA,
    float_folder: Annotated[
        Path, typer.Option("--float-models", help="Folder with the float reference models.")
    ] = float_models.FOLDER,
    setting: Annotated[
        list[str], typer.Option(help=f"{' or '.join(SETTINGS)}; may be repeated.")
    ] = list(SETTINGS),  # noqa: B006  (typer copies it)
    arm: Annotated[
        list[str], typer.Option(help=f"May be repeated; all of {', '.join(arms.ARMS)}.")
    ] = list(arms.ARMS),  # noqa: B006
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 1 to this one.")] = 3,
    images: Annotated[int, typer.Option(min=50, help="Of the training set.")] = 8000,
    epochs: Annotated[int, typer.Option(min=1)] = 6,
    batch: Annotated[int, typer.Option(min=1)] = 50,
    threads: Annotated[int, typer.Option(min=0, help="TensorFlow threads; 0: all cores.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the finished trainings.")] = ROOT
    / "runs"
    / "flat-po2",
    figures_folder: Annotated[Path, typer.Option("--figures")] = DOCS,
) -> None:
    """Train every arm with every seed, then draw the curves."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.ERROR)
    if threads:  # otherwise left as they are
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    try:
        _known("setting", setting, SETTINGS)
        _known("arm", arm, tuple(arms.ARMS))
        sets = _load(data_folder, images)
        start = folding.fold_batchnorm(
            float_models.load_float(float_folder / float_models.FILES[arms.NETWORK])
        )
        names = (ic.TRAIN_FILES[0], ic.TEST_FILE)
        plan = Plan(len(sets.x), len(sets.held_x), epochs, batch,
                    {name: hash_file(data_folder / name) for name in names})  # fmt: skip
        wanted = [(s, a, seed) for seed in range(1, seeds + 1) for s in setting for a in arm]
        for number, (chosen, name, seed) in enumerate(wanted, 1):
            log.info("%d of %d: %s, %s, seed %d", number, len(wanted), chosen, name, seed)
            place = out / f"{chosen}-{name}-{seed}.json"
            if _finished(place, plan):
                continue
            curve = train(arms.ARMS[name], chosen, seed, plan, sets, start)
            _save(place, {"setting": chosen, "arm": name, "seed": seed, "plan": asdict(plan),
                          "git_commit": git_commit(), "epochs": curve})  # fmt: skip
        figures.draw(_all(out, plan), figures_folder)
    except FlowError as error:
        log.error("%s", error)
        raise typer.Exit(1) from error


def train(
    arm: arms.Arm, setting: str, seed: int, plan: Plan, sets: Sets, start: folding.Folded
) -> list[dict[str, Any]]:
    """Train one network; return a record of every epoch, the state before the first included."""
    tf.keras.utils.set_random_seed(seed)
    model = arms.build(arm, batchnorm=setting == "scratch")
    if setting == "transfer":
        folding.transfer(model, start)
    model.compile(
        tf.keras.optimizers.Adam(FIRST_RATE),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    held = (sets.held_x.astype(np.float32), sets.held_y)
    records = [_record(model, {}, held, None)]
    for epoch in range(plan.epochs):
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(sets.x))
        shown = ic.augment(sets.x[order].astype(np.float32), ic.Recipe(), rng)
        model.optimizer.learning_rate.assign(FIRST_RATE * DECAY**epoch)
        before = curves.trained_values(model)
        history = model.fit(
            shown, sets.y[order], batch_size=plan.batch, shuffle=False, verbose=0
        ).history
        records.append(
            _record(model, {key: value[0] for key, value in history.items()}, held, before)
        )
        log.info("  epoch %d: loss %.3f, accuracy %.3f; validation loss %.3f, accuracy %.3f",
                 epoch + 1, *(records[-1][key] for key in
                              ("loss", "accuracy", "val_loss", "val_accuracy")))  # fmt: skip
    return records


def _record(
    model: tf.keras.Model, fitted: dict[str, float], held: Any, before: curves.Values | None
) -> dict[str, Any]:
    loss, accuracy = model.evaluate(*held, batch_size=250, verbose=0)
    updates = {} if before is None else curves.mean_updates(before, curves.trained_values(model))
    return {
        **{key: float(value) for key, value in fitted.items()},
        "val_loss": float(loss),
        "val_accuracy": float(accuracy),
        "zero_ratio": curves.zero_ratios(curves.effective_weights(model)),
        "mean_update": updates,
    }


def _load(folder: Path, images: int) -> Sets:
    """The first images of the training set, and of the developers' test set."""
    x, y = load_images(folder / ic.TRAIN_FILES[0], ic.SIZE, CLASSES)
    held_x, held_y = load_images(folder / ic.TEST_FILE, ic.SIZE, CLASSES)
    if images > len(x):
        raise ConfigError(
            f"--images {images}: {ic.TRAIN_FILES[0]} holds {len(x)}.\n  Choose at most so many."
        )
    return Sets(x[:images], y[:images], held_x[:HELD_OUT], held_y[:HELD_OUT])


def _known(option: str, given: list[str], allowed: tuple[str, ...]) -> None:
    wrong = [value for value in given if value not in allowed]
    if wrong:
        raise ConfigError(
            f"--{option} {', '.join(wrong)} is unknown.\n  Choose of: {', '.join(allowed)}."
        )


def _finished(place: Path, plan: Plan) -> bool:
    """Whether a training is there already; one of another plan is refused."""
    if not place.is_file():
        return False
    if _read(place)["plan"] != asdict(plan):
        raise ConfigError(
            f"{place} was made with other settings.\n"
            "  Repeat them, or choose another folder with --out."
        )
    return True


def _all(folder: Path, plan: Plan) -> list[dict[str, Any]]:
    found = [_read(place) for place in sorted(folder.glob("*.json"))]
    return [training for training in found if training["plan"] == asdict(plan)]


def _read(place: Path) -> dict[str, Any]:
    try:
        training: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return training
    except ValueError as error:
        raise ConfigError(
            f"{place} is no JSON ({error}).\n  Remove it; it is made again."
        ) from error


def _save(place: Path, training: dict[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".tmp")
    draft.write_text(json.dumps(training) + "\n", encoding="utf-8")
    draft.replace(place)


if __name__ == "__main__":
    typer.run(main)
