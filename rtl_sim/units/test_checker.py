"""The bench components can fail: every kind of fault turns its own counter red."""

from __future__ import annotations

from rtl_sim.harness import BENCH_LIB, PROFILES, ProfileResult, TapResult
from rtl_sim.units.bench import Instance, Stream, play_bench

WORDS = [(7 * index + 3) & 0xFF for index in range(100)]
CORRUPT = [word ^ 0x10 if index == 57 else word for index, word in enumerate(WORDS)]
SHORT = WORDS[:-1]


def through(unit: str, golden: list[int], **parameters: int) -> Instance:
    streams = [Stream("s", 8, WORDS)], [Stream("m", 8, golden)]
    return Instance(unit, {"WIDTH": 8, **parameters}, *streams)


def play_faults(name: str) -> list[ProfileResult]:
    instances = [
        through("skid_buffer", WORDS),
        through("skid_buffer", CORRUPT),
        through("skid_buffer", SHORT),
        through("loses_word", WORDS, INDEX=99),
        through("loses_word", WORDS, INDEX=40),
        through("drops_hold", WORDS),
        through("changes_data", WORDS),
    ]
    faulty = [BENCH_LIB / "faulty"]
    return play_bench(name, instances, includes=faulty, timeout_cycles=1000)


def test_checker_names_each_fault() -> None:
    for result in play_faults("checker_faults"):
        clean, corrupt, extra, dropped_last, dropped, *_ = result.taps
        assert result.timed_out and not result.clean  # two of the instances lose a word
        assert any("timeout" in line for line in result.faults())
        assert clean.clean
        assert (corrupt.mismatches, corrupt.first_bad_index) == (1, 57)
        assert corrupt.first_cycle <= corrupt.first_bad_cycle - 57 <= corrupt.last_cycle
        assert (corrupt.first_expected, corrupt.first_got) == (CORRUPT[57], WORDS[57])
        assert "first at 57: expected 0x82, got 0x92" in corrupt.describe()
        assert (extra.received, extra.mismatches, extra.first_bad_index) == (100, 1, 99)
        assert (dropped_last.received, dropped_last.mismatches) == (99, 0)
        assert not dropped_last.clean and "received 99 of 100" in dropped_last.describe()
        assert (dropped.first_bad_index, dropped.first_expected) == (40, WORDS[40])


def test_checker_sees_a_broken_hold_rule_under_backpressure() -> None:
    results = dict(zip((p.name for p in PROFILES), play_faults("checker_hold"), strict=True))
    for name in ("backpressure", "both", "reset"):
        *_, drops_hold, changes_data = results[name].taps
        for tap in (drops_hold, changes_data):
            assert tap.protocol_errors > 0 and tap.mismatches == 0, name
            assert "withdrawn or changed" in tap.describe()


def test_a_bubble_is_a_cycle_without_a_word() -> None:
    counted = {"received": 5, "first_cycle": 10, "last_cycle": 16}
    rest = dict.fromkeys(
        (
            *("mismatches", "first_bad_index", "first_bad_cycle", "first_expected", "first_got"),
            *("protocol_errors", "starved_cycles", "blocked_cycles"),
        ),
        0,
    )
    tap = TapResult("p", "l", words=5, frame_end_cycles=(), **counted, **rest)
    assert tap.bubbles == 2 and tap.clean
