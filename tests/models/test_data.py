"""Reading kws arrays and splitting them by speaker."""

from pathlib import Path

import numpy as np
import pytest

from models.data import DataCorrupt, DataMissing, load_kws, split_by_speaker

SAMPLES = Path(__file__).parents[2] / "models" / "samples" / "kws.npz"


def write(path: Path, **changes: object) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.integers(-128, 128, (60, 2, 49, 10)).astype(np.int8),
        "y": rng.integers(0, 12, 60).astype(np.uint8),
        "speaker": rng.integers(0, 15, 60).astype(str),
        "scale": np.array([0.5], np.float32),
        "zero_point": np.array([83], np.int32),
        **changes,
    }
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_real_values_are_dequantised_codes(tmp_path: Path) -> None:
    data = load_kws(write(tmp_path / "a.npz"), variants=True)
    real = data.real()
    assert real.shape == (60, 2, 49, 10, 1) and real.dtype == np.float32
    np.testing.assert_array_equal(real[..., 0], (data.x.astype(np.float32) - 83) * 0.5)


def test_split_shares_no_speaker_and_loses_no_clip(tmp_path: Path) -> None:
    data = load_kws(write(tmp_path / "a.npz"), variants=True)
    training, validation = split_by_speaker(data, 0.3)
    assert not set(training.speaker) & set(validation.speaker)
    assert len(training) + len(validation) == len(data)
    assert 0.2 <= len(validation) / len(data) <= 0.5
    again = split_by_speaker(data, 0.3)[1]
    np.testing.assert_array_equal(validation.x, again.x)


@pytest.mark.parametrize("speaker", [None, np.array(["one"] * 60)])
def test_split_needs_speakers(tmp_path: Path, speaker: np.ndarray | None) -> None:
    data = load_kws(write(tmp_path / "a.npz", speaker=speaker), variants=True)
    with pytest.raises(DataCorrupt, match="at least 2 speakers"):
        split_by_speaker(data)


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"none\.npz does not exist(.|\n)*--data"):
        load_kws(tmp_path / "none.npz")
    assert issubclass(DataMissing, FileNotFoundError) and issubclass(DataCorrupt, ValueError)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": None}, "key 'y' is missing"),
        ({"x": np.zeros((60, 49, 10), np.int8)}, r"x has shape \(60, 49, 10\), expected \(n, var"),
        ({"x": np.zeros((60, 2, 49, 10))}, "x has type float64, expected int8"),
        ({"y": np.zeros(59, np.uint8)}, "expected 60 integers"),
        ({"y": np.full(60, 12)}, r"labels 12\.\.12, expected 0\.\.11"),
        ({"scale": np.array([0.0])}, "scale is 0.0"),
        ({"scale": np.array([1.0, 2.0])}, "one value each"),
    ],
)
def test_wrong_content_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(DataCorrupt, match=message):
        load_kws(write(tmp_path / "a.npz", **changes), variants=True)


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataCorrupt, match=r"a\.npz: it is not a readable \.npz"):
        load_kws(path, variants=True)


def test_damaged_content_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz")
    content = bytearray(path.read_bytes())
    content[5000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataCorrupt, match=r"a\.npz: it is not a readable \.npz"):
        load_kws(path, variants=True)


def test_committed_samples_have_every_class() -> None:
    data = load_kws(SAMPLES)
    assert len(data) >= 72
    assert (np.bincount(data.y, minlength=12) >= 6).all()
    assert (float(data.scale), data.zero_point) == (pytest.approx(0.5847029), 83)
