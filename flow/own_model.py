"""A user's own model as a run: what its file and its samples say, told without Keras."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.cache import hash_file
from flow.config import Config, LayerOverride
from flow.data import Samples, Source, not_finite, read_arrays
from flow.errors import ConfigError, DataError
from flow.frontend.model_file import read_model_config
from flow.plan.planner import DSP_BUDGET, LUT_BUDGET

QUANT = "own"  # in place of a benchmark's bit-widths
TARGET = "xc7z020"
FRAMES = 8  # simulated where --frames does not say otherwise
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OwnModel:
    """Settings of a run on a user's file, named as those of `flow.config.ModelConfig`.

    `shape` is the model's own input, `input_shape` the same as [h, w, channels].
    """

    file: Path
    sha256: str
    shape: Shape
    target_ii_cycles: int | None  # None: as fast as the device allows
    target: str = TARGET
    frames: int = FRAMES
    raw_dtype: str = "float32"
    metric: str = "accuracy"
    quant: str = QUANT
    classes: None = None  # known when the model is loaded
    dsp_budget: float = DSP_BUDGET
    lut_budget: float = LUT_BUDGET
    layers: Mapping[str, LayerOverride] = field(default_factory=dict)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """[h, w, channels]; a sequence is [1, w, channels], a vector [1, 1, channels]."""
        height, width, channels = (1, 1, *self.shape)[-3:]
        return height, width, channels


def own_model(file: Path, cycles: int | None) -> OwnModel:
    """Look at a model file before Keras does.

    Raises:
        DataError: it is no model that can be loaded, or of another input; all problems are listed.
    """
    config = read_model_config(file)
    return OwnModel(file.resolve(), hash_file(file), _input_shape(file, config), cycles)


def own_name(file: Path, config: Config) -> str:
    """Name of the run: the file's stem, as a folder may be called.

    Raises:
        ConfigError: a benchmark's runs are called so.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", file.stem).lstrip(".-")
    for model in (*config.models, "cache"):
        if name == model or name.startswith(f"{model}-") or not name:
            raise ConfigError(
                f"--keras {file}: results would go to those of {model!r}.\n"
                "  Give the file another name: the run is called like it."
            )
    return name


def own_samples(source: Source, model: OwnModel) -> Samples:
    """Read samples of a model's float input; labels may be absent.

    Raises:
        DataError: the file is unreadable, or x or y is not what it has to be; all is listed.
    """
    arrays = read_arrays(source.path)
    problems = list(_problems(arrays, model.shape))
    if problems:
        raise DataError(
            f"data file {source.path}: " + "; ".join(problems) + ".\n"
            f"  Store x as float32 {_shape_text(model.shape)}, the model's input, and y as n "
            "integer labels from 0, or leave y out: "
            f"numpy.savez({source.path.name!r}, x=x, y=y)."
        )
    x = arrays["x"].reshape(-1, *model.input_shape)
    labels = arrays.get("y", np.zeros(len(x), np.int64)).astype(np.int64)
    return Samples(
        x, labels, source.path.stem, True, source.sha256, labelled="y" in arrays
    )  # fmt: skip


def _problems(arrays: Mapping[str, NDArray[Any]], shape: Shape) -> Iterator[str]:
    if "x" not in arrays:
        yield "key 'x' is missing"
        return
    x, y = arrays["x"], arrays.get("y")
    if x.ndim == 0 or x.shape[1:] != shape:
        yield f"x has shape {x.shape}, expected {_shape_text(shape)}"
    elif len(x) == 0:
        yield "x holds no samples, expected at least one"
    if x.dtype != np.float32:
        yield f"x has dtype {x.dtype}, expected float32"
    else:
        yield from not_finite(x)
    if y is None:
        return
    if y.ndim != 1 or (x.ndim and len(y) != len(x)):
        one_hot = "; of one-hot rows take y.argmax(axis=1)" if y.ndim == 2 else ""
        yield f"y has shape {y.shape}, expected ({len(x) if x.ndim else 'n'},) as x{one_hot}"
    elif y.dtype.kind not in "iu":
        yield f"y has dtype {y.dtype}, expected an integer type"
    elif len(y) and int(y.min()) < 0:
        yield f"y holds {y.min()}, expected labels from 0"


def _shape_text(shape: Shape) -> str:
    return f"[n, {', '.join(map(str, shape))}]"


def _input_shape(file: Path, config: Mapping[str, Any]) -> Shape:
    """The first layer's `batch_input_shape`; a second input is refused when the model is read."""
    inner = config["config"]
    layers = inner["layers"] if isinstance(inner, dict) else inner
    for layer in layers:
        entry = layer.get("config", {}) if isinstance(layer, dict) else {}
        batch = entry.get("batch_input_shape") or entry.get("batch_shape")
        if batch:
            return _checked_shape(file, batch)
    raise DataError(
        f"model file {str(file)!r} does not say what its input is.\n"
        "  Begin a Sequential model with tf.keras.Input(shape), and save it again."
    )


def _checked_shape(file: Path, batch: Any) -> Shape:
    sizes = batch[1:]
    if 1 <= len(sizes) <= 3 and all(type(size) is int and size > 0 for size in sizes):
        return tuple(sizes)
    raise DataError(
        f"model file {str(file)!r} has an input of shape {sizes}; [h, w, channels], "
        "[w, channels] and [channels] of known sizes are supported.\n"
        "  Give tf.keras.Input the whole shape, and save the model again."
    )
