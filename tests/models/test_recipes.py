"""Recipes of all benchmarks on synthetic data files: what they read, draw and measure."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from flow.errors import ConfigError, DataError
from models import fit, networks, recipes
from models.float_models import FILES
from models.recipes import ad, ic, images, vww
from tests.models.images_files import write_images


def write_clips(path: Path, count: int) -> None:
    rng = np.random.default_rng(list(path.name.encode()))
    x = rng.normal(-20, 5, (count, ad.FRAMES, ad.BINS)).astype(np.float32)
    np.savez(path, x=x, y=np.arange(count) % 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data files and float models, of the right shapes and of random content."""
    place = tmp_path_factory.mktemp("data")
    for name in (*ic.TRAIN_FILES, ic.TEST_FILE):
        write_images(place / name, 20, ic.SIZE, ic.CLASSES)
    write_images(place / vww.TRAIN_FILE, 6, vww.SIZE, vww.CLASSES)
    write_images(place / vww.UNLABELLED_FILE, 14, vww.SIZE, None)
    write_images(place / vww.TEST_FILE, 10, vww.SIZE, vww.CLASSES)
    for name in (ad.TRAIN_FILE, ad.TEST_FILE):
        write_clips(place / name, 20)
    for name in ("ad", "ic", "vww"):
        model = networks.build_float(name)
        if name != "ad":
            model = tf.keras.Model(model.input, tf.keras.layers.Softmax()(model.output))
        model.save(place / FILES[name])
    return place


@pytest.mark.parametrize("name", ["ad", "ic", "vww"])
def test_an_epoch_is_drawn_from_its_seed_alone(folder: Path, name: str) -> None:
    benchmark = recipes.prepare(name, folder, folder)
    task = benchmark.task(fit.Schedule(batch=8))
    one, other, third = (list(task.epoch(np.random.default_rng(seed), 8)) for seed in (1, 1, 2))
    assert len(one) == task.steps > 0
    for (x, y), (again_x, again_y) in zip(one, other, strict=True):
        np.testing.assert_array_equal(x, again_x)
        np.testing.assert_array_equal(y, again_y)
        assert x.shape[1:] == task.validation[0].shape[1:] == benchmark.calibration.shape[1:]
        assert y.shape[1:] == task.validation[1].shape[1:]
        assert x.dtype == y.dtype == np.float32
    assert not np.array_equal(one[0][0], third[0][0])
    assert np.isfinite(np.asarray(task.loss(one[0][1], one[0][1][:, : y.shape[1] // 2]))).all()


@pytest.mark.parametrize("name", ["ad", "ic", "vww"])
def test_the_metric_is_that_of_the_model_given(folder: Path, name: str) -> None:
    benchmark = recipes.prepare(name, folder, folder)
    found = benchmark.evaluate(benchmark.float_model)
    assert 0.0 <= found <= 1.0
    assert benchmark.test_samples == (20 if name != "vww" else 10)


def test_training_and_validation_share_no_image(folder: Path) -> None:
    benchmark = recipes.prepare("ic", folder, folder)
    task = benchmark.task(fit.Schedule(batch=8))
    assert task.samples == 72  # of 80
    shown = {x.tobytes() for x in task.validation[0]}
    train_x, _ = images.load_images(folder / ic.TRAIN_FILES[0], ic.SIZE, ic.CLASSES)
    assert len(shown) == 8 and not shown & {x.astype(np.float32).tobytes() for x in train_x}


def test_differences_of_clips_are_undone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(-2000, 2000, (3, ad.FRAMES, ad.BINS)).astype(np.int16)
    steps = np.diff(codes, axis=1, prepend=np.int16(0)).view(np.uint16)
    low, high = (steps & 255).astype(np.uint8), (steps >> 8).astype(np.uint8)
    np.savez(tmp_path / "x.npz", lo=low, hi=high, db_per_lsb=np.array([1 / 32]), y=np.zeros(3, int))
    x, _ = ad.load_clips(tmp_path / "x.npz")
    np.testing.assert_array_equal(x, codes / np.float32(32))


def test_shifted_images_hold_the_image_and_black(folder: Path) -> None:
    x = np.full((50, 8, 8, 3), 7, np.float32)
    moved = images.shift(x, 2, np.random.default_rng(0))
    assert moved.shape == x.shape
    kept = (moved[..., 0] == 7).sum(axis=(1, 2))
    assert set(kept) <= {(8 - a) * (8 - b) for a in range(3) for b in range(3)}
    assert kept.min() < 64 and kept.max() == 64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"q": np.zeros(3)}, "neither x nor p is in it (it has q)"),
        ({"x": np.zeros((2, 8, 8, 3), np.uint8)}, "uint8 of shape (2, 8, 8, 3), expected uint8"),
        ({"x": np.zeros((2, 32, 32, 3), np.uint8)}, "y must hold 2 integers"),
        (
            {"x": np.zeros((2, 32, 32, 3), np.uint8), "y": np.array([0, 10])},
            "y holds labels 0..10, expected 0..9",
        ),
    ],
)
def test_wrong_image_files_are_refused(tmp_path: Path, content: dict, message: str) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, **content)
    with pytest.raises(DataError) as caught:
        images.load_images(path, ic.SIZE, ic.CLASSES)
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_an_unknown_network_has_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="model 'resnet' cannot be trained"):
        recipes.prepare("resnet", tmp_path, tmp_path)


def test_a_float_network_is_trained_once(folder: Path, tmp_path: Path) -> None:
    benchmark = recipes.prepare("ad", folder, folder)
    task = benchmark.task(fit.Schedule(epochs=1, batch=512))
    tf.keras.utils.set_random_seed(1)
    first = fit.fit_float(networks.build_float("ad"), task, tmp_path, "trained.h5")
    stamp = (tmp_path / "trained.h5").stat().st_mtime_ns
    again = fit.fit_float(networks.build_float("ad"), task, tmp_path, "trained.h5")
    assert (tmp_path / "trained.h5").stat().st_mtime_ns == stamp
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_of_the_windows_are_coloured_alike_in_every_frame() -> None:
    curves = ad.colours(400, 2.0, np.random.default_rng(0)).reshape(400, ad.JOINED, ad.BINS)
    assert (curves == curves[:, :1]).all()
    plain = (curves == 0).all((1, 2))
    assert 160 < plain.sum() < 240
    coloured = curves[~plain, 0]
    assert 1.5 < coloured[:, [0, -1]].std() < 2.5  # both ends are points of the curve
    assert np.abs(np.diff(coloured)).max() < 12.0 * (ad.TONE_POINTS - 1) / (ad.BINS - 1)
