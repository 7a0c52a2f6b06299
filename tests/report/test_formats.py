"""Numbers for people."""

from __future__ import annotations

from flow.report.formats import (
    MINUS,
    NARROW_SPACE,
    NONE,
    blocks,
    duration,
    interval,
    number,
    ratio,
    score,
    shape,
    share,
    shortened,
)


def test_digits_are_grouped_and_none_is_a_dash() -> None:
    assert number(1234567) == f"1{NARROW_SPACE}234{NARROW_SPACE}567"
    assert number(-1234.56, 1) == f"{MINUS}1{NARROW_SPACE}234.6"
    assert share(None) == number(None) == score(None, "accuracy") == NONE
    assert (blocks(2.0), blocks(0.5)) == ("2", "0.5")


def test_all_is_only_all_and_nothing_only_nothing() -> None:
    assert share(0.99999) == f"99.9{NARROW_SPACE}%"
    assert share(1.0) == f"100.0{NARROW_SPACE}%"
    assert ratio(0, 4000000) == f"0{NARROW_SPACE}%"
    assert ratio(1, 4000000) == f"< 0.01{NARROW_SPACE}%"
    assert ratio(400, 4000000) == f"0.01{NARROW_SPACE}%"


def test_only_an_accuracy_is_a_percentage() -> None:
    assert score(0.9078, "accuracy") == f"90.78{NARROW_SPACE}%"
    assert score(0.8591, "auc") == "0.8591"


def test_seconds_become_minutes() -> None:
    assert duration(0.26) == f"0.3{NARROW_SPACE}s"
    assert duration(312) == f"5{NARROW_SPACE}min 12{NARROW_SPACE}s"


def test_shapes_and_intervals_are_short() -> None:
    assert shape([25, 5, 64]) == "25\N{MULTIPLICATION SIGN}5\N{MULTIPLICATION SIGN}64"
    assert shape([1, 1, 12]) == "12"
    assert interval(-3, 4) == f"{MINUS}3 … 4"
    assert interval(7, 7) == "7"


def test_a_long_name_keeps_both_ends() -> None:
    assert shortened("conv2d", 6) == "conv2d"
    assert shortened("block_12_depthwise", 9) == "bloc…wise"
