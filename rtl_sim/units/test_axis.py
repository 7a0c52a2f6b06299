"""AXI4-Stream ends: TLAST on the last beat of each frame, and the alarm when it is not there."""

from __future__ import annotations

import random

from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

SHAPES = (
    (8, 8, 1),
    (5, 8, 2),
    (9, 16, 3),
    (16, 16, 7),
    (1, 8, 10),
    (24, 32, 16),
    (33, 64, 5),
    (70, 72, 4),
)
# data bits, AXI bits, beats per frame
FRAMES = 12


def ingress(rng: random.Random, shape: tuple[int, int, int], fault: str = "") -> Instance:
    """Golden words are {frame_error, data}: the alarm shows from the beat after the faulty one."""
    data_bits, axis_bits, beats = shape
    count = beats * FRAMES
    beat_words = [rng.getrandbits(axis_bits) for _ in range(count)]
    last = [index % beats == beats - 1 for index in range(count)]
    bad = {"": count, "missing": 3 * beats - 1, "surplus": 3 * beats - 2}[fault]
    if fault:
        last[bad] = not last[bad]
    mask = (1 << data_bits) - 1
    golden = [(i > bad) << data_bits | w & mask for i, w in enumerate(beat_words)]
    sent = [is_last << axis_bits | word for is_last, word in zip(last, beat_words, strict=True)]
    return Instance(
        "axis_ingress",
        {"DATA_BITS": data_bits, "AXIS_BITS": axis_bits, "FRAME_BEATS": beats},
        [Stream("s_axis", axis_bits + 1, sent)],
        [Stream("m", data_bits + 1, golden)],
        {
            "s_axis_tdata": f"$s_axis_tdata[{axis_bits - 1}:0]",
            "s_axis_tlast": f"$s_axis_tdata[{axis_bits}]",
            "m_tdata": f"$m_tdata[{data_bits - 1}:0]",
            "frame_error": f"$m_tdata[{data_bits}]",
        },
    )


def egress(rng: random.Random, shape: tuple[int, int, int]) -> Instance:
    data_bits, axis_bits, beats = shape
    words = [rng.getrandbits(data_bits) for _ in range(beats * FRAMES)]
    golden = [(i % beats == beats - 1) << axis_bits | word for i, word in enumerate(words)]
    return Instance(
        "axis_egress",
        {"DATA_BITS": data_bits, "AXIS_BITS": axis_bits, "FRAME_BEATS": beats},
        [Stream("s", data_bits, words)],
        [Stream("m_axis", axis_bits + 1, golden)],
        {
            "m_axis_tdata": f"$m_axis_tdata[{axis_bits - 1}:0]",
            "m_axis_tlast": f"$m_axis_tdata[{axis_bits}]",
        },
    )


def test_axis_ends_keep_data_and_watch_frames() -> None:
    rng = random.Random(7)
    faulty = [ingress(rng, (9, 16, 3), "missing"), ingress(rng, (9, 16, 3), "surplus")]
    good = [ingress(rng, shape) for shape in SHAPES] + [egress(rng, shape) for shape in SHAPES]
    results = play_bench("axis", good + faulty)
    assert_clean(results)
    assert all(tap.bubbles == 0 for tap in results[0].taps)
