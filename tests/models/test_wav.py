"""WAV files: widths, rates, channels, the loudest second, and the message of everything wrong."""

from __future__ import annotations

import contextlib
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from flow.errors import DataError
from models.riff import Codec, decode
from models.wav import loudest_second, read_wav

PCM = (np.random.default_rng(1).integers(-32768, 32768, 9000)).astype("<i2")
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def wav_bytes(
    data: bytes,
    *,
    rate_hz: int = 16_000,
    bits: int = 16,
    channels: int = 1,
    tag: int = 1,
    extensible: bool = False,
    data_length: int | None = None,
    riff_length: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A RIFF/WAVE file, written by hand so that any field can be wrong."""
    frame = channels * bits // 8
    outer = Codec.EXTENSIBLE if extensible else tag
    fmt = struct.pack(
        "<HHIIHH", outer, channels, rate_hz, rate_hz * frame & 0xFFFFFFFF, frame & 0xFFFF, bits
    )
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    length = len(data) if data_length is None else data_length
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", length) + data + after
    size = len(body) if riff_length is None else riff_length
    return b"RIFF" + struct.pack("<I", size) + body


def write(folder: Path, content: bytes, name: str = "take.wav") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def error_of(path: Path) -> list[str]:
    with pytest.raises(DataError) as error:
        read_wav(path)
    return str(error.value).split("\n  ")


def test_the_native_format_passes_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(PCM.tobytes())
    clip = read_wav(path)
    assert clip.pcm.dtype == np.int16 and not clip.pcm.flags.writeable
    np.testing.assert_array_equal(clip.pcm, PCM)
    assert (clip.offset_s, clip.duration_s, clip.rate_hz) == (0.0, 9000 / 16_000, 16_000)


def test_every_width_means_the_same_sound(tmp_path: Path) -> None:
    codes = np.array([-128, -127, -1, 0, 1, 5, 127])
    real = codes / 128.0
    wide = (codes << 16).astype("<i4")
    files = {
        "8": wav_bytes((codes + 128).astype(np.uint8).tobytes(), bits=8),
        "16": wav_bytes((codes << 8).astype("<i2").tobytes()),
        "24": wav_bytes(wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), bits=24),
        "32": wav_bytes((codes << 24).astype("<i4").tobytes(), bits=32),
        "f32": wav_bytes(real.astype("<f4").tobytes(), bits=32, tag=3),
        "f64": wav_bytes(real.astype("<f8").tobytes(), bits=64, tag=3),
        "x24": wav_bytes(
            wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), bits=24, extensible=True
        ),
        "xf32": wav_bytes(real.astype("<f4").tobytes(), bits=32, tag=3, extensible=True),
    }
    for name, content in files.items():
        clip = read_wav(write(tmp_path, content))
        assert clip.pcm.tolist() == (codes * 256).tolist(), name


def test_wide_samples_are_rounded_and_saturated(tmp_path: Path) -> None:
    halves = np.array([0.5, 1.5, -0.5, 2.4, 40_000, -40_000]) / 32768
    clip = read_wav(write(tmp_path, wav_bytes(halves.astype("<f8").tobytes(), bits=64, tag=3)))
    assert clip.pcm.tolist() == [0, 2, 0, 2, 32767, -32768]


def test_channels_are_averaged(tmp_path: Path) -> None:
    frames = np.array([[100, 300], [-32768, 32767], [7, 8]], "<i2")
    clip = read_wav(write(tmp_path, wav_bytes(frames.tobytes(), channels=2)))
    assert clip.pcm.tolist() == [200, 0, 8]  # -0.5 and 7.5 go to the even neighbour


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 192_000])
def test_other_rates_are_resampled(tmp_path: Path, rate_hz: int) -> None:
    def tone(rate: int) -> np.ndarray:
        time = np.arange(rate // 2) / rate
        return 9000 * np.sin(2 * np.pi * 440 * time) * np.sin(2 * np.pi * time) ** 2

    clip = read_wav(
        write(tmp_path, wav_bytes(tone(rate_hz).astype("<i2").tobytes(), rate_hz=rate_hz))
    )
    assert clip.rate_hz == rate_hz and abs(len(clip.pcm) - 8000) <= 1
    assert clip.duration_s == (rate_hz // 2) / rate_hz
    np.testing.assert_allclose(clip.pcm[:7999], tone(16_000)[:7999], atol=30)


def test_frequencies_above_the_new_band_are_removed(tmp_path: Path) -> None:
    tone = 9000 * np.sin(2 * np.pi * 12_000 * np.arange(44_100) / 44_100)
    clip = read_wav(write(tmp_path, wav_bytes(tone.astype("<i2").tobytes(), rate_hz=44_100)))
    assert np.abs(clip.pcm[500:-500]).max() < 20


def test_the_loudest_second_is_taken_with_the_word_in_its_middle(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    sound = rng.normal(size=80_000) * 20
    sound[50_000:56_000] += rng.normal(size=6_000) * 4000
    sound[10_000:12_000] += rng.normal(size=2_000) * 4000  # shorter, hence less energy
    clip = read_wav(write(tmp_path, wav_bytes(sound.astype("<i2").tobytes())))
    middle = 53_000 / 16_000 - 0.5
    assert clip.offset_s == pytest.approx(middle, abs=0.05)
    start = round(clip.offset_s * 16_000)
    np.testing.assert_array_equal(clip.pcm, sound.astype("<i2")[start : start + 16_000])


def test_the_loudest_second_has_the_most_energy() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        pcm = (rng.normal(size=40_000) * np.repeat(rng.uniform(0, 5000, 40), 1000)).astype(np.int16)
        energy = [
            float((pcm[i : i + 16_000].astype(float) ** 2).sum()) for i in range(0, 24_001, 50)
        ]
        start = loudest_second(pcm)
        mine = float((pcm[start : start + 16_000].astype(float) ** 2).sum())
        assert mine >= 0.99 * max(energy)


@pytest.mark.parametrize(("length", "start"), [(1, 0), (16_000, 0), (16_002, 1), (48_000, 16_000)])
def test_equally_loud_seconds_give_the_middle_one(length: int, start: int) -> None:
    assert loudest_second(np.full(length, 5, np.int16)) == start


def test_all_of_a_silent_recording_is_equally_loud() -> None:
    assert loudest_second(np.zeros(20_000, np.int16)) == 2000


@pytest.mark.parametrize(
    ("data_length", "riff_length"),
    [(0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF000, 0x7FFFF024), (0, 0), (0, 36), (0, 0xFFFFFFFF)],
)
def test_a_streamed_file_reaches_to_its_end(
    tmp_path: Path, data_length: int, riff_length: int
) -> None:
    content = wav_bytes(PCM.tobytes() + b"\x01", data_length=data_length, riff_length=riff_length)
    np.testing.assert_array_equal(read_wav(write(tmp_path, content)).pcm, PCM)


def test_other_chunks_are_passed_over(tmp_path: Path) -> None:
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    content = wav_bytes(PCM.tobytes(), before=odd, after=odd)
    np.testing.assert_array_equal(read_wav(write(tmp_path, content)).pcm, PCM)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    remedy = "Give a .wav file; models/samples/wav/ holds a few."
    path = tmp_path / "no.wav"
    assert error_of(path) == [f"audio file {path} does not exist.", remedy]
    assert error_of(tmp_path) == [f"audio file {tmp_path} is a folder.", remedy]
    os.mkfifo(tmp_path / "pipe")
    assert error_of(tmp_path / "pipe")[0].endswith("is no regular file.")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"ID3\x04\0\0\0\0\0", "it is not a RIFF/WAVE file (it begins like MP3)"),
        (b"\0\0\0\x20ftypM4A ", "it is not a RIFF/WAVE file (it begins like MP4 or M4A)"),
        (b"hello, world", "it is not a RIFF/WAVE file (it begins with b'hell')"),
        (b"RIFF\x04\0\0\0AVI ", "it is not a RIFF/WAVE file (it begins with b'RIFF')"),
        (b"RIFF\x04\0\0\0WAVE", "it has no fmt chunk (12 bytes); it is truncated or no audio"),
        (
            wav_bytes(PCM.tobytes())[:36],
            "it has no data chunk (36 bytes); it is truncated or no audio",
        ),
        (wav_bytes(PCM.tobytes())[:30], "truncated: its 'fmt ' chunk has 10 of 16 bytes"),
        (
            wav_bytes(PCM.tobytes())[:-1000],
            "truncated: its data chunk has 17000 of 18000 bytes",
        ),
        (wav_bytes(b""), "it holds 0 samples, expected at least one"),
        (wav_bytes(b"\1"), "it holds 0 samples, expected at least one"),
        (wav_bytes(b"", after=b"LIST\1\0\0\0a\0"), "it holds 0 samples, expected at least one"),
        (
            wav_bytes(b"\0" * 99, tag=6, bits=8),
            "its codec is 0x0006, A-law; only PCM and IEEE float are read",
        ),
        (
            wav_bytes(b"\0" * 99, tag=0x55, bits=8, extensible=True),
            "its codec is 0x0055, MP3; only PCM and IEEE float are read",
        ),
        (wav_bytes(b"\0" * 99, tag=0x77), "its codec is 0x0077; only PCM and IEEE float are read"),
        (
            wav_bytes(b"\0" * 96, rate_hz=4_000),
            "it has a rate of 4000 Hz, expected 8000..192000",
        ),
        (
            wav_bytes(b"\0" * 96, rate_hz=0, bits=12, channels=0),
            "it has 12 bits per sample, expected one of 8, 16, 24, 32; 0 channels, expected 1..8; "
            "a rate of 0 Hz, expected 8000..192000",
        ),
        (
            wav_bytes(b"\0" * 96).replace(b"\x02\0\x10\0", b"\x03\0\x10\0"),
            "it has 3 bytes per frame, expected 2",
        ),
        (
            wav_bytes(np.array([1, np.nan], "<f4").tobytes(), tag=3, bits=32),
            "it holds samples that are NaN or infinite",
        ),
        (
            wav_bytes(np.array([1e308, -1e308], "<f8").tobytes(), tag=3, bits=64, channels=2),
            "it holds samples that are NaN or infinite",
        ),
        (
            wav_bytes(b"\x80" * 8000 * 301, bits=8, rate_hz=8000),
            "it lasts 301 s, at most 300 are read",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = write(tmp_path, content)
    message, remedy = error_of(path)
    assert message == f"audio file {path}: {what}."
    assert remedy.startswith(("Record or copy the file again.", "Convert it: ffmpeg -i "))


def test_the_remedy_is_a_command_that_can_be_pasted(tmp_path: Path) -> None:
    path = write(tmp_path, b"ID3\x04" * 9, "my take.mp3.wav")
    assert error_of(path)[1] == (
        f"Convert it: ffmpeg -i '{path}' -ar 16000 -ac 1 -c:a pcm_s16le "
        f"'{tmp_path}/my take.mp3-16k.wav'"
    )


def test_every_cut_of_a_file_is_an_error_or_its_sound() -> None:
    whole = wav_bytes(PCM[:20].tobytes(), extensible=True, before=b"JUNK\4\0\0\0abcd")
    for length in range(len(whole)):
        with pytest.raises(DataError, match=r"audio file cut"):
            decode(whole[:length], "cut")
    assert len(decode(whole, "cut").samples) == 20


def test_random_damage_never_crashes() -> None:
    rng = np.random.default_rng(4)
    whole = np.frombuffer(wav_bytes(PCM[:40].tobytes(), extensible=True), np.uint8)
    for _ in range(3000):
        damaged = whole.copy()
        damaged[rng.integers(0, 70, 3)] = rng.integers(0, 256, 3)
        with contextlib.suppress(DataError):
            assert np.isfinite(decode(damaged.tobytes(), "damaged").samples).all()
