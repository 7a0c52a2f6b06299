"""Replay: each word COUNT times, without a bubble."""

from __future__ import annotations

import random

from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

SHAPES = ((8, 1), (8, 2), (1, 3), (16, 4), (40, 5), (70, 8), (4, 16), (12, 25), (9, 64))


def replay(rng: random.Random, width: int, count: int) -> Instance:
    words = [rng.getrandbits(width) for _ in range(max(640 // count, 10))]
    golden = [word for word in words for _ in range(count)]
    return Instance(
        "replay",
        {"WIDTH": width, "COUNT": count},
        [Stream("s", width, words)],
        [Stream("m", width, golden)],
    )


def test_replay_is_exact_and_free_of_bubbles() -> None:
    rng = random.Random(5)
    results = play_bench("replay", [replay(rng, *shape) for shape in SHAPES])
    assert_clean(results)
    assert [tap.bubbles for tap in results[0].taps] == [0] * len(SHAPES)
