"""WAV files to what the kws front end takes: at most one second of 16 kHz mono int16."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly  # type: ignore[import-untyped]

from flow.errors import DataError
from models.mfcc import CLIP_SAMPLES, RATE_HZ
from models.riff import Sound, decode, wrong

MOST_BYTES = 1 << 29  # five minutes of stereo float32 at 192 kHz fit
SAME_ENERGY = 0.99  # seconds with this share of the greatest energy count as equally loud


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """At most one second of a recording, for `models.mfcc.mfcc`."""

    pcm: NDArray[np.int16]  # [n], 1 <= n <= 16000, at 16 kHz
    offset_s: float  # where in the recording it begins
    duration_s: float  # of the whole recording
    rate_hz: int  # of the recording, before resampling

    def __post_init__(self) -> None:
        self.pcm.flags.writeable = False


def read_wav(path: Path) -> Clip:
    """Read a WAV file: integers of 8 to 32 bit or floats, 8 to 192 kHz, up to 8 channels.

    Channels are averaged, the rate becomes 16 kHz, samples are rounded to int16 (half to even) and
    saturated; 16 kHz mono int16 passes unchanged. Of more than one second the loudest is taken
    (`loudest_second`).

    Raises:
        DataError: missing, unreadable, not such a file, truncated, or longer than five minutes.
    """
    return to_clip(decode(_content(path), str(path)))


def to_clip(sound: Sound) -> Clip:
    """Resample, round to int16 and cut a recording to its loudest second."""
    at_rate = resample(sound.samples, sound.rate_hz)
    pcm = np.clip(np.rint(at_rate), -32768, 32767).astype(np.int16)
    start = loudest_second(pcm)
    cut = pcm[start : start + CLIP_SAMPLES].copy()
    return Clip(cut, start / RATE_HZ, sound.duration_s, sound.rate_hz)


def resample(samples: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """Samples [n] at 16 kHz; unchanged when they already are."""
    if rate_hz == RATE_HZ:
        return samples
    result: NDArray[np.float64] = resample_poly(samples, RATE_HZ, rate_hz)
    return result


def loudest_second(pcm: NDArray[np.int16]) -> int:
    """Index at which the second with the most energy begins; 0 when there is at most one second.

    A short word lies wholly in many seconds, all nearly equal: of those around the loudest that
    have 99 % of its energy the middle one is taken, which puts the word into the middle.
    """
    if len(pcm) <= CLIP_SAMPLES:
        return 0
    total = np.concatenate([[0], np.cumsum(pcm.astype(np.int64) ** 2)])
    energy = total[CLIP_SAMPLES:] - total[:-CLIP_SAMPLES]
    best = int(energy.argmax())
    quieter = np.flatnonzero(energy < SAME_ENERGY * energy[best])
    place = int(np.searchsorted(quieter, best))
    first = int(quieter[place - 1]) + 1 if place > 0 else 0
    last = int(quieter[place]) - 1 if place < len(quieter) else len(energy) - 1
    return (first + last) // 2


def _content(path: Path) -> bytes:
    remedy = "Give a .wav file; models/samples/wav/ holds a few."
    try:
        if not path.exists():
            raise DataError(f"audio file {path} does not exist.\n  {remedy}")
        if not path.is_file():  # a device or a pipe may never end
            kind = "a folder" if path.is_dir() else "no regular file"
            raise DataError(f"audio file {path} is {kind}.\n  {remedy}")
        size = path.stat().st_size
        if size > MOST_BYTES:
            what = f"it has {size} bytes, at most {MOST_BYTES} are read"
            raise wrong(str(path), what, trim=True)
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"audio file {path} cannot be read: {error.strerror}.\n  {remedy}"
        ) from error
