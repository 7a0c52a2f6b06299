"""The example of docs/own_models.md, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flow.config import ROOT
from flow.runs import BUILD, REPORTS

DOCUMENT = ROOT / "docs" / "own_models.md"
NAME = "own_example_of_docs"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_documented_example_runs_to_the_end(tmp_path: Path) -> None:
    example = next(re.finditer(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)).group(1)
    script = example.replace("my_model.h5", f"{NAME}.h5")
    made = run(tmp_path, "-c", script)
    assert made.returncode == 0, made.stderr
    build = str(ROOT / "flow" / "build.py")
    given = ["--keras", f"{NAME}.h5", "--data", "samples.npz"]
    try:
        evaluated = run(tmp_path, build, *given, "--to", "evaluate")
        assert evaluated.returncode == 0, evaluated.stderr
        assert "QKeras in float32 and the integers choose the same class for" in evaluated.stdout
        finished = run(tmp_path, build, *given, "--engine", "vitis", "--frames", "2")
        assert finished.returncode == 0, finished.stderr
        report = json.loads((REPORTS / f"{NAME}-vitis" / "report.json").read_text())
        assert report["sim"]["mismatches"] == 0
        assert report["accuracy"]["integer"] > 0.5
        assert any("the gains of batch normalization" in note for note in report["notes"])
        assert {use["tensor"] for use in report["weight_tensors"]} == {"kernel", "bias"}
    finally:
        cleaned = run(tmp_path, build, "clean", NAME, f"{NAME}-vitis")
    assert cleaned.returncode == 0, cleaned.stderr
    assert not (BUILD / NAME).exists()
