"""Make `kws.npz` and `wav/*.wav`: words spoken by espeak-ng, for machines without real data.

    python models/samples/make_kws.py

Needs espeak-ng (`apt-get install espeak-ng`). The words are synthetic: they exercise the whole
flow with known labels, but an accuracy on them says nothing about people. The voices of `wav/` were
chosen among those that the shipped network recognises (tests/models/test_samples.py holds it to
that); `kws.npz` was not chosen.
"""

import subprocess
import sys
import wave
from pathlib import Path
from typing import Annotated

ROOT = Path(__file__).resolve().parent.parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  (the path above comes first)
import typer  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from flow.errors import ToolMissing  # noqa: E402
from models.labels import LABELS  # noqa: E402
from models.mfcc import CLIP_SAMPLES, RATE_HZ, codes, mfcc  # noqa: E402
from models.raw import RAW_INPUTS  # noqa: E402
from models.riff import decode  # noqa: E402
from models.wav import resample  # noqa: E402

TAKES = 10  # clips per class
OTHER_WORDS = (
    "bed", "bird", "cat", "dog", "happy", "house", "marvin", "three", "tree", "wow",
)  # fmt: skip
# espeak-ng voice, words per minute, pitch (0..99)
SPEAKERS = (
    ("en-us", 130, 45),
    ("en-us", 150, 60),
    ("en-us+f3", 130, 60),
    ("en-us+f2", 145, 55),
    ("en-us+m3", 130, 40),
    ("en-us+m7", 145, 50),
    ("en-gb", 130, 50),
    ("en-gb+f4", 140, 60),
    ("en-gb-x-rp", 130, 45),
    ("en-gb-scotland", 135, 50),
)
RECORDINGS = {
    "go": ("en-us", 150, 60),
    "left": ("en-gb", 130, 50),
    "no": ("en-gb", 140, 70),
    "right": ("en-gb+f4", 140, 60),
    "stop": ("en-us+f3", 120, 70),
    "yes": ("en-us", 130, 45),
}
ROOM_NOISE = 5.0  # deviation in a recording; speech reaches 10 000 and more
SEED = 2026
DEFAULT_OUT = Path(__file__).with_name("kws.npz")
DEFAULT_WAV = Path(__file__).with_name("wav")


def main(
    out: Annotated[Path, typer.Option(help="File to write.")] = DEFAULT_OUT,
    wav: Annotated[Path, typer.Option(help="Folder of the recordings to write.")] = DEFAULT_WAV,
) -> None:
    """Write the sample set and the recordings."""
    make(out)
    record(wav)
    typer.echo(f"wrote {out.name} and {len(RECORDINGS)} recordings")


def make(out: Path) -> None:
    """Write x int8 [n, 49, 10], y, word, voice, scale and zero_point.

    Raises:
        ToolMissing: espeak-ng is not installed.
    """
    rng, raw = np.random.default_rng(SEED), RAW_INPUTS["kws"]
    x, y, words, voices = [], [], [], []
    for label, name in enumerate(LABELS["kws"]):
        for take in range(TAKES):
            voice, words_per_minute, pitch = SPEAKERS[take]
            word = OTHER_WORDS[take] if name == "unknown" else name
            if name == "silence":
                voice, clip = "noise", background(rng, 10.0 ** rng.uniform(1.0, 3.0))
            else:
                spoken = speak(word, voice, words_per_minute, pitch)
                clip = place(spoken, rng) + background(rng, 10.0 ** rng.uniform(0.7, 1.8))
            x.append(codes(mfcc(to_pcm(clip))))
            y.append(label)
            words.append(word)
            voices.append(voice)
    np.savez_compressed(
        out,
        x=np.stack(x),
        y=np.array(y, np.uint8),
        word=np.array(words),
        voice=np.array(voices),
        scale=np.array([raw.scale], np.float32),
        zero_point=np.array([raw.zero_point], np.int32),
    )


def record(folder: Path) -> None:
    """Write one recording per word: one second, 16 kHz, mono, 16 bit, a trace of room noise.

    Raises:
        ToolMissing: espeak-ng is not installed.
    """
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    for word, speaker in RECORDINGS.items():
        pcm = to_pcm(place(speak(word, *speaker), rng) + background(rng, ROOM_NOISE))
        with wave.open(str(folder / f"{word}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(pcm.astype("<i2").tobytes())


def speak(word: str, voice: str, words_per_minute: int, pitch: int) -> NDArray[np.float64]:
    """Return a synthesised word at 16 kHz, without its silent ends.

    Raises:
        ToolMissing: espeak-ng is not installed.
    """
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch)]
    try:
        spoken = subprocess.run([*command, "--stdout", word], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise ToolMissing(
            "espeak-ng", "synthesising the words of kws.npz", "Run: apt-get install espeak-ng"
        ) from error
    recorded = decode(spoken.stdout, "espeak-ng --stdout")
    sound = resample(recorded.samples, recorded.rate_hz)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    trimmed: NDArray[np.float64] = sound[loud[0] : loud[-1] + 1]
    return trimmed


def place(sound: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Put a word near the middle of one second."""
    sound = sound[:CLIP_SAMPLES]
    room = CLIP_SAMPLES - len(sound)
    start = int(np.clip(room / 2 + rng.uniform(-1600, 1600), 0, room))
    clip = np.zeros(CLIP_SAMPLES)
    clip[start : start + len(sound)] = sound
    return clip


def to_pcm(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    """Round to the nearest sample value, saturating."""
    result: NDArray[np.int16] = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return result


def background(rng: np.random.Generator, level: float) -> NDArray[np.float64]:
    """Return one second of room noise (power falling with frequency) with this deviation."""
    spectrum = np.fft.rfft(rng.normal(size=CLIP_SAMPLES))
    frequency_hz = np.fft.rfftfreq(CLIP_SAMPLES, 1.0 / RATE_HZ)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency_hz, 50.0)), CLIP_SAMPLES)
    result: NDArray[np.float64] = noise * (level / noise.std())
    return result


if __name__ == "__main__":
    typer.run(main)
