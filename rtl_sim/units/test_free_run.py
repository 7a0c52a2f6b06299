"""A pipeline that cannot stall, behind `free_run`: nothing is lost, and nothing waits in vain."""

from __future__ import annotations

import random

from rtl_sim.harness import Profile
from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

COUNT = 720
WIDTH = 11
SHAPES = ((1, 1), (2, 1), (4, 1), (4, 3), (9, 1), (14, 1), (29, 1), (29, 9))  # stages, keep


def pipeline(rng: random.Random, stages: int, keep: int, latency: int) -> Instance:
    left, right = ([rng.getrandbits(WIDTH) for _ in range(COUNT)] for _ in range(2))
    pairs = [w << WIDTH | s for s, w in zip(left, right, strict=True)]
    return Instance(
        "free_run_delay",
        {"WIDTH": WIDTH, "STAGES": stages, "KEEP": keep, "LATENCY": latency},
        [Stream("s", WIDTH, left), Stream("w", WIDTH, right)],
        [Stream("m", 2 * WIDTH, pairs[keep - 1 :: keep])],
    )


def test_free_run_loses_no_word_and_adds_no_bubble() -> None:
    rng = random.Random(5)
    exact = [pipeline(rng, stages, keep, stages) for stages, keep in SHAPES]
    early = [pipeline(rng, stages, 1, 12) for stages in (1, 5)]
    results = play_bench("free_run", exact + early)
    assert_clean(results)
    for tap, (_, keep) in zip(results[0].taps[: len(SHAPES)], SHAPES, strict=True):
        assert tap.bubbles == (keep - 1) * (COUNT // keep - 1), tap.label


def test_a_latency_that_is_too_small_is_found() -> None:
    """The bench can fail: a FIFO for 4 stages behind 12 overflows when its end stalls."""
    wrong = pipeline(random.Random(6), 12, 1, 4)
    results = play_bench("free_run_wrong", [wrong], profiles=[Profile("backpressure", 0, 200)])
    assert not results[0].clean
