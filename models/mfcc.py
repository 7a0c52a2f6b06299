"""Speech to the kws network's input: the MFCC front end of MLPerf-Tiny, without TensorFlow.

Source: mlcommons/tiny, benchmark/training/keyword_spotting/get_dataset.py, that is tf.signal's
stft, linear_to_mel_weight_matrix and mfccs_from_log_mel_spectrograms (HTK's mel scale and DCT).
Spectrum and DCT are rounded as TensorFlow rounds them (`models/fft32.py` says why); the steps
between are rounded to float32 once, where TensorFlow may be one unit in the last place off.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from models.fft32 import dft, multiply
from models.raw import RAW_INPUTS

RATE_HZ = 16_000
CLIP_SAMPLES = 16_000  # one second
WINDOW, HOP, FFT = 480, 320, 512  # samples
FRAMES = 1 + (CLIP_SAMPLES - WINDOW) // HOP
MEL_BINS, MEL_LOW_HZ, MEL_HIGH_HZ = 40, 20.0, 4000.0
LOG_OFFSET = np.float32(1e-6)
COEFFICIENTS = 10

Float32 = NDArray[np.float32]


def mfcc(pcm: NDArray[np.int16]) -> Float32:
    """MFCC [..., 49, 10] of clips [..., n] of 16 kHz samples, 1 <= n <= 16000.

    A clip is divided by its greatest sample (not its greatest magnitude) and padded at its end with
    zeros to one second. A clip without a positive sample has no such divisor (TensorFlow gives NaN
    for all zeros); it counts as digital silence: every frame is that of zeros.

    Raises:
        DataError: not int16, no sample, or more than one second.
    """
    frames = _frames(_normalised(pcm))  # [512, clips * 49]
    real, imag = (part[: FFT // 2 + 1].astype(np.float64) for part in dft(frames))
    magnitude = np.sqrt(real * real + imag * imag).astype(np.float32)
    mel = (_mel_weights().T @ magnitude).astype(np.float32) + LOG_OFFSET
    features = _dct(np.log(mel.astype(np.float64)).astype(np.float32))
    return np.ascontiguousarray(features.T).reshape(*pcm.shape[:-1], FRAMES, COEFFICIENTS)


def codes(features: Float32) -> NDArray[np.int8]:
    """Raw network input: feature / scale + zero point, truncated toward zero, saturated.

    The truncation is the official files', not a rounding; any shape.
    """
    raw = RAW_INPUTS["kws"]
    real = features.astype(np.float32) / np.float32(raw.scale) + np.float32(raw.zero_point)
    result: NDArray[np.int8] = np.clip(np.trunc(real), raw.lo, raw.hi).astype(np.int8)
    return result


def _normalised(pcm: NDArray[np.int16]) -> Float32:
    """Samples over the clip's greatest one, [clips, 16000]."""
    if pcm.dtype != np.int16 or pcm.ndim == 0 or not 1 <= pcm.shape[-1] <= CLIP_SAMPLES:
        raise DataError(
            f"audio is {pcm.dtype} of shape {pcm.shape}, expected int16 [..., n] with "
            f"1 <= n <= {CLIP_SAMPLES} samples at {RATE_HZ} Hz.\n"
            "  Read it with models.wav.read_wav, which converts and cuts."
        )
    clips = pcm.reshape(-1, pcm.shape[-1]).astype(np.float32)
    peak = clips.max(axis=1, keepdims=True)
    padded = np.zeros((len(clips), CLIP_SAMPLES), np.float32)
    np.divide(clips, peak, out=padded[:, : clips.shape[1]], where=peak > 0)
    return padded


def _frames(clips: Float32) -> Float32:
    """Windowed frames as columns [512, clips * 49], zeros below the window's end."""
    views = np.lib.stride_tricks.sliding_window_view(clips, WINDOW, axis=1)[:, ::HOP]
    frames = np.zeros((FFT, len(clips) * FRAMES), np.float32)
    frames[:WINDOW] = (views * _hann()).reshape(-1, WINDOW).T
    return frames


def _dct(log_mel: Float32) -> Float32:
    """HTK's DCT-II [10, n] of columns [40, n], as the real DFT of twice the length."""
    real, imag = dft(np.concatenate([log_mel, np.zeros_like(log_mel)]))
    rotated, _ = multiply((real[:COEFFICIENTS], imag[:COEFFICIENTS]), _dct_rotation())
    scaled: Float32 = rotated * (np.float32(1) / np.sqrt(np.float32(2 * MEL_BINS)))
    return scaled


@cache
def _hann() -> Float32:
    """The periodic Hann window [480]."""
    angle = np.float32(2 * np.pi) * np.arange(WINDOW, dtype=np.float32) / np.float32(WINDOW)
    return np.float32(0.5) - np.float32(0.5) * np.cos(angle.astype(np.float64)).astype(np.float32)


@cache
def _mel_weights() -> NDArray[np.float64]:
    """Triangles [257, 40] on the mel scale, float32 values."""
    bins_hz = np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1, dtype=np.float32)
    low, high = _mel(np.array([MEL_LOW_HZ, MEL_HIGH_HZ], np.float32))
    step = (high - low) / np.float32(MEL_BINS + 1)
    edges = low + step * np.arange(MEL_BINS + 2, dtype=np.float32)
    edges[-1] = high
    at = _mel(bins_hz)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling).astype(np.float64))
    return weights


def _mel(hz: Float32) -> Float32:
    ratio = np.float32(1) + hz / np.float32(700)
    return np.float32(1127) * np.log(ratio.astype(np.float64)).astype(np.float32)


@cache
def _dct_rotation() -> tuple[Float32, Float32]:
    """2 exp(-i pi k / 80) as columns [10, 1]."""
    order = np.arange(COEFFICIENTS, dtype=np.float32)[:, None]
    angle = (order * np.float32(np.pi) * np.float32(0.5) / np.float32(MEL_BINS)).astype(np.float64)
    two = np.float32(2)
    return two * np.cos(angle).astype(np.float32), -two * np.sin(angle).astype(np.float32)
