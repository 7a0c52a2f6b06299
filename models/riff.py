"""Reads RIFF/WAVE bytes: chunks, formats, samples.

An own reader, because the standard library's refuses what recorders and ffmpeg write every day:
WAVE_FORMAT_EXTENSIBLE, floats, and the lengths of a streamed file, which were never filled in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError

RATES_HZ = (8_000, 192_000)  # smallest and largest
MOST_SECONDS = 300
MOST_CHANNELS = 8
INTEGER_BITS, FLOAT_BITS = (8, 16, 24, 32), (32, 64)
FULL_SCALE = 32768.0  # of int16
STREAMED_BYTES = 0x7FFF0000  # a writer that cannot seek back leaves such a length, or 0


class Codec(IntEnum):
    """Format tags of the fmt chunk that are read. Source: Microsoft's mmreg.h."""

    PCM = 0x0001
    FLOAT = 0x0003
    EXTENSIBLE = 0xFFFE  # the true tag is in the extension


OTHER_CODECS = {
    0x0002: "MS ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10", 0x0050: "MPEG", 0x0055: "MP3", 0x00FF: "AAC", 0x0161: "WMA",
}  # fmt: skip
# what a file that is no WAV begins with
OTHER_FILES = (
    (b"ID3", "MP3"), (b"\xff\xfb", "MP3"), (b"\xff\xf3", "MP3"), (b"\xff\xf2", "MP3"),
    (b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"FORM", "AIFF"), (b"caff", "CAF"), (b"RF64", "RF64"),
    (b"RIFX", "big-endian RIFF"), (b"\x1aE\xdf\xa3", "WebM or Matroska"), (b"#!AMR", "AMR"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A whole recording: mono samples [n] in the range of int16 as float64, n >= 1."""

    samples: NDArray[np.float64]
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class _Format:
    """A checked fmt chunk."""

    codec: Codec
    channels: int
    rate_hz: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def decode(content: bytes, name: str) -> Sound:
    """Decode the bytes of a WAV file; `name` is used in errors only.

    A data chunk whose length was never filled in (a streamed file) reaches to the end of `content`.

    Raises:
        DataError: not RIFF/WAVE, truncated, no samples, another codec, a rate, width or number of
            channels out of range, samples that are not finite, or longer than five minutes.
    """
    fmt, data = _chunks(content, name)
    layout = _checked_format(fmt, name)
    frames = len(data) // layout.frame_bytes
    if frames == 0:
        raise wrong(name, "it holds 0 samples, expected at least one")
    if frames > MOST_SECONDS * layout.rate_hz:
        seconds = frames / layout.rate_hz
        raise wrong(name, f"it lasts {seconds:.0f} s, at most {MOST_SECONDS} are read", trim=True)
    with np.errstate(over="ignore", invalid="ignore"):  # floats of any size; tested below
        samples = _to_float(data[: frames * layout.frame_bytes], layout)
        mono = samples.reshape(frames, layout.channels).mean(axis=1)
    if not np.isfinite(mono).all():
        raise wrong(name, "it holds samples that are NaN or infinite")
    return Sound(mono, layout.rate_hz)


def _chunks(content: bytes, name: str) -> tuple[bytes, bytes]:
    """The bodies of the fmt and the data chunk."""
    if not content:
        raise wrong(name, "it is empty (0 bytes)")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise wrong(name, f"it is not a RIFF/WAVE file{_looks_like(content)}", convert=True)
    fmt, at = None, 12
    while at + 8 <= len(content):
        tag, length = struct.unpack_from("<4sI", content, at)
        there = len(content) - at - 8
        body = content[at + 8 : at + 8 + length]
        if tag == b"data":
            if fmt is None:
                raise wrong(name, "its data chunk comes before a fmt chunk", convert=True)
            return fmt, _data(content, at + 8, length, name)
        if length > there:
            raise wrong(name, f"truncated: its {_text(tag)} chunk has {there} of {length} bytes")
        if tag == b"fmt ":
            fmt = body
        at += 8 + length + length % 2
    missing = "fmt chunk" if fmt is None else "data chunk"
    raise wrong(name, f"it has no {missing} ({len(content)} bytes); it is truncated or no audio")


def _data(content: bytes, at: int, length: int, name: str) -> bytes:
    rest = content[at:]
    riff_bytes = int.from_bytes(content[4:8], "little")
    longer_than_said = riff_bytes + 8 < len(content) or riff_bytes >= STREAMED_BYTES
    if length >= STREAMED_BYTES or (length == 0 and longer_than_said):
        return rest
    if length > len(rest):
        raise wrong(name, f"truncated: its data chunk has {len(rest)} of {length} bytes")
    return rest[:length]


def _checked_format(fmt: bytes, name: str) -> _Format:
    if len(fmt) < 16:
        raise wrong(name, f"its fmt chunk has {len(fmt)} bytes, expected at least 16")
    tag, channels, rate_hz, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == Codec.EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    if tag not in (Codec.PCM, Codec.FLOAT):
        codec = f"0x{tag:04x}" + (f", {OTHER_CODECS[tag]}" if tag in OTHER_CODECS else "")
        raise wrong(name, f"its codec is {codec}; only PCM and IEEE float are read", convert=True)
    allowed = INTEGER_BITS if tag == Codec.PCM else FLOAT_BITS
    problems = []
    if bits not in allowed:
        problems.append(f"{bits} bits per sample, expected one of {', '.join(map(str, allowed))}")
    if not 1 <= channels <= MOST_CHANNELS:
        problems.append(f"{channels} channels, expected 1..{MOST_CHANNELS}")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        problems.append(f"a rate of {rate_hz} Hz, expected {RATES_HZ[0]}..{RATES_HZ[1]}")
    if not problems and frame_bytes != channels * bits // 8:
        problems.append(f"{frame_bytes} bytes per frame, expected {channels * bits // 8}")
    if problems:
        raise wrong(name, "it has " + "; ".join(problems), convert=True)
    return _Format(Codec(tag), channels, rate_hz, bits)


def _to_float(data: bytes, layout: _Format) -> NDArray[np.float64]:
    """Interleaved samples as float64, full scale 32768."""
    if layout.codec is Codec.FLOAT:
        return np.frombuffer(data, f"<f{layout.bits // 8}").astype(np.float64) * FULL_SCALE
    if layout.bits == 8:  # the only unsigned one
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if layout.bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0] / 65536.0
    integers = np.frombuffer(data, f"<i{layout.bits // 8}")
    return integers / 2.0 ** (layout.bits - 16)


def _looks_like(content: bytes) -> str:
    start = content[:12]
    kinds = [kind for magic, kind in OTHER_FILES if start.startswith(magic)]
    if start[4:8] == b"ftyp":
        kinds = ["MP4 or M4A"]
    return f" (it begins like {kinds[0]})" if kinds else f" (it begins with {start[:4]!r})"


def _text(tag: bytes) -> str:
    return repr(tag.decode("latin-1"))


def wrong(name: str, what: str, *, convert: bool = False, trim: bool = False) -> DataError:
    """Error about file `name`; `convert` and `trim` add the ffmpeg command that helps."""
    source, target = quote(name), quote(str(Path(name).with_suffix("")) + "-16k.wav")
    remedy = "Record or copy the file again."
    if convert or trim:
        cut = "-t 10 " if trim else ""
        remedy = f"Convert it: ffmpeg -i {source} {cut}-ar 16000 -ac 1 -c:a pcm_s16le {target}"
    return DataError(f"audio file {name}: {what}.\n  {remedy}")
