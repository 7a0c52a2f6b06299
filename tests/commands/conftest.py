"""The command line in this process, with quick stand-ins for the stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow import runs, stages
from tests import fake_run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with build/ and reports/."""
    for module, name in ((runs, "BUILD"), (runs, "REPORTS"), (stages, "stages_of")):
        monkeypatch.setattr(module, name, getattr(module, name))
    fake_run.install(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path
