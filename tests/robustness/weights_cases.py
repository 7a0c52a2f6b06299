"""Damaged, foreign and dangerous weights."""

from __future__ import annotations

import base64
import hashlib
import json
import marshal
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py

from flow import runs
from tests.robustness.case import Case, Place, Prepare

CALL = "--model kws --to extract"
NAME = "kws-mpq"
CODE = compile("import os; os.mkdir('pwned')", "steal", "exec")
LAMBDA = {
    "class_name": "Sequential",
    "config": {
        "name": "kws",
        "layers": [
            {"class_name": "InputLayer",
             "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "input_1"}},
            {"class_name": "Lambda",
             "config": {"name": "steal",
         "function": [base64.b64encode(marshal.dumps(CODE)).decode(), None, None],
                        "function_type": "lambda"}},
        ],
    },
}  # fmt: skip


def weights(change: Callable[[Path], object]) -> Prepare:
    """A copy of the trained weights, which the flow reads instead, with a change."""

    def prepare(place: Place) -> None:
        from models import weights as reader

        folder = place.folder / "weights"
        shutil.copytree(runs.WEIGHTS, folder)
        place.monkeypatch.setattr(runs, "WEIGHTS", folder)
        for name in ("load", "record"):
            read = getattr(reader, name)
            place.monkeypatch.setattr(reader, name, _always_of(read, folder))
        change(folder)

    return prepare


def _always_of(read: Callable[..., object], folder: Path) -> Callable[..., object]:
    return lambda model, quant, *_: read(model, quant, folder)


def remove(*suffixes: str) -> Callable[[Path], object]:
    """Files of the network that are not there."""
    return lambda folder: [(folder / f"{NAME}{suffix}").unlink() for suffix in suffixes]


def change_bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Other content than the record vouches for."""

    def write(folder: Path) -> None:
        path = folder / f"{NAME}.h5"
        path.write_bytes(change(path.read_bytes()))

    return write


def flip_in_the_middle(content: bytes) -> bytes:
    """One bit."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def record(text: str) -> Callable[[Path], object]:
    """Another record."""
    return lambda folder: (folder / f"{NAME}.json").write_text(text)


def record_with(**facts: object) -> Callable[[Path], object]:
    """The record with other values."""

    def write(folder: Path) -> None:
        path = folder / f"{NAME}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))

    return write


def vouched(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Another file whose checksum is in the record, as its author would write it."""

    def write(folder: Path) -> None:
        path = folder / f"{NAME}.h5"
        path.unlink()
        make(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        record_with(sha256=digest)(folder)

    return write


def lambda_layer(path: Path) -> None:
    """A model that brings its own code."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(LAMBDA)
        file.create_group("model_weights").attrs["layer_names"] = []


def pickled(path: Path) -> None:
    """A pickle."""
    path.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))


def empty_h5(path: Path) -> None:
    """An HDF5 file without a model."""
    with h5py.File(path, "w"):
        pass


CASES = (
    Case("no weights", CALL,
         "model 'kws' has no trained weights: no file is models/weights/kws-<quant>.h5.\n"
         "  models/train.py makes them (models/README.md).",
         weights(remove(".h5", ".json"))),
    Case("no record of the weights", CALL,
         "no trained weights kws-mpq.json for model 'kws', quant 'mpq'.\n"
         "  Train them: python models/train.py --model kws --quant mpq",
         weights(remove(".json")), stage="extract"),
    Case("no weights of the record", CALL,
         "model 'kws' has no trained weights: no file is models/weights/kws-<quant>.h5.\n"
         "  models/train.py makes them (models/README.md).",
         weights(remove(".h5"))),
    Case("weights cut off", CALL,
         "weights kws-mpq.h5: SHA-256 is {sha256}, the record says {sha256}.\n"
         "  Restore both files from version control, or train again with models/train.py.",
         weights(change_bytes(lambda content: content[:5000])),
         stage="extract"),
    Case("weights with a flipped bit", CALL,
         "weights kws-mpq.h5: SHA-256 is {sha256}, the record says {sha256}.\n"
         "  Restore both files from version control, or train again with models/train.py.",
         weights(change_bytes(flip_in_the_middle)),
         stage="extract"),
    Case("weights are empty", CALL,
         "weights kws-mpq.h5: SHA-256 is {sha256}, the record says {sha256}.\n"
         "  Restore both files from version control, or train again with models/train.py.",
         weights(change_bytes(lambda _: b"")), stage="extract"),
    Case("record is no JSON", CALL,
         "record kws-mpq.json is not JSON (Expecting value: line 1 column 12 (char 11)).\n"
         "  Restore it from version control.", weights(record('{"sha256": ')), stage="extract"),
    Case("record is a list", CALL,
         "record kws-mpq.json holds list, not an object.\n"
         "  Restore it from version control.", weights(record("[]")), stage="extract"),
    Case("record without checksum", CALL,
         "weights kws-mpq.h5: SHA-256 is {sha256}, the record says None.\n"
         "  Restore both files from version control, or train again with models/train.py.",
         weights(record_with(sha256=None)), stage="extract"),
    Case("record of another model", CALL,
         "weights kws-mpq.h5: the record names ('ic', 'mpq'), expected ('kws', 'mpq').\n"
         "  Restore both files from version control, or train again with models/train.py.",
         weights(record_with(model="ic")), stage="extract"),
    Case("weights are a pickle", CALL,
         "model file '{tmp}/weights/kws-mpq.h5' cannot be used:\n"
         "  - it is a Python pickle, which runs code of its author when it is loaded, "
         "not a Keras model.\n"
         "  Build the model from layers of Keras and QKeras alone, and save it: "
         "model.save(\"model.h5\").", weights(vouched(pickled)), stage="extract"),
    Case("weights with a Lambda layer", CALL,
         "model file '{tmp}/weights/kws-mpq.h5' cannot be used:\n"
         "  - layer 'steal' is a Lambda: it holds Python code, which loading would run.\n"
         "  Build the model from layers of Keras and QKeras alone, and save it: "
         "model.save(\"model.h5\").", weights(vouched(lambda_layer)),
         stage="extract"),
    Case("weights without a model", CALL,
         "model file '{tmp}/weights/kws-mpq.h5' cannot be used:\n"
         "  - it holds weights only, no architecture (model.save_weights); the "
         "architecture is needed too.\n"
         "  Build the model from layers of Keras and QKeras alone, and save it: "
         "model.save(\"model.h5\").", weights(vouched(empty_h5)), stage="extract"),
)  # fmt: skip
