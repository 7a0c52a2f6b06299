"""FIFO and skid buffer: order, depth, full throughput."""

from __future__ import annotations

import random

from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

DEPTHS = (2, 3, 5, 16, 63, 64, 65, 100, 128, 300)  # both sides of the change of memory at 64
WIDTHS = (1, 8, 33, 70)
COUNT = 700


def buffer(unit: str, rng: random.Random, **parameters: int) -> Instance:
    width = parameters["WIDTH"]
    words = [rng.getrandbits(width) for _ in range(COUNT)]
    return Instance(unit, parameters, [Stream("s", width, words)], [Stream("m", width, words)])


def delayed_join(rng: random.Random, depth: int) -> Instance:
    words = [rng.getrandbits(8) for _ in range(COUNT)]
    golden = [late << 8 | early for late, early in zip(words[depth:], words, strict=False)]
    return Instance(
        "delayed_join", {"DEPTH": depth}, [Stream("s", 8, words)], [Stream("m", 16, golden)]
    )


def test_buffers_keep_order_at_full_throughput() -> None:
    rng = random.Random(1)
    fifos = [
        buffer("stream_fifo", rng, WIDTH=WIDTHS[i % len(WIDTHS)], DEPTH=depth)
        for i, depth in enumerate(DEPTHS)
    ]
    skids = [buffer("skid_buffer", rng, WIDTH=width) for width in WIDTHS]
    results = play_bench("stream_fifo", fifos + skids)
    assert_clean(results)
    assert [tap.bubbles for tap in results[0].taps] == [0] * len(results[0].taps)


def test_fifo_holds_its_depth_in_a_join_that_would_deadlock_otherwise() -> None:
    rng = random.Random(3)
    depths = (2, 3, 17, 63, 64, 65, 99, 200)
    results = play_bench("fifo_depth", [delayed_join(rng, depth) for depth in depths])
    assert_clean(results)
