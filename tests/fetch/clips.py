"""A small archive in the form of the Speech Commands test set."""

from __future__ import annotations

import io
import tarfile
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.labels import LABELS

WORDS = LABELS["kws"][:10]
NAMES = (
    *(f"{word}/0c40e715_nohash_{take}.wav" for word in WORDS for take in (1, 0)),
    "_silence_/1043.wav",
    "_unknown_/bed_4c7c95de_nohash_0.wav.wav",
)


def pcm(name: str, samples: int = 16_000) -> NDArray[np.int16]:
    """Noise of its own for each name."""
    rng = np.random.default_rng(list(name.encode()))
    return rng.integers(-2000, 2000, samples).astype(np.int16)


def wav(
    sound: NDArray[np.int16], *, rate_hz: int = 16_000, channels: int = 1, width: int = 2
) -> bytes:
    """A WAV file with these bytes, whatever its header then means."""
    file = io.BytesIO()
    with wave.open(file, "wb") as clip:
        clip.setnchannels(channels)
        clip.setsampwidth(width)
        clip.setframerate(rate_hz)
        clip.writeframes(sound.tobytes())
    return file.getvalue()


def official() -> dict[str, bytes]:
    """The members of a good archive, in no order."""
    members = {name: wav(pcm(name)) for name in reversed(NAMES)}
    return {"README.md": b"read me", **members, "LICENSE": b"CC BY 4.0"}


def archive(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write the .tar.gz; names begin with './', as in the official one."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
