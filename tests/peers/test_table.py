"""The table shows what was measured, and the summary cannot overlook a wrong output."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.peers.table import ratio, share, short_table, summarise, summary_lines, table
from tests.peers.made_rows import EXACT, WRONG, comparison_rows, failed, row


def test_a_row_shows_shares_errors_and_times() -> None:
    lines = table([row(judged=replace(WRONG, accuracy=0.25), qkeras_accuracy=0.75)])
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == [
        "conv (QKeras 75.0 %)", "1", "default", "75.00 %", "25.00 %", "7.2", "50.0 %", "25.0 %",
        "8.0", "100", "-",
    ]  # fmt: skip


def test_a_failure_is_a_row_with_a_note() -> None:
    lines = table([row(), failed(flow="bit_exact")])
    assert "| conv | 1 | bit\\_exact | fails (1) | - | - | - | - | - | - | - |" in lines
    assert lines[-1] == "1. conv, alpha 1, stock bit_exact: `compilation: a.h:1: error: no 'x'`"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 9, "0"), (9, 9, "100 %"), (1, 10**6, "0.01 %"), (10**6 - 1, 10**6, "99.99 %"),
     (1, 8, "12.50 %")],
)  # fmt: skip
def test_shares_are_never_rounded_to_none_or_all(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


def test_speed_is_compared_with_the_fastest_stock_flow_of_the_same_model() -> None:
    rows = comparison_rows()
    assert ratio(rows[3], rows) == 20.0
    assert ratio(rows[7], rows) == 9.0
    assert ratio(failed(flow="shiftflow"), rows) is None
    assert ratio(rows[3], [rows[3], rows[1]]) is None


def test_the_summary_counts_rows_and_outputs() -> None:
    found = summarise(comparison_rows())
    assert (found.stock_rows, found.stock_exact, found.stock_failed) == (6, 2, 2)
    assert (found.our_rows, found.our_failed, found.our_outputs, found.our_wrong) == (2, 0, 240, 0)
    assert found.is_exact
    assert (found.kws_compile_s, found.kws_speed_ratio) == (20.0, 9.0)
    assert found.small_speed_ratios == (20.0, 20.0)
    lines = summary_lines(found)
    assert lines[0] == "stock hls4ml: 2 of 6 rows exact, 2 failed"
    assert lines[1].startswith("  worst: conv, alpha 1, stock default: 75.00 % of outputs wrong")
    assert lines[2].startswith("  best:  conv, alpha 1, stock hand-set: 0 of outputs wrong")
    assert lines[3] == "shiftflow: 0 of 240 outputs wrong in 2 rows, 0 failed"
    assert lines[-2] == "kws: written and compiled in 20.0 s of processor time (goal <= 60 s: met)"
    assert lines[-1].endswith("(goal >= 10: MISSED)")


def test_a_single_wrong_output_of_ours_spoils_the_summary() -> None:
    rows = comparison_rows()
    rows[3] = replace(rows[3], judged=replace(EXACT, wrong=1))
    assert not summarise(rows).is_exact


@pytest.mark.parametrize("rows", [[], [failed(flow="shiftflow")], [row()]])
def test_nothing_of_ours_that_ran_is_no_success(rows: list) -> None:
    found = summarise(rows)
    assert not found.is_exact
    assert summary_lines(found)


def test_the_short_table_keeps_kws_and_the_worst_alpha_of_the_others() -> None:
    mild = [replace(one, alpha="auto") for one in comparison_rows() if one.network == "conv"]
    mild[0] = replace(mild[0], judged=replace(WRONG, wrong_rounded=1))
    lines = short_table([*mild, *comparison_rows()])
    assert lines[2:] == [
        "| conv | 1 | 25.00 % | fails | 0 | 0 | 100 | 2,000 | 20.0 |",
        "| kws (QKeras 90.0 %) | 1 | 25.00 % | fails | 0 | 0 | 100 | 900 | 9.0 |",
    ]


def test_a_model_without_rows_of_ours_has_dashes_in_the_short_table() -> None:
    assert short_table([row()])[2:] == ["| conv | 1 | 0 | - | - | - | 100 | - | - |"]
