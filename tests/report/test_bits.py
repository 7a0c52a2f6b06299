"""Bars and texts of the bit-width section."""

from __future__ import annotations

from flow.report import build_report
from flow.report.bits import BIT_WIDTH, BitCell, bit_rows
from tests.report.example import inputs


def test_every_tensor_has_a_cell_and_a_pool_only_one() -> None:
    rows = {row.anchor: row for row in bit_rows(build_report(inputs()))}
    assert list(rows)[:2] == ["bits-input", "bits-conv1"]
    assert rows["bits-input"].weights is rows["bits-input"].acc is None
    assert rows["bits-pool"].weights is rows["bits-pool"].acc is None
    assert all(row.y is not None for row in rows.values())


def test_bars_show_used_bits_and_seen_values() -> None:
    row = bit_rows(build_report(inputs()))[1]
    assert isinstance(row.weights, BitCell)
    assert (row.weights.width, row.weights.used_width) == (8 * BIT_WIDTH, 6 * BIT_WIDTH)
    # -31..30 of -128..127
    assert row.weights.seen_start == (128 - 31) / 256 * 8 * BIT_WIDTH
    assert row.weights.seen_width == 62 / 256 * 8 * BIT_WIDTH
    assert isinstance(row.acc, BitCell)
    assert row.acc.seen_width >= 1  # one pixel at least


def test_a_range_is_that_of_the_codes_allowed_not_of_the_word() -> None:
    first = bit_rows(build_report(inputs()))[0]
    assert first.y.allowed == "\N{MINUS SIGN}127 … 127"
    assert first.y.seen_start + first.y.seen_width == first.y.width


def test_both_ends_of_a_signed_output_can_saturate() -> None:
    report = build_report(inputs())
    dense = report["layers"][-1]["profile"]["y"]
    dense["clipped_low"], dense["clipped_high"] = 3, 60
    text = bit_rows(report)[-1].y.saturated.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert text == "3 of 6 000 at \N{MINUS SIGN}32 768 (0.05 %); 60 of 6 000 at 32 767 (1.00 %)"
