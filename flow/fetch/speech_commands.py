"""Turns the Speech Commands test archive into labelled MFCC codes."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import wave
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from flow.fetch.download import Progress

RATE_HZ = 16_000
MAX_SAMPLES = 16_000  # one second
MAX_CLIP_BYTES = 1 << 20  # 30 times a clip; more of a member is not read
SPEAKER = re.compile(r"(?:^|[/_])([0-9a-f]{8})_nohash_")

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    name: str  # <folder>/<file>, as in the archive
    label: int
    codes: NDArray[np.int8]  # [49, 10]

    @property
    def speaker(self) -> str:
        """Whose voice it is, '' where the name does not say (silence)."""
        found = SPEAKER.search(self.name)
        return found[1] if found else ""


def speech_commands(path: Path, progress: Progress) -> Arrays:
    """Labelled clips of the archive at `path`, sorted by name.

    Nothing is unpacked to disk: clips are read from the stream one by one, and a member's name only
    selects its label. Members outside the twelve folders, and whatever is not a regular file, are
    passed over.

    Args:
        path: the .tar.gz.
        progress: called with the bytes of the archive that were read, and its size.

    Returns:
        x int8 [n, 49, 10], y uint8 [n] (place in `models.labels.LABELS["kws"]`), name and speaker
        str [n] (speaker '' for silence), scale float32 [1] and zero_point int32 [1] of x.

    Raises:
        DataError: the archive is damaged, or a clip is not at most one second of 16 kHz mono.
    """
    from models.raw import RAW_INPUTS

    raw = RAW_INPUTS["kws"]
    clips = sorted(_clips(path, progress), key=lambda clip: clip.name)
    return {
        "x": np.array([clip.codes for clip in clips], np.int8).reshape(-1, 49, 10),
        "y": np.array([clip.label for clip in clips], np.uint8),
        "name": np.array([clip.name for clip in clips], np.str_),
        "speaker": np.array([clip.speaker for clip in clips], np.str_),
        "scale": np.array([raw.scale], np.float32),
        "zero_point": np.array([raw.zero_point], np.int32),
    }


def _clips(path: Path, progress: Progress) -> Iterator[_Clip]:
    from models.mfcc import codes, mfcc

    labels = _labels()
    for name, content in _wav_members(path, frozenset(labels), progress):
        pcm = _pcm(content, f"{path}, clip {name!r}")
        yield _Clip(name, labels[name.split("/")[0]], codes(mfcc(pcm)))


def _labels() -> Mapping[str, int]:
    """Label of each folder; those of silence and unknown have underscores around the name."""
    from models.labels import LABELS

    special = ("silence", "unknown")
    names = LABELS["kws"]
    return {f"_{name}_" if name in special else name: label for label, name in enumerate(names)}


def _wav_members(
    path: Path, folders: frozenset[str], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    """Name and content of the .wav files in `folders`, in the order of the archive."""
    size = path.stat().st_size
    try:
        with (
            path.open("rb") as file,
            gzip.open(file) as content,
            tarfile.open(fileobj=content, mode="r|") as archive,
        ):
            for member in archive:
                parts = PurePosixPath(member.name).parts
                stream = archive.extractfile(member) if member.isreg() else None
                if stream and len(parts) == 2 and parts[0] in folders and parts[1].endswith(".wav"):
                    yield "/".join(parts), stream.read(MAX_CLIP_BYTES)
                progress(file.tell(), size)
            while content.read(MAX_CLIP_BYTES):  # to the end, where the check sum is
                pass
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(
            f"archive {path} cannot be read: {error}.\n  Delete it and run the same command again."
        ) from error


def _pcm(content: bytes, where: str) -> NDArray[np.int16]:
    """Samples of a clip, which must need neither mixing nor resampling.

    `models.wav` reads any file; here a clip of another form would mean another data set.
    """
    try:
        with wave.open(io.BytesIO(content)) as clip:
            form = (clip.getnchannels(), 8 * clip.getsampwidth(), clip.getframerate())
            pcm = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
    except (wave.Error, EOFError, ValueError) as error:  # ValueError: half a sample
        raise _unexpected(
            where, f"is not a WAV file ({str(error) or 'it ends too early'})"
        ) from error
    if form != (1, 16, RATE_HZ):
        channels, bits, rate_hz = form
        raise _unexpected(where, f"has {channels} channels of {bits} bits at {rate_hz} Hz")
    if not 0 < len(pcm) <= MAX_SAMPLES:
        raise _unexpected(where, f"has {len(pcm)} samples")
    return pcm.astype(np.int16)


def _unexpected(where: str, what: str) -> DataError:
    return DataError(
        f"{where} {what}; expected 1 to {MAX_SAMPLES} samples, 1 channel of 16 bits at "
        f"{RATE_HZ} Hz.\n  This is not the official archive: delete it and run the same command "
        "again."
    )
