"""A user's own model: from a file that others wrote to a model whose integers are exact."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from flow.frontend._activations import is_calibrated
from flow.frontend.keras_reader import read_steps
from flow.frontend.model_file import read_model_config

CALIBRATION_BATCH = 250
MAX_REASON = 300  # characters of what Keras says about a file that it cannot load


@dataclass(frozen=True, slots=True, eq=False)
class UserModel:
    """A model that `from_keras` takes, and what was done to make it so, or is doubtful."""

    model: Any
    notes: tuple[str, ...]


def load_user_model(path: Path, samples: NDArray[np.float32] | None = None) -> UserModel:
    """Load a model file, and make constants of all its scales.

    Scales that are no powers of two are rounded to an integer below 2**15 times one (`freeze_auto`,
    `freeze_norms`): the model computes with these from then on. Ranges that were never calibrated
    are, on `samples`.

    Args:
        path: looked at before Keras is.
        samples: [n, ...] float32 inputs of the model.

    Raises:
        DataError: the file is no model, cannot be loaded, or samples are needed.
        UnsupportedLayer: something cannot be made exact; everything found is listed.
    """
    from models import ranges
    from models.quantizers import freeze_auto, freeze_norms
    from models.quantizers.settings import doubtful_settings

    config = read_model_config(path)
    model = load_keras(path)
    notes = list(doubtful_settings(model, config))
    norms = freeze_norms(model)
    scales = freeze_auto(model)
    if norms:
        notes.append(_rounded("the gains of batch normalization", norms))
    if scales:
        notes.append(_rounded("the scales of weights", scales))
    read_steps(model, ranges_follow=samples is not None)  # tells all that is wrong
    found = calibrate_missing(model, path, samples)
    if found:
        notes.append(f"calibrated on the samples: {', '.join(found)}.")
    ranges.freeze(model)
    return UserModel(model, tuple(notes))


def calibrate_missing(model: Any, path: Path, samples: NDArray[np.float32] | None) -> list[str]:
    """Set the ranges that were never calibrated, in network order; gives their layers' names.

    Raises:
        DataError: there are no samples, or samples of another shape.
    """
    steps = [step for step in read_steps(model) if not is_calibrated(step.quantizer)]
    names = [step.quantizer_layer for step in steps]
    if not steps:
        return []
    if samples is None:
        raise DataError(
            f"model file {str(path)!r}: the ranges of quantizers {', '.join(map(repr, names))} "
            "were never calibrated.\n  Give samples of its input: --data FILE.npz with x [n, "
            f"{', '.join(map(str, model.input_shape[1:]))}] float32."
        )
    for step in steps:
        layer = model.get_layer(step.quantizer_layer)
        step.quantizer.calibrate(_values_before(model, layer, step.quantizer, samples))
    return names


def _values_before(
    model: Any, layer: Any, quantizer: Any, samples: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What a quantizer reads; one that is still not calibrated passes everything through."""
    import tensorflow as tf

    is_activation = getattr(layer, "quantizer", None) is quantizer
    probe = tf.keras.Model(model.inputs, layer.input if is_activation else layer.output)
    parts = [
        probe(samples[start : start + CALIBRATION_BATCH], training=False).numpy()
        for start in range(0, len(samples), CALIBRATION_BATCH)
    ]
    return np.concatenate(parts)


def load_keras(path: Path) -> Any:
    """Load a file that was looked at before, with the quantizers of QKeras and of this project.

    Raises:
        DataError: Keras cannot.
    """
    import tensorflow as tf
    from qkeras.utils import load_qmodel

    from models.quantizers import CUSTOM_OBJECTS

    # converting the Python of every layer's call takes most of the time
    load = tf.autograph.experimental.do_not_convert(load_qmodel)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Keras', of what QKeras calls in it
            model = load(str(path), dict(CUSTOM_OBJECTS), compile=False)
    except Exception as error:  # Keras and QKeras fail with whatever they stumble over
        text = str(error).splitlines() or [type(error).__name__]
        raise DataError(
            f"model file {str(path)!r} cannot be loaded: {_shortened(text[0])}\n"
            "  Save it with QKeras 0.9.0 and TensorFlow 2.14, as HDF5: model.save('my_model.h5')."
        ) from error
    if not getattr(model, "inputs", None):
        raise DataError(
            f"model file {str(path)!r} does not say what its input is.\n"
            "  Begin a Sequential model with tf.keras.Input(shape), and save it again."
        )
    return model


def _shortened(text: str) -> str:
    """Keras may write a layer's whole configuration into a line."""
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]} ..."


def _rounded(what: str, names: list[str]) -> str:
    return (
        f"{what} ({', '.join(names)}) were rounded to an integer below 2**15 times a power of two, "
        "by 2**-15 of themselves at most; no weight's code changed."
    )
