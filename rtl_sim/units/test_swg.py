"""Sliding window generator: order, padding, replay and the promise of no bubbles."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from rtl_sim.harness import ProfileResult
from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

WORD_BITS = 20
PAD_WORD = 0xABCDE
FRAMES = 4
LATENCY = 7


@dataclass(frozen=True, slots=True)
class Geometry:
    """Parameters of one generator, in the words of the module."""

    h: int
    w: int
    kh: int
    kw: int
    sh: int
    sw: int
    pad_top: int
    pad_left: int
    oh: int
    ow: int
    folds: int = 1
    replay: int = 1
    depthwise: int = 0

    @property
    def in_words(self) -> int:
        return self.h * self.w * self.folds

    @property
    def out_words(self) -> int:
        return self.oh * self.ow * self.kh * self.kw * self.folds * self.replay

    @property
    def first_window_words(self) -> int:
        """Input words up to the end of the rows of the first window."""
        return min(self.kh - self.pad_top, self.h) * self.w * self.folds


def same(h: int, w: int, kh: int, kw: int, sh: int, sw: int, **more: int) -> Geometry:
    """Padding SAME as Keras computes it."""
    oh, ow = -(-h // sh), -(-w // sw)
    top, left = max((oh - 1) * sh + kh - h, 0) // 2, max((ow - 1) * sw + kw - w, 0) // 2
    return Geometry(h, w, kh, kw, sh, sw, top, left, oh, ow, **more)


def valid(h: int, w: int, kh: int, kw: int, sh: int, sw: int, **more: int) -> Geometry:
    """Padding VALID; rows and columns may be left over."""
    return Geometry(h, w, kh, kw, sh, sw, 0, 0, (h - kh) // sh + 1, (w - kw) // sw + 1, **more)


SPECIAL = [
    same(49, 10, 10, 4, 2, 2),  # first layer of keyword spotting
    valid(25, 5, 25, 5, 1, 1, folds=2, depthwise=1),  # global pool: two frames in the ring
    same(25, 5, 3, 3, 1, 1, folds=4, depthwise=1),
    same(25, 5, 1, 1, 1, 1, folds=4, replay=8),  # pointwise
    valid(1, 1, 1, 1, 1, 1, folds=8, replay=16),  # dense
    valid(1, 1, 1, 1, 1, 1),
    valid(1, 1, 1, 1, 1, 1, folds=1, replay=7),
    same(1, 1, 3, 3, 1, 1, folds=2),  # one pixel, all around it padding
    same(1, 1, 3, 3, 2, 2, folds=2, depthwise=1),
    valid(8, 8, 1, 1, 2, 2, folds=2, replay=3),  # K < S
    valid(9, 7, 2, 2, 3, 3, folds=2, replay=5),  # K < S, rows and columns left over
    valid(5, 5, 1, 1, 3, 3),  # thinner out than in: full rate cannot be
    same(16, 16, 3, 3, 2, 2, folds=1, replay=2),
    same(7, 1, 5, 1, 1, 1),
    same(1, 9, 1, 5, 1, 2),
    valid(4, 4, 4, 4, 4, 4, replay=2),
    same(3, 3, 5, 5, 1, 1),  # kernel larger than the map
]


def random_geometry(rng: random.Random) -> Geometry:
    while True:
        h, w = rng.randint(1, 9), rng.randint(1, 8)
        kh, kw = rng.randint(1, 5), rng.randint(1, 5)
        sh, sw = rng.randint(1, 3), rng.randint(1, 3)
        depthwise = rng.randint(0, 1)
        replay = 1 if depthwise and rng.random() < 0.7 else rng.choice([1, 2, 5])
        padding = same if rng.random() < 0.6 else valid
        made = padding(
            h, w, kh, kw, sh, sw, folds=rng.randint(1, 3), replay=replay, depthwise=depthwise
        )
        if made.oh > 0 and made.ow > 0:
            return made


def window_order(geometry: Geometry, frame: NDArray[np.int64]) -> NDArray[np.int64]:
    """Words of one frame [h, w, fold] in the order of the windows."""
    g = geometry
    bottom = max((g.oh - 1) * g.sh + g.kh - g.pad_top - g.h, 0)
    right = max((g.ow - 1) * g.sw + g.kw - g.pad_left - g.w, 0)
    around = ((g.pad_top, bottom), (g.pad_left, right), (0, 0))
    padded = np.pad(frame, around, constant_values=PAD_WORD)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (g.kh, g.kw), axis=(0, 1))
    windows = windows[:: g.sh, :: g.sw][: g.oh, : g.ow]  # [oy, ox, fold, ky, kx]
    if g.depthwise:
        ordered = np.repeat(windows[:, :, :, None], g.replay, axis=3)
    else:
        ordered = np.repeat(np.moveaxis(windows, 2, -1)[:, :, None], g.replay, axis=2)
    return ordered.reshape(-1)


def instance(geometry: Geometry, rng: np.random.Generator, style: str) -> Instance:
    frames = rng.integers(0, 1 << WORD_BITS, (FRAMES, geometry.h, geometry.w, geometry.folds))
    golden = np.concatenate([window_order(geometry, frame) for frame in frames])
    parameters = {name.upper(): value for name, value in asdict(geometry).items()}
    return Instance(
        "swg",
        {
            "WORD_BITS": WORD_BITS,
            **parameters,
            "PAD_WORD": PAD_WORD,
            "RAM_STYLE": style,
        },
        [Stream("s", WORD_BITS, frames.reshape(-1).tolist())],
        [Stream("m", WORD_BITS, golden.tolist())],
    )


def check_bubbles(geometries: list[Geometry], undisturbed: ProfileResult) -> None:
    """No bubble once the first window is there, if a frame has <= 80 % as many words in as out."""
    for geometry, tap in zip(geometries, undisturbed.taps, strict=True):
        if geometry.in_words > 0.8 * geometry.out_words:
            continue
        ends = tap.frame_end_cycles
        spacing = [after - before for before, after in pairwise(ends)]
        assert spacing == [geometry.out_words] * (FRAMES - 1), tap.label
        assert tap.bubbles <= geometry.first_window_words + LATENCY, tap.label


def check(name: str, geometries: list[Geometry], seed: int) -> None:
    rng = np.random.default_rng(seed)
    styles = ["auto", "block", "distributed"]
    instances = [instance(g, rng, styles[i % 3]) for i, g in enumerate(geometries)]
    results = play_bench(name, instances, frames=FRAMES)
    assert_clean(results)
    check_bubbles(geometries, results[0])


def test_swg_named_geometries_are_exact_and_free_of_bubbles() -> None:
    check("swg_special", SPECIAL, seed=1)


@pytest.mark.parametrize("seed", [2, 3])
def test_swg_random_geometries_are_exact_and_free_of_bubbles(seed: int) -> None:
    rng = random.Random(seed)
    check(f"swg_random{seed}", [random_geometry(rng) for _ in range(40)], seed)
