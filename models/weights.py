"""Trained weights of this repository: save them with a record, load them checked."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from flow.errors import DataError
from flow.frontend.model_file import check_model_file
from models.quantizers import CUSTOM_OBJECTS

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


class WeightsMissing(DataError, FileNotFoundError):
    """There are no trained weights for the network and quantization."""


class WeightsCorrupt(DataError, ValueError):
    """The weights differ from the checksum of their record, or the record is unreadable."""


class WeightsMismatch(DataError, ValueError):
    """The weights belong to another network or quantization."""


def load(model_name: str, quant: str = "mpq", folder: Path = WEIGHTS_FOLDER) -> tf.keras.Model:
    """Load a trained model, frozen and ready for export.

    Raises:
        WeightsMissing: the .h5 or its .json record does not exist.
        WeightsCorrupt: the .h5 does not match the SHA-256 of the record.
        WeightsMismatch: record or model are of another network or quantization.
        DataError: the .h5 is no plain model, or brings code of its own; nothing of it is run.
    """
    path = folder / f"{model_name}-{quant}.h5"
    facts = record(model_name, quant, folder)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != facts.get("sha256"):
        raise WeightsCorrupt(
            f"weights {path.name}: SHA-256 is {digest}, "
            f"the record says {facts.get('sha256')}.\n"
            "  Restore both files from version control, or train again with models/train.py."
        )
    named = (facts.get("model"), facts.get("quant"))
    if named != (model_name, quant):
        raise WeightsMismatch(
            f"weights {path.name}: the record names {named!r}, expected {(model_name, quant)!r}.\n"
            "  Restore both files from version control, or train again with models/train.py."
        )
    check_model_file(path)  # the record vouches for the file's content, and anybody can write both
    try:
        model = tf.keras.models.load_model(path, custom_objects=CUSTOM_OBJECTS, compile=False)
    except (OSError, TypeError, ValueError) as error:
        raise WeightsMismatch(
            f"weights {path.name}: not a model of this version ({error}).\n"
            "  Train again with models/train.py."
        ) from error
    if model.name != model_name:
        raise WeightsMismatch(
            f"weights {path.name}: holds a model named {model.name!r}, expected {model_name!r}.\n"
            "  Restore the file from version control, or train again with models/train.py."
        )
    return model


def record(model_name: str, quant: str = "mpq", folder: Path = WEIGHTS_FOLDER) -> dict[str, Any]:
    """Return the provenance of trained weights: checksum, seed, data, accuracies, tools.

    Raises:
        WeightsMissing: the .h5 or its .json record does not exist.
        WeightsCorrupt: the record is not JSON.
    """
    path = folder / f"{model_name}-{quant}.json"
    for needed in (path.with_suffix(".h5"), path):
        if not needed.is_file():
            raise WeightsMissing(
                f"no trained weights {needed.name} for model {model_name!r}, quant {quant!r}.\n"
                f"  Train them: python models/train.py --model {model_name} --quant {quant}"
            )
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsCorrupt(
            f"record {path.name} is not JSON ({error}).\n  Restore it from version control."
        ) from error
    if not isinstance(facts, dict):
        raise WeightsCorrupt(
            f"record {path.name} holds {type(facts).__name__}, not an object.\n"
            "  Restore it from version control."
        )
    return facts


def save(model: tf.keras.Model, facts: Mapping[str, Any], folder: Path = WEIGHTS_FOLDER) -> Path:
    """Write `<model>-<quant>.h5` (no optimizer state) and its `.json`; return the .h5.

    Both files are complete when they appear: they are written aside and moved.

    Args:
        model: named as facts['model'].
        facts: 'model', 'quant' and the rest of the record; 'sha256' is added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['model']}-{facts['quant']}.h5"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as aside:
        draft = Path(aside) / path.name
        model.save(draft, include_optimizer=False, save_format="h5")
        digest = hashlib.sha256(draft.read_bytes()).hexdigest()
        draft_record = draft.with_suffix(".json")
        text = json.dumps({**facts, "sha256": digest}, indent=2, sort_keys=True)
        draft_record.write_text(text + "\n", encoding="utf-8")
        os.replace(draft, path)
        os.replace(draft_record, path.with_suffix(".json"))
    return path
