"""Make `ad.npz`: log-mel spectrograms of a machine that does not exist, some with a fault.

    python models/samples/make_ad.py

The licence of the real recordings does not let them be shipped. These clips have their shape, their
levels and their fluctuations, so that the whole flow runs on them; but no network was trained on
this machine, so an AUC on them says nothing.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

Clip = NDArray[np.float64]  # [200, 128] dB, mel bins from low to high

TAKES = 4  # clips without a fault
FRAMES, BINS = 200, 128
STEP_DB = 2.0  # levels are multiples of it: with finer ones the file would be large
NOISE_DB = 1.6
HARMONIC_BINS = (3, 9, 21, 38, 60)
SEED = 2026
DEFAULT_OUT = Path(__file__).with_name("ad.npz")


def main(out: Annotated[Path, typer.Option(help="File to write.")] = DEFAULT_OUT) -> None:
    """Write the sample set."""
    make(out)
    typer.echo(f"wrote {out.name}")


def make(out: Path) -> None:
    """Write x float32 [n, 200, 128], y (1: a fault) and the name of the fault."""
    rng = np.random.default_rng(SEED)
    clips = [running(rng) for _ in range(TAKES)]
    clips += [spoil(running(rng), rng) for spoil in FAULTS.values()]
    x = np.rint(np.stack(clips) / STEP_DB) * STEP_DB
    _save(
        out,
        x=x.astype(np.float32),
        y=np.repeat([0, 1], [TAKES, len(FAULTS)]).astype(np.uint8),
        fault=np.array([""] * TAKES + list(FAULTS)),
    )


def _save(out: Path, **arrays: NDArray[np.generic]) -> None:
    """An .npz with members in bzip2: of floats, deflate leaves half as much again."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # of a fixed date, unlike a name alone
            member.compress_type = zipfile.ZIP_BZIP2
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def running(rng: np.random.Generator) -> Clip:
    """The machine as it should sound: a falling spectrum, harmonics, changes of load, noise."""
    bins, frames = np.arange(BINS), np.arange(FRAMES)[:, None]
    spectrum = -9.0 - 32.0 * bins / BINS - 35.0 * np.exp(-bins / 1.5)
    for harmonic in HARMONIC_BINS:
        spectrum += 5.0 * np.exp(-(((bins - harmonic) / 1.5) ** 2))
    load = 2.0 * np.sin(2 * np.pi * (frames / rng.uniform(60, 90) + rng.random()))
    clip: Clip = spectrum + load + rng.normal(0, NOISE_DB, (FRAMES, BINS))
    return clip


def whistle(clip: Clip, rng: np.random.Generator) -> Clip:
    """A tone that comes and goes."""
    at = int(rng.integers(70, 110))
    on = np.sin(2 * np.pi * np.arange(FRAMES) / 40) > 0
    clip[on, at : at + 3] += 18.0
    return clip


def knock(clip: Clip, rng: np.random.Generator) -> Clip:
    """A broad stroke at every turn."""
    clip[int(rng.integers(5)) :: 14] += 9.0
    return clip


def slip(clip: Clip, rng: np.random.Generator) -> Clip:
    """Turns slower: all of the sound is lower for a while."""
    start = int(rng.integers(40, 80))
    clip[start : start + 60] = np.roll(clip[start : start + 60], -4, axis=1)
    return clip


def rattle(clip: Clip, rng: np.random.Generator) -> Clip:
    """The upper half of the spectrum is louder."""
    clip[:, BINS // 2 :] += rng.uniform(4.0, 10.0, (FRAMES, 1))
    return clip


FAULTS: dict[str, Callable[[Clip, np.random.Generator], Clip]] = {
    "whistle": whistle, "knock": knock, "slip": slip, "rattle": rattle,
}  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
