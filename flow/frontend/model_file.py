"""A user's model file, looked at before Keras is: it must be plain data, and hold nothing to run.

Keras runs what some files say: the bytecode of a Lambda layer, a class of any module that can be
imported, a pickle. Here nothing is built, imported or unpickled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flow.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
READER = "flow.frontend._model_reader"
TIMEOUT_S = 30.0
REMEDY = (
    'Build the model from layers of Keras and QKeras alone, and save it: model.save("model.h5").'
)


def check_model_file(path: Path) -> None:
    """Refuse a model file that is no Keras model, is damaged, or holds something to run.

    What it refuses includes Lambda layers, classes from outside Keras, QKeras and
    `models.quantizers`, references to other files, and what unpacks to more than 512 MiB. The
    settings of training are not looked at: load with `compile=False`.

    Raises:
        DataError: lists every problem, by layer.
    """
    read_model_config(path)


def read_model_config(path: Path) -> dict[str, Any]:
    """The architecture of a checked model file: {'class_name': ..., 'config': {...}}.

    Raises:
        DataError: as `check_model_file`.
    """
    if not path.exists():
        raise DataError(f"model file {str(path)!r} does not exist.\n  Name a .h5 or .keras file.")
    answer = _inspect(path)
    if answer["problems"]:
        listed = "".join(f"  - {problem}\n" for problem in answer["problems"])
        raise DataError(f"model file {str(path)!r} cannot be used:\n{listed}  {REMEDY}")
    config: dict[str, Any] = answer["config"]
    return config


def _inspect(path: Path) -> dict[str, Any]:
    """The `Inspection` that a process of its own makes; damage that stops it is a problem too."""
    command = [sys.executable, "-m", READER, str(path.absolute())]
    folders = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    try:
        done = subprocess.run(
            command,
            cwd="/",  # `-m` puts the working folder on the path: the user's may hold a `flow` too
            env={**os.environ, "PYTHONPATH": folders},
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"problems": [f"it is damaged: it could not be read within {TIMEOUT_S:g} s."]}
    if done.returncode:
        last = done.stderr.decode(errors="replace").splitlines()[-1:] or ["it said nothing"]
        return {
            "problems": [f"it is damaged: reading it ended with {done.returncode} ({last[0]})."]
        }
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
