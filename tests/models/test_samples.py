"""The MFCC front end of the self-made samples."""

from pathlib import Path

import numpy as np
import pytest

from models.samples.make_kws import background, codes, compare, mfcc, place

OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "kws_audio_dev.npz"


def reference_mfcc(pcm: np.ndarray) -> np.ndarray:
    """The recipe in float64 NumPy, from its definition."""
    x = np.zeros(16_000)
    x[: len(pcm)] = pcm / pcm.max()
    frames = np.stack([x[start : start + 480] for start in range(0, 16_000 - 479, 320)])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 480)
    spectrum = np.abs(np.fft.rfft(frames * hann, 512))

    def mel(hz: np.ndarray | float) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(hz) / 700.0)

    edges = np.linspace(mel(20.0), mel(4000.0), 42)
    at = mel(np.linspace(0, 8000, 257))[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # TensorFlow leaves the constant component out
    log_mel = np.log(spectrum @ weights + 1e-6)
    k, n = np.arange(10)[:, None], np.arange(40)
    return log_mel @ (np.cos(np.pi * k * (2 * n + 1) / 80).T * np.sqrt(2 / 40))


@pytest.mark.parametrize("samples", [16_000, 11_000])
def test_mfcc_equals_its_definition(samples: int) -> None:
    rng = np.random.default_rng(1)
    tone = 9000 * np.sin(np.arange(samples) ** 2 * 1e-5)
    pcm = (tone + background(rng, 300.0)[:samples]).astype(np.int16)
    features = mfcc(pcm)
    assert features.shape == (49, 10)
    np.testing.assert_allclose(features, reference_mfcc(pcm), atol=5e-3)


def test_codes_truncate_toward_zero_and_saturate() -> None:
    scale = np.float32(0.5847029)
    wanted = np.array([-200.0, -83.9, -84.1, 0.6, 44.9, 300.0], np.float32) * scale
    assert codes(wanted).tolist() == [-117, 0, -1, 83, 127, 127]


def test_long_words_are_cut_to_one_second() -> None:
    assert place(np.ones(20_000), np.random.default_rng(0)).shape == (16_000,)


# Official clips are not part of a checkout: with them the recipe is held to their exact codes.
if OFFICIAL.is_file():

    def test_recipe_gives_the_official_codes() -> None:
        assert compare(OFFICIAL) == (44, 44)
