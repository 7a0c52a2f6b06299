"""ROM streamer: the file over and over, one word per cycle, from 0 after a reset."""

from __future__ import annotations

import random

from rtl_sim.harness import write_hex
from rtl_sim.units.bench import BUILD_ROOT, Instance, Stream, assert_clean, play_bench

NAME = "rom_stream"
SHAPES = (
    (8, 1, "auto"), (8, 2, "auto"), (5, 7, "auto"), (64, 128, "auto"), (64, 129, "auto"),
    (12, 300, "auto"), (8, 1, "block"), (9, 16, "block"), (33, 100, "block"),
    (33, 100, "distributed"), (4, 200, "distributed"), (200, 31, "distributed"),
)  # width, depth, style  # fmt: skip
COUNT = 650


def rom(index: int, rng: random.Random, width: int, depth: int, style: str) -> Instance:
    words = [rng.getrandbits(width) for _ in range(depth)]
    file = f"rom{index}.hex"
    write_hex(BUILD_ROOT / NAME / file, words, width)
    golden = [words[i % depth] for i in range(COUNT)]
    return Instance(
        "rom_stream",
        {"WIDTH": width, "DEPTH": depth, "FILE": file, "STYLE": style},
        [],
        [Stream("m", width, golden, stop=True)],
    )


def test_rom_stream_repeats_its_file_without_a_bubble() -> None:
    rng = random.Random(6)
    (BUILD_ROOT / NAME).mkdir(parents=True, exist_ok=True)
    results = play_bench(NAME, [rom(i, rng, *shape) for i, shape in enumerate(SHAPES)])
    assert_clean(results)
    assert [tap.bubbles for tap in results[0].taps] == [0] * len(SHAPES)
