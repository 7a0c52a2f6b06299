"""Which networks and bit-widths can be run: those that have weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flow import runs
from flow.config import load_config
from flow.errors import ConfigError, DataError
from flow.runs import Request, prepare, trained_quants
from tests.only_kws import only_kws


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the weights, with those of kws-mpq."""
    only_kws(tmp_path, monkeypatch)
    return tmp_path


def copy(folder: Path, name: str) -> None:
    for suffix in ("h5", "json"):
        shutil.copy(folder / f"kws-mpq.{suffix}", folder / f"{name}.{suffix}")


def test_weights_that_are_there_can_be_run(weights: Path) -> None:
    assert trained_quants("kws") == ["mpq"]
    with pytest.raises(ConfigError, match="quant 'flat8' is not available yet; available: mpq"):
        prepare(Request("kws", quant="flat8"), load_config())
    copy(weights, "kws-flat8")
    run = prepare(Request("kws", quant="flat8"), load_config())
    assert run.name == "kws-flat8"
    assert [path.name for path in run.weight_files] == ["kws-flat8.h5", "kws-flat8.json"]


@pytest.mark.parametrize("model", ["ad", "ic", "vww", "vww_mbv2", "vww_effnet"])
def test_every_network_runs_on_shipped_samples_once_it_has_weights(
    model: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path / "none"))
    with pytest.raises(DataError, match=f"model '{model}' has no trained weights: no file is"):
        prepare(Request(model), load_config())
    copy(weights, f"{model}-mpq")
    run = prepare(Request(model), load_config())
    assert not run.source.is_real
    assert len(runs.simulated_samples(run).y) == load_config().model(model).frames
