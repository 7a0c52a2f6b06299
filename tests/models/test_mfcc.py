"""The MFCC front end: official codes, TensorFlow's own arithmetic, the textbook, odd audio."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from flow.config import load_config
from flow.errors import DataError
from models.fft32 import dft
from models.mfcc import codes, mfcc
from models.raw import RAW_INPUTS

OFFICIAL = load_config().data_folder / "kws_audio_dev.npz"
# a frame of zeros: TensorFlow's rounding, not mathematics, makes two of the zeros 82
SILENT_FRAME = [-128, 82, 83, 83, 83, 82, 83, 83, 83, 83]
REAL_TIME_FACTOR = 100


def speech_like(seed: int, samples: int = 16_000) -> np.ndarray:
    """A chirp with harmonics in noise, between stretches of digital silence."""
    rng = np.random.default_rng(seed)
    phase = np.arange(samples) * rng.uniform(0.02, 0.1) + np.arange(samples) ** 2 * 1e-6
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    envelope = np.clip(np.sin(np.linspace(-1, 5, samples)), 0, None)
    loud = 10.0 ** rng.uniform(1.5, 4)
    noise = rng.normal(size=samples) * (envelope > 0) * rng.uniform(0, 0.1)
    return np.clip((tone * envelope + noise) * loud, -32768, 32767).astype(np.int16)


def textbook_mfcc(pcm: np.ndarray) -> np.ndarray:
    """The recipe in float64, frame by frame and coefficient by coefficient."""
    x = np.zeros(16_000)
    x[: len(pcm)] = pcm / pcm.max()
    turns = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(480)) / 512)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 480)

    def mel(hz: float) -> float:
        return 2595 * np.log10(1 + hz / 700)

    edges = np.linspace(mel(20.0), mel(4000.0), 42)
    weights = np.zeros((257, 40))
    for frequency in range(257):
        for band in range(40):
            left, centre, right = edges[band : band + 3]
            at = mel(frequency * 8000 / 256)
            slope = min((at - left) / (centre - left), (right - at) / (right - centre))
            weights[frequency, band] = max(0.0, slope)
    result = np.zeros((49, 10))
    for frame in range(49):
        spectrum = np.abs(turns @ (x[320 * frame : 320 * frame + 480] * hann))
        log_mel = np.log(spectrum @ weights + 1e-6)
        for k in range(10):
            basis = np.cos(np.pi * k * (np.arange(40) + 0.5) / 40)
            result[frame, k] = np.sqrt(2 / 40) * (log_mel @ basis)
    return result


def tensorflow_mfcc(pcm: np.ndarray) -> np.ndarray:
    samples = tf.cast(pcm, tf.float32) / tf.cast(tf.reduce_max(pcm), tf.float32)
    samples = tf.pad(samples, [[0, 16_000 - len(pcm)]])
    spectrum = tf.abs(tf.signal.stft(samples, 480, 320, 512))
    mel = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 20.0, 4000.0)
    log_mel = tf.math.log(tf.tensordot(spectrum, mel, 1) + 1e-6)
    return tf.signal.mfccs_from_log_mel_spectrograms(log_mel)[:, :10].numpy()


# Official clips are not part of a checkout: with them every code is compared.
if OFFICIAL.is_file():

    def test_official_clips_give_exactly_the_official_codes() -> None:
        with np.load(OFFICIAL) as official:
            pcm, x, features = official["pcm"], official["x"], official["mfcc"]
        assert pcm.shape == (44, 16_000)
        np.testing.assert_array_equal(codes(mfcc(pcm)), x)
        np.testing.assert_allclose(mfcc(pcm), features, atol=1e-4)
        np.testing.assert_array_equal(codes(features), x)


@pytest.mark.parametrize("length", [16, 80, 512])
def test_dft_equals_tensorflow_bit_for_bit(length: int) -> None:
    x = np.random.default_rng(length).normal(size=(length, 7)).astype(np.float32)
    wanted = tf.signal.rfft(x.T).numpy().T
    real, imag = dft(x)
    np.testing.assert_array_equal(real[: length // 2 + 1], wanted.real)
    np.testing.assert_array_equal(imag[: length // 2 + 1], wanted.imag)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 8, 30, 64, 100])
def test_dft_equals_its_definition(length: int) -> None:
    x = np.random.default_rng(length).normal(size=length).astype(np.float32)
    real, imag = dft(x)
    np.testing.assert_allclose(real + 1j * imag, np.fft.fft(x.astype(np.float64)), atol=1e-4)


@pytest.mark.parametrize("samples", [16_000, 11_000, 480, 1])
def test_features_equal_tensorflow_and_the_textbook(samples: int) -> None:
    pcm = speech_like(samples, samples) if samples > 1 else np.array([7], np.int16)
    features = mfcc(pcm)
    assert features.shape == (49, 10) and features.dtype == np.float32
    np.testing.assert_allclose(features, tensorflow_mfcc(pcm), atol=1e-4)
    np.testing.assert_allclose(features, textbook_mfcc(pcm), atol=5e-3)


def test_codes_equal_tensorflow_on_many_clips() -> None:
    clips = [speech_like(seed, 8_000 + 200 * seed) for seed in range(40)]
    wanted = [codes(tensorflow_mfcc(clip)) for clip in clips]
    np.testing.assert_array_equal([codes(mfcc(clip)) for clip in clips], wanted)


def test_codes_truncate_toward_zero_and_saturate() -> None:
    scale = np.float32(RAW_INPUTS["kws"].scale)
    wanted = np.array([-200.0, -83.9, -84.1, 0.6, 44.9, 300.0], np.float32) * scale
    assert codes(wanted).tolist() == [-117, 0, -1, 83, 127, 127]
    assert codes(wanted[None]).dtype == np.int8


@pytest.mark.parametrize("value", [0, -1, -32768])
def test_audio_without_a_positive_sample_is_silence(value: int) -> None:
    assert codes(mfcc(np.full(9_000, value, np.int16))).tolist() == [SILENT_FRAME] * 49


def test_padding_is_digital_silence() -> None:
    assert codes(mfcc(speech_like(1, 8_000)))[25:].tolist() == [SILENT_FRAME] * 24


def test_loudness_does_not_matter() -> None:
    pcm = np.clip(speech_like(2), -8000, 8000)
    np.testing.assert_array_equal(mfcc(pcm), mfcc(pcm * np.int16(4)))


def test_a_batch_is_its_clips() -> None:
    clips = np.stack([speech_like(seed, 12_000) for seed in range(3)])
    clips[1] = 0
    batch = codes(mfcc(clips[None]))
    assert batch.shape == (1, 3, 49, 10)
    np.testing.assert_array_equal(batch[0], [codes(mfcc(clip)) for clip in clips])


@pytest.mark.parametrize(
    "pcm",
    [
        np.zeros(16_001, np.int16),
        np.zeros(0, np.int16),
        np.int16(3),
        np.zeros(16_000, np.float32),
    ],
)
def test_other_audio_is_refused(pcm: np.ndarray) -> None:
    with pytest.raises(DataError) as error:
        mfcc(pcm)
    assert str(error.value) == (
        f"audio is {pcm.dtype} of shape {pcm.shape}, expected int16 [..., n] with 1 <= n <= 16000 "
        "samples at 16000 Hz.\n  Read it with models.wav.read_wav, which converts and cuts."
    )


def test_it_is_much_faster_than_real_time(capsys: pytest.CaptureFixture[str]) -> None:
    pcm = speech_like(3)
    mfcc(pcm)  # constants are made once
    seconds = []
    for _ in range(20):
        start = time.process_time()  # of the process: other work on the machine does not count
        codes(mfcc(pcm))
        seconds.append(time.process_time() - start)
    with capsys.disabled():
        print(f" {1 / min(seconds):.0f} x real time", end="")
    assert 1 / min(seconds) >= REAL_TIME_FACTOR


def test_no_tensorflow_is_loaded() -> None:
    check = "import sys, flow.speech; sys.exit('tensorflow' in sys.modules)"
    folder = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", check], cwd=folder, check=False).returncode == 0
