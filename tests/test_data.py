"""Samples: which file is taken, and the message of everything that can be wrong in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flow import data
from flow.anomaly import frames_of
from flow.config import Config, load_config
from flow.data import Samples, Source, fetch_folder, find_samples, load_samples, pick_frames
from flow.errors import DataError

X = np.zeros((4, 49, 10), np.int8)
Y = np.array([0, 11, 3, 3], np.uint8)
STORE = (
    "  Store x as int8 [n, 49, 10] or [n, 49, 10, 1] in raw form and y as n integer labels in "
    "0..11: numpy.savez('set.npz', x=x, y=y)."
)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config()


def load(tmp_path: Path, config: Config, **arrays: np.ndarray) -> Samples:
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    return load_samples(Source(path, True), config.model("kws"))


@pytest.mark.parametrize("x", [X, X[..., None]])
def test_both_shapes_load_as_four_axes(tmp_path: Path, config: Config, x: np.ndarray) -> None:
    samples = load(tmp_path, config, x=x, y=Y)
    assert samples.x.shape == (4, 49, 10, 1)
    assert samples.y.tolist() == [0, 11, 3, 3]
    assert (samples.name, samples.is_real) == ("set", True)
    assert not samples.x.flags.writeable


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"y": Y}, "key 'x' is missing"),
        ({}, "key 'x' is missing; key 'y' is missing"),
        (
            {"x": X[:, :48], "y": Y},
            "x has shape (4, 48, 10), expected [n, 49, 10] or [n, 49, 10, 1]",
        ),
        (
            {"x": X[0], "y": Y},
            "x has shape (49, 10), expected [n, 49, 10] or [n, 49, 10, 1]; "
            "y has shape (4,), expected (49,) as x",
        ),
        (
            {"x": np.int8(1), "y": Y},
            "x has shape (), expected [n, 49, 10] or [n, 49, 10, 1]",
        ),
        ({"x": X.astype(np.uint8), "y": Y}, "x has dtype uint8, expected int8"),
        ({"x": X.astype(np.float32), "y": Y}, "x has dtype float32, expected int8"),
        ({"x": X[:0], "y": Y[:0]}, "x holds no samples, expected at least one"),
        ({"x": X, "y": Y[:3]}, "y has shape (3,), expected (4,) as x"),
        ({"x": X, "y": Y[:, None]}, "y has shape (4, 1), expected (4,) as x"),
        ({"x": X, "y": Y.astype(float)}, "y has dtype float64, expected an integer type"),
        (
            {"x": X, "y": np.array([0, 12, 13, 1])},
            "y[1] is 12, expected a label in 0..11 (2 of 4 labels are wrong)",
        ),
        (
            {"x": X, "y": np.array([0, 1, -1, 1])},
            "y[2] is -1, expected a label in 0..11 (1 of 4 labels are wrong)",
        ),
        (
            {"x": X[:, :3].astype(np.int16), "y": np.array([99, 0, 0, 0])},
            "x has shape (4, 3, 10), expected [n, 49, 10] or [n, 49, 10, 1]; "
            "x has dtype int16, expected int8; "
            "y[0] is 99, expected a label in 0..11 (1 of 4 labels are wrong)",
        ),
    ],
)
def test_wrong_content_is_reported_as_a_whole(
    tmp_path: Path, config: Config, arrays: dict[str, np.ndarray], problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, config, **arrays)
    assert str(caught.value) == f"data file {tmp_path / 'set.npz'}: {problem}.\n{STORE}"


def test_float_samples_must_be_finite(tmp_path: Path, config: Config) -> None:
    model = config.model("kws").model_copy(update={"raw_dtype": "float32"})
    x = X.astype(np.float32)
    x[2, 1, 5] = np.nan
    path = tmp_path / "set.npz"
    np.savez(path, x=x, y=Y)
    with pytest.raises(DataError, match=r"x holds NaN or infinity, first at \(2, 1, 5\)"):
        load_samples(Source(path, True), model)


def _truncated(path: Path) -> None:
    np.savez_compressed(path, x=np.arange(490 * 40, dtype=np.int8).reshape(-1, 49, 10), y=Y)
    path.write_bytes(path.read_bytes()[:-200])


def _damaged_inside(path: Path) -> None:
    np.savez(path, x=X, y=Y)
    content = bytearray(path.read_bytes())
    content[600] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not an archive"),
        lambda path: path.write_bytes(b"PK\x03\x04 not an archive"),
        lambda path: np.savez(path, x=np.array([{}], object), y=Y),
        lambda path: np.save(path.open("wb"), X),
        _truncated,
        _damaged_inside,
    ],
)
def test_unreadable_file_is_an_error(tmp_path: Path, config: Config, spoil) -> None:
    path = tmp_path / "set.npz"
    spoil(path)
    with pytest.raises(DataError) as caught:
        load_samples(Source(path, True), config.model("kws"))
    first, last = str(caught.value).splitlines()
    assert first.startswith(f"data file {path} is not a readable .npz: ")
    assert last == (
        "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled objects."
    )


def test_given_file_must_exist(tmp_path: Path, config: Config) -> None:
    with pytest.raises(DataError) as caught:
        find_samples(config, "kws", tmp_path / "none.npz")
    assert str(caught.value) == (
        f"data file {tmp_path / 'none.npz'} does not exist.\n"
        "  Give an existing .npz file with --data."
    )


def test_data_folder_comes_before_the_shipped_samples(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path / "sets"))
    monkeypatch.setattr(data, "SHIPPED", tmp_path)
    (tmp_path / "kws.npz").touch()
    (tmp_path / "sets").mkdir()
    assert find_samples(config, "kws") == Source(tmp_path / "kws.npz", is_real=False)
    for name in ("kws_test.npz", "kws_test_dev.npz"):
        (tmp_path / "sets" / name).touch()
        assert find_samples(config, "kws") == Source(tmp_path / "sets" / name, is_real=True)


def test_missing_samples_name_every_place_and_the_command_that_fetches_them(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path / "sets"))
    monkeypatch.setattr(data, "SHIPPED", tmp_path)
    with pytest.raises(DataError) as caught:
        find_samples(config, "kws")
    assert str(caught.value) == (
        "no samples for 'kws': none of these files exists: "
        f"{tmp_path}/sets/kws_test_dev.npz, {tmp_path}/sets/kws_test.npz, {tmp_path}/kws.npz.\n"
        "  Fetch the official test set: python flow/build.py fetch kws\n"
        "  Or name the data folder in config.yaml (data.folder) or SHIFTFLOW_DATA, "
        "or give a file with --data FILE.npz."
    )


@pytest.fixture
def folders(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> tuple[Config, Path, Path]:
    """A configuration, its data folder and the repository's own; neither folder exists."""
    monkeypatch.delenv("SHIFTFLOW_DATA", raising=False)
    monkeypatch.setattr(data, "LOCAL_DATA", tmp_path / "local")
    elsewhere = config.data.model_copy(update={"folder": tmp_path / "shared"})
    return config.model_copy(update={"data": elsewhere}), tmp_path / "shared", tmp_path / "local"


def test_samples_fetched_into_the_repository_are_found_after_the_data_folders(
    folders: tuple[Config, Path, Path],
) -> None:
    config, shared, local = folders
    for folder, name in ((local, "kws_test.npz"), (shared, "kws_test.npz")):
        folder.mkdir()
        (folder / name).touch()
        assert find_samples(config, "kws").path == folder / name


def test_fetch_goes_to_the_data_folder_if_it_can_be_written_to_else_into_the_repository(
    folders: tuple[Config, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, shared, local = folders
    assert fetch_folder(config) == local
    shared.mkdir()
    assert fetch_folder(config) == shared
    with monkeypatch.context() as patched:  # not by chmod: the superuser writes everywhere
        patched.setattr(data.os, "access", lambda path, mode: path != shared)
        assert fetch_folder(config) == local


def test_fetch_goes_to_the_folder_of_the_environment_even_if_it_must_be_made(
    folders: tuple[Config, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, shared, local = folders
    shared.mkdir()
    local.mkdir()
    monkeypatch.setenv("SHIFTFLOW_DATA", str(shared.parent / "new"))
    assert fetch_folder(config) == shared.parent / "new"


@pytest.mark.parametrize(
    ("note", "read"),
    [(np.array("a subset"), "a subset"), (np.array(["a", "b"]), None), (np.array(3), None)],
)
def test_note_of_a_file_comes_with_its_samples(
    tmp_path: Path, config: Config, note: np.ndarray, read: str | None
) -> None:
    assert load(tmp_path, config, x=X, y=Y, note=note).note == read
    assert load(tmp_path, config, x=X, y=Y).note is None


def coded(images: np.ndarray) -> np.ndarray:
    """The lossless coding of RGB images [n, h, w, 3], modulo 256."""
    red, green, blue = np.moveaxis(images, -1, 0)
    planes = np.stack([green, red - green, blue - green], 1)
    for axis in (2, 3):
        planes = np.diff(planes, axis=axis, prepend=np.uint8(0))
    return planes


def test_coded_images_are_read_as_they_were(tmp_path: Path, config: Config) -> None:
    images = np.random.default_rng(3).integers(0, 256, (3, 96, 96, 3), np.uint8)
    np.savez(tmp_path / "set.npz", p=coded(images), y=np.array([0, 1, 1]))
    samples = load_samples(Source(tmp_path / "set.npz", True), config.model("vww_mbv2"))
    np.testing.assert_array_equal(samples.x, images)


def test_what_are_no_coded_images_is_told(tmp_path: Path, config: Config) -> None:
    np.savez(tmp_path / "set.npz", p=np.zeros((2, 96, 96, 3), np.uint8), y=np.array([0, 1]))
    with pytest.raises(DataError) as caught:
        load_samples(Source(tmp_path / "set.npz", True), config.model("vww"))
    assert str(caught.value) == (
        f"data file {tmp_path}/set.npz is not a readable .npz: its p is uint8 of shape "
        "(2, 96, 96, 3), expected coded images: uint8 [n, 3, h, w].\n"
        "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled objects."
    )


def test_networks_of_one_task_share_their_samples(
    folders: tuple[Config, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, shared, _ = folders
    shared.mkdir()
    (shared / "vww_test_dev.npz").touch()
    for name in ("vww", "vww_mbv2", "vww_effnet"):
        assert find_samples(config, name).path == shared / "vww_test_dev.npz"
    monkeypatch.setattr(data, "SHIPPED", shared / "none")
    with pytest.raises(DataError, match="fetch ad"):
        find_samples(config, "ad")


@pytest.mark.parametrize("model", ["kws", "ad", "ic", "vww", "vww_mbv2", "vww_effnet"])
def test_shipped_samples_are_few_small_and_enough_for_every_network(
    model: str, folders: tuple[Config, Path, Path]
) -> None:
    config, _, _ = folders
    source, settings = find_samples(config, model), config.model(model)
    assert not source.is_real
    assert source.path.stat().st_size < 100_000
    assert source.path.stem in data.SHIPPED_ARE
    samples = load_samples(source, settings)
    assert set(samples.y.tolist()) == set(range(settings.classes))
    assert len(frames_of(samples, settings.metric).y) >= settings.frames


def test_clips_of_one_label_have_no_auc_and_are_refused_at_once(
    tmp_path: Path, config: Config
) -> None:
    np.savez(tmp_path / "set.npz", x=np.zeros((3, 200, 128), np.float32), y=np.ones(3, int))
    with pytest.raises(DataError, match="y holds label 1 alone, but an AUC needs normal clips"):
        load_samples(Source(tmp_path / "set.npz", True), config.model("ad"))


def test_frames_are_drawn_from_all_labels_with_a_seed(tmp_path: Path, config: Config) -> None:
    labels = np.repeat(np.arange(12), [40, 1, *[5] * 10])
    x = np.zeros((len(labels), 49, 10), np.int8)
    samples = load(tmp_path, config, x=x, y=labels)
    chosen = pick_frames(samples, 24, seed=1)
    assert np.bincount(samples.y[chosen]).max() <= 3
    assert set(samples.y[chosen].tolist()) == set(range(12))
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert chosen.tolist() == pick_frames(samples, 24, seed=1).tolist()
    assert chosen.tolist() != pick_frames(samples, 24, seed=2).tolist()


def test_more_frames_than_samples_is_an_error(tmp_path: Path, config: Config) -> None:
    samples = load(tmp_path, config, x=X, y=Y)
    with pytest.raises(DataError) as caught:
        pick_frames(samples, 5, seed=1)
    assert str(caught.value) == (
        "5 frames were asked for, but 'set' holds 4 samples.\n  Choose --frames 4 or fewer."
    )
