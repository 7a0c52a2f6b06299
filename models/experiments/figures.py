"""Curves of the trainings of `flat_po2`, and their summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.experiments.arms import ARMS

Training = dict[str, Any]  # one file of `flat_po2`
Measure = Callable[[dict[str, Any]], float]  # of one epoch's record
SUMMARY = "summary.json"
COMPARED = ("stock-16-31", "stock-16-16", "fixed-16-31")  # whose updates are drawn by layer


def draw(trainings: Sequence[Training], folder: Path) -> None:
    """Write `<setting>.svg`, `<setting>-layers.svg` and the summary of all trainings."""
    folder.mkdir(parents=True, exist_ok=True)
    for setting in sorted({training["setting"] for training in trainings}):
        chosen = [training for training in trainings if training["setting"] == setting]
        _curves(chosen, folder / f"{setting}.svg", setting)
        _layers(chosen, folder / f"{setting}-layers.svg", setting)
    rows = summary(trainings)
    (folder / SUMMARY).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def summary(trainings: Sequence[Training]) -> list[dict[str, Any]]:
    """Figures after the last epoch for each setting and arm: over seeds, mean, least and most."""
    rows = []
    for setting in sorted({training["setting"] for training in trainings}):
        for arm in ARMS.values():
            found = [t for t in trainings if (t["setting"], t["arm"]) == (setting, arm.name)]
            if found:
                rows.append(_row(setting, arm.name, found))
    return rows


def zero_kernels(record: dict[str, Any]) -> float:
    """Mean over layers of the share of kernel values that are 0."""
    return _mean(record["zero_ratio"], "/kernel")


def zero_biases(record: dict[str, Any]) -> float:
    """The same of biases."""
    return _mean(record["zero_ratio"], "/bias")


MEASURES: dict[str, Measure] = {
    "training loss": lambda record: record.get("loss", np.nan),
    "validation loss": lambda record: record["val_loss"],
    "training accuracy": lambda record: record.get("accuracy", np.nan),
    "validation accuracy": lambda record: record["val_accuracy"],
    "kernel values that are 0": zero_kernels,
    "biases that are 0": zero_biases,
}


def _row(setting: str, arm: str, found: Sequence[Training]) -> dict[str, Any]:
    first = [training["epochs"][0]["val_accuracy"] for training in found]
    row: dict[str, Any] = {
        "setting": setting,
        "arm": arm,
        "seeds": len(found),
        "epochs": len(found[0]["epochs"]) - 1,
        "before training: validation accuracy": float(np.mean(first)),
    }
    for name, measure in MEASURES.items():
        values = [measure(training["epochs"][-1]) for training in found]
        row[name] = [float(np.mean(values)), float(np.min(values)), float(np.max(values))]
    return row


def _mean(ratios: dict[str, float], role: str) -> float:
    return float(np.mean([value for name, value in ratios.items() if name.endswith(role)]))


def _curves(trainings: Sequence[Training], place: Path, setting: str) -> None:
    """One panel a measure: a line an arm (mean over seeds), shaded from least to most."""
    plt = _pyplot()
    figure, axes = plt.subplots(3, 2, figsize=(10, 11), sharex=True, layout="constrained")
    for axis, (name, measure) in zip(axes.flat, MEASURES.items(), strict=True):
        for number, arm in enumerate(ARMS.values()):
            found = [training for training in trainings if training["arm"] == arm.name]
            if not found:
                continue
            values = np.array([[measure(record) for record in t["epochs"]] for t in found])
            epochs, style = np.arange(values.shape[1]), ("-", "--", ":")[number % 3]
            line = axis.plot(epochs, values.mean(0), style, color=f"C{number}", label=arm.label)
            axis.fill_between(
                epochs, values.min(0), values.max(0), color=line[0].get_color(), alpha=0.15, lw=0
            )
        axis.set_title(name)
        axis.grid(alpha=0.3)
        if "loss" in name:
            axis.set_yscale("log")
    for axis in axes[-1]:
        axis.set_xlabel("epoch (0: before training)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(f"ResNet-8 on CIFAR-10, setting {setting!r}")
    _save(figure, place)


def _layers(trainings: Sequence[Training], place: Path, setting: str) -> None:
    """Mean |update| of each layer's kernel and bias in each epoch, for the arms compared."""
    plt = _pyplot()
    figure, axes = plt.subplots(
        2, len(COMPARED), figsize=(12, 7), sharex=True, sharey="row", layout="constrained"
    )
    for column, name in enumerate(COMPARED):
        found = [training for training in trainings if training["arm"] == name]
        for axis, role in zip(axes[:, column], ("kernel", "bias"), strict=True):
            axis.set_title(f"{ARMS[name].label}: {role}s", fontsize=9)
            axis.grid(alpha=0.3)
            if not found:
                continue
            for layer, values in _updates(found, role).items():
                axis.plot(np.arange(1, len(values) + 1), values, label=layer)
            axis.set_yscale("log")
    axes[0, 0].set_ylabel("mean |update| in an epoch")
    axes[1, 0].set_ylabel("mean |update| in an epoch")
    for axis in axes[-1]:
        axis.set_xlabel("epoch")
    handles = axes[0, 0].get_legend_handles_labels()
    if handles[0]:
        figure.legend(*handles, loc="outside lower center", ncols=5)
    figure.suptitle(f"Updates by layer, setting {setting!r}, mean over seeds")
    _save(figure, place)


def _updates(found: Sequence[Training], role: str) -> dict[str, NDArray[np.float64]]:
    """By layer: mean |update| [epochs] over seeds of its kernel, or of its bias.

    Where batch normalization is folded at every step, what moves the bias is its beta.
    """
    layers = [name.removesuffix("/kernel") for name in found[0]["epochs"][0]["zero_ratio"]
              if name.endswith("/kernel")]  # fmt: skip
    chosen = {}
    for layer in layers:
        names = [name for name in found[0]["epochs"][1]["mean_update"]
                 if name.startswith(f"{layer}/")]  # fmt: skip
        wanted = [name for name in names if name.endswith(f"/{role}")]
        if role == "bias":
            wanted = [name for name in names if name.endswith("/beta")] or wanted
        if wanted:
            chosen[layer] = np.mean(
                [[record["mean_update"][wanted[0]] for record in training["epochs"][1:]]
                 for training in found], axis=0,
            )  # fmt: skip
    return chosen


def _save(figure: Any, place: Path) -> None:
    draft = place.with_suffix(".tmp")
    figure.savefig(draft, format="svg", metadata={"Date": None})
    draft.replace(place)
    _pyplot().close(figure)


def _pyplot() -> Any:
    """Pyplot without a screen; imported late, since drawing is the last thing a program does."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "shiftflow"  # the same figure gives the same file
    import matplotlib.pyplot as plt

    return plt
