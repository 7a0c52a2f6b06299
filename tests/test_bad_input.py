"""What a user can get wrong, through the command line and the real stages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flow import build, runs
from flow.config import CONFIG_FILE

Kws = Callable[..., str]


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by all tests here, so that the network is extracted once."""
    return tmp_path_factory.mktemp("build")


@pytest.fixture
def kws(
    build_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Kws:  # fmt: skip
    """Run `--model kws` with arguments and text changes of config.yaml; the error message."""
    monkeypatch.setattr(runs, "BUILD", build_folder)
    monkeypatch.setattr(runs, "REPORTS", tmp_path / "reports")
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path))

    def run(*arguments: str, change: tuple[str, str] = ("", ""), code: int = 2) -> str:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG_FILE.read_text().replace(*change))
        result = build.main(["--model", "kws", "--config", str(config), *arguments])
        error = capsys.readouterr().err
        assert result == code, error
        assert error.startswith("error: ") and "Traceback" not in error
        return error.removeprefix("error: ").rstrip("\n")

    return run


def redirect(read: Callable[..., object], folder: Path) -> Callable[..., object]:
    """The same reader, always of `folder`."""
    return lambda model, quant, *_: read(model, quant, folder)


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the trained weights that the flow reads instead of the project's."""
    from models import weights

    folder = tmp_path / "weights"
    shutil.copytree(runs.WEIGHTS, folder)
    monkeypatch.setattr(runs, "WEIGHTS", folder)
    for name in ("load", "record"):
        monkeypatch.setattr(weights, name, redirect(getattr(weights, name), folder))
    return folder


def test_missing_weights(kws: Kws, weights_folder: Path) -> None:
    for path in weights_folder.glob("kws-mpq.*"):
        path.unlink()
    assert kws("--to", "extract") == (
        "no trained weights kws-mpq.h5 for model 'kws', quant 'mpq'.\n"
        "  Train them: python models/train.py --model kws --quant mpq"
    )


def test_corrupt_weights(kws: Kws, weights_folder: Path) -> None:
    path = weights_folder / "kws-mpq.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    first, last = kws("--to", "extract").splitlines()
    assert first.startswith("weights kws-mpq.h5: SHA-256 is ")
    assert last == (
        "  Restore both files from version control, or train again with models/train.py."
    )


def test_weights_of_another_network(kws: Kws, weights_folder: Path) -> None:
    path = weights_folder / "kws-mpq.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": "ic"}))
    assert kws("--to", "extract").splitlines()[0] == (
        "weights kws-mpq.h5: the record names ('ic', 'mpq'), expected ('kws', 'mpq')."
    )


def test_samples_of_the_wrong_shape(kws: Kws, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((5, 10, 49), np.int8), y=np.zeros(5, np.int64))
    assert kws("--data", str(path)) == (
        f"data file {path}: x has shape (5, 10, 49), expected [n, 49, 10] or [n, 49, 10, 1].\n"
        "  Store x as int8 [n, 49, 10] or [n, 49, 10, 1] in raw form and y as n integer labels in "
        "0..11: numpy.savez('mine.npz', x=x, y=y)."
    )


def test_corrupt_samples(kws: Kws, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(b"PK\x03\x04")
    assert kws("--data", str(path)).startswith(f"data file {path} is not a readable .npz: ")


def test_more_frames_than_samples(kws: Kws, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((5, 49, 10), np.int8), y=np.zeros(5, np.int64))
    assert kws("--data", str(path), "--frames", "9") == (
        "9 frames were asked for, but 'mine' holds 5 samples.\n  Choose --frames 5 or fewer."
    )


def test_fold_that_does_not_divide(kws: Kws) -> None:
    error = kws("--to", "plan", change=("layers: {}", "layers: {conv2d: {pe: 7}}"))
    first, last = error.splitlines()
    assert first.startswith("layer 'conv2d': PE=7 does not divide output channels=64")
    assert last.startswith("  Choose one of 1, 2, 4, 8, ") and "layers.conv2d.pe" in last


def test_override_of_a_layer_that_does_not_exist(kws: Kws) -> None:
    error = kws("--to", "plan", change=("layers: {}", "layers: {conv9: {pe: 8}}"))
    first, *problems = error.splitlines()
    assert first == "overrides of 'kws' cannot be kept:"
    assert "'conv9'" in problems[0] and "conv2d, depthwise_conv2d, " in error


def test_interval_that_no_fold_reaches(kws: Kws) -> None:
    error = kws("--to", "plan", change=("target_ii_cycles: 8000", "target_ii_cycles: 10"))
    assert error.startswith("layer 'conv2d'") and "10 " in error


@pytest.mark.sim
@pytest.mark.slow
def test_missing_compiler(kws: Kws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kws("--frames", "2", "--to", "simulate", code=1) == (
        "tool 'make' is missing; it is needed for RTL simulation.\n"
        "  Install make and a C++17 compiler."
    )
