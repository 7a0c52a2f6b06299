"""The archive's clips: labels, names, codes; and members that have no business there."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from flow.errors import DataError
from flow.fetch.speech_commands import Arrays, speech_commands
from models.labels import LABELS
from models.mfcc import codes, mfcc
from models.raw import RAW_INPUTS
from tests.fetch.clips import NAMES, archive, official, pcm, wav


def convert(path: Path) -> Arrays:
    return speech_commands(path, lambda done, total: None)


def test_clips_are_sorted_and_carry_label_name_speaker_and_codes(tmp_path: Path) -> None:
    found = convert(archive(tmp_path / "set.tar.gz", official()))
    assert found["name"].tolist() == sorted(NAMES)
    folders = [name.split("/")[0] for name in found["name"]]
    assert [LABELS["kws"][label] for label in found["y"]] == [one.strip("_") for one in folders]
    speakers = dict(zip(found["name"], found["speaker"], strict=True))
    assert speakers["down/0c40e715_nohash_0.wav"] == "0c40e715"
    assert speakers["_unknown_/bed_4c7c95de_nohash_0.wav.wav"] == "4c7c95de"
    assert speakers["_silence_/1043.wav"] == ""
    expected = [codes(mfcc(pcm(name))) for name in sorted(NAMES)]
    np.testing.assert_array_equal(found["x"], expected)
    assert (found["x"].dtype, found["y"].dtype) == (np.int8, np.uint8)
    assert found["scale"] == np.float32(RAW_INPUTS["kws"].scale)
    assert found["zero_point"] == RAW_INPUTS["kws"].zero_point


def test_progress_counts_the_archive_and_ends_at_its_size(tmp_path: Path) -> None:
    path = archive(tmp_path / "set.tar.gz", official())
    steps: list[tuple[int, int]] = []
    speech_commands(path, lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)


def test_shorter_clip_is_padded(tmp_path: Path) -> None:
    short = pcm("short", 9_000)
    found = convert(archive(tmp_path / "set.tar.gz", {"up/a.wav": wav(short)}))
    np.testing.assert_array_equal(found["x"], [codes(mfcc(short))])


def test_hostile_and_foreign_members_are_passed_over(tmp_path: Path) -> None:
    clip = wav(pcm("x"))
    outside = tmp_path / "outside.wav"
    path = tmp_path / "set.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("../up/a.wav", f"{tmp_path}/outside.wav", "up/../../b.wav", "bird/c.wav",
                     "up/deeper.wav/d.wav", "up/._e.txt", "f.wav", "up/good.wav"):  # fmt: skip
            info = tarfile.TarInfo(name)
            info.size = len(clip)
            tar.addfile(info, io.BytesIO(clip))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("up/link.wav")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    assert convert(path)["name"].tolist() == ["up/good.wav"]
    assert not outside.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["set.tar.gz"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (wav(pcm("x"), rate_hz=8_000), "has 1 channels of 16 bits at 8000 Hz"),
        (wav(pcm("x"), channels=2), "has 2 channels of 16 bits at 16000 Hz"),
        (wav(pcm("x"), width=1), "has 1 channels of 8 bits at 16000 Hz"),
        (wav(pcm("x", 16_001)), "has 16001 samples"),
        (wav(pcm("x", 0)), "has 0 samples"),
        (b"ID3 music", "is not a WAV file (file does not start with RIFF id)"),
        (b"", "is not a WAV file (it ends too early)"),
    ],
)
def test_clip_of_another_form_is_an_error(tmp_path: Path, content: bytes, problem: str) -> None:
    path = archive(tmp_path / "set.tar.gz", {"up/a.wav": content})
    with pytest.raises(DataError) as caught:
        convert(path)
    assert str(caught.value) == (
        f"{path}, clip 'up/a.wav' {problem}; expected 1 to 16000 samples, 1 channel of 16 bits at "
        "16000 Hz.\n  This is not the official archive: delete it and run the same command again."
    )


@pytest.mark.parametrize("spoil", [
    lambda content: b"no archive",
    lambda content: content[: len(content) // 2],
    lambda content: content[:2000] + bytes([content[2000] ^ 0xFF]) + content[2001:],
])  # fmt: skip
def test_damaged_archive_is_an_error(tmp_path: Path, spoil) -> None:
    path = archive(tmp_path / "set.tar.gz", official())
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError) as caught:
        convert(path)
    first, last = str(caught.value).splitlines()
    assert first.startswith(f"archive {path} cannot be read: ")
    assert last == "  Delete it and run the same command again."
