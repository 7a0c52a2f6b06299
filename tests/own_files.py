"""Files of a user: a model's architecture without its weights, and samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def architecture(path: Path, *shapes: tuple[int | None, ...]) -> Path:
    """What Keras writes of a model with inputs of these shapes, as far as it is read early."""
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "config": {"name": f"i{n}", "batch_input_shape": [None, *s]}}
        for n, s in enumerate(shapes)
    ]
    layers.append({"class_name": "ReLU", "config": {"name": "relu"}})
    with h5py.File(path, "w") as file:
        config = {"class_name": "Functional", "config": {"name": "m", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
    return path


def data(path: Path, **arrays: Any) -> Path:
    """An .npz file."""
    np.savez(path, **arrays)
    return path
