"""A project that has the weights kws-mpq and no others, whatever this one has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flow import runs


def only_kws(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs find weights in `folder`, which gets those of kws-mpq."""
    for path in runs.WEIGHTS.glob("kws-mpq.*"):
        shutil.copy(path, folder)
    monkeypatch.setattr(runs, "WEIGHTS", folder)
