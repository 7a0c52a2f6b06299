"""Fork: every consumer gets every word, however the others stall."""

from __future__ import annotations

import random

from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

COUNT = 400


def fork(rng: random.Random, width: int, count: int) -> Instance:
    words = [rng.getrandbits(width) for _ in range(COUNT)]
    outputs = [Stream(f"m{i}", width, words) for i in range(count)]
    vectors = {
        port: "{" + ", ".join(f"$m{i}_t{kind}" for i in reversed(range(count))) + "}"
        for kind in ("data", "valid", "ready")
        for port in [f"m_t{kind}"]
    }
    unused = {f"m{i}_t{kind}": "" for i in range(count) for kind in ("data", "valid", "ready")}
    return Instance(
        "stream_fork",
        {"WIDTH": width, "COUNT": count},
        [Stream("s", width, words)],
        outputs,
        {**unused, **vectors},
    )


def test_fork_copies_every_word_to_every_consumer() -> None:
    rng = random.Random(2)
    shapes = [(8, 1), (8, 2), (1, 3), (40, 2), (16, 4), (5, 2), (64, 3), (9, 5)]
    results = play_bench("stream_fork", [fork(rng, width, count) for width, count in shapes])
    assert_clean(results)
    assert all(tap.bubbles == 0 for tap in results[0].taps)
