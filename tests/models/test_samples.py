"""The shipped samples: how they are made, and that they are what they say."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from flow.errors import ToolMissing
from flow.frontend.extract import extract
from flow.graph import map_input, run
from flow.speech import read_speech, word_scores
from models.images import decode_images, encode_images
from models.samples import make_ad, make_kws, make_pictures
from models.wav import read_wav

SAMPLES = Path(make_kws.__file__).parent


def test_long_words_are_cut_to_one_second() -> None:
    assert make_kws.place(np.ones(20_000), np.random.default_rng(0)).shape == (16_000,)


def test_the_missing_synthesiser_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"'espeak-ng' is missing.*\n  Run: apt-get install"):
        make_kws.speak("yes", "en-us", 130, 45)


def test_there_is_a_recording_of_every_word() -> None:
    assert {path.stem for path in (SAMPLES / "wav").iterdir()} == set(make_kws.RECORDINGS)


@pytest.mark.parametrize("word", make_kws.RECORDINGS)
def test_recordings_are_one_second_of_clean_speech(word: str) -> None:
    path = SAMPLES / "wav" / f"{word}.wav"
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, 16_000, 16_000)
    pcm = read_wav(path).pcm.astype(float)
    assert 8_000 < np.abs(pcm).max() < 32_767
    quiet = np.sort([chunk.std() for chunk in pcm.reshape(100, 160)])[10]
    assert 0 < quiet < 20


def test_the_integer_network_recognises_every_recording() -> None:
    graph = extract("kws", "mpq")
    answers = {}
    for word in make_kws.RECORDINGS:
        speech = read_speech(SAMPLES / "wav" / f"{word}.wav")
        output = run(graph, map_input(graph, speech.codes)).reshape(-1)
        answers[word] = word_scores(graph, output)[0]
    assert {word: answer.word for word, answer in answers.items()} == {
        word: word for word in make_kws.RECORDINGS
    }
    assert min(answer.probability for answer in answers.values()) > 0.9


def test_made_again_pictures_and_clips_are_the_same(tmp_path: Path) -> None:
    make_pictures.make(tmp_path)
    make_ad.make(tmp_path / "ad.npz")
    for name in ("ad.npz", "ic.npz", "vww.npz"):
        with np.load(SAMPLES / name) as shipped, np.load(tmp_path / name) as made:
            assert sorted(shipped.files) == sorted(made.files)
            for key in shipped.files:
                np.testing.assert_array_equal(made[key], shipped[key])


def test_every_class_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    for name in make_pictures.PICTURES:
        assert make_pictures.draw(name, 16, rng).std() > 5


def test_images_are_coded_without_loss() -> None:
    x = np.random.default_rng(1).integers(0, 256, (3, 7, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_images(encode_images(x)), x)


def test_a_fault_changes_the_sound() -> None:
    for fault in make_ad.FAULTS.values():
        sound = make_ad.running(np.random.default_rng(3))
        assert np.abs(fault(sound.copy(), np.random.default_rng(4)) - sound).max() > 3


# The synthesiser is no part of set-up; another version of it may speak differently.
if shutil.which("espeak-ng"):

    def test_making_them_again_gives_the_same_files(tmp_path: Path) -> None:
        make_kws.make(tmp_path / "kws.npz")
        make_kws.record(tmp_path / "wav")
        with np.load(SAMPLES / "kws.npz") as shipped, np.load(tmp_path / "kws.npz") as made:
            assert sorted(shipped.files) == sorted(made.files)
            for key in shipped.files:
                np.testing.assert_array_equal(made[key], shipped[key])
        for path in (SAMPLES / "wav").iterdir():
            assert (tmp_path / "wav" / path.name).read_bytes() == path.read_bytes(), path.name
