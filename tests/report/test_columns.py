"""The table of layers: its cells, its sums, what it sorts by."""

from __future__ import annotations

from typing import Any

from flow.report import build_report
from flow.report.columns import (
    COLUMNS,
    Cell,
    cells,
    columns_of,
    end_rows,
    header_groups,
    network_row,
)
from flow.report.formats import NARROW_SPACE, NONE
from tests.report.example import c_inputs, inputs


def texts(row: list[Cell]) -> dict[str, str]:
    return {cell.column.key: cell.text.replace(NARROW_SPACE, " ") for cell in row}


def layer(place: int) -> dict[str, Any]:
    found: dict[str, Any] = build_report(inputs())["layers"][place]
    return found


def test_headings_cover_every_column_once_in_order() -> None:
    groups = header_groups(COLUMNS)
    places = [place for _, columns in groups for place, _ in columns]
    assert places == list(range(len(COLUMNS)))
    assert [len(columns) for group, columns in groups if group == "bits"] == [4]


def test_columns_without_any_value_are_left_out() -> None:
    assert columns_of(build_report(inputs())) == list(COLUMNS)
    report = build_report(c_inputs())
    columns = columns_of(report)
    left_out = [column.key for column in COLUMNS if column not in columns]
    assert left_out == [
        "sim_cycles", "utilisation", "starved", "blocked", "synth_lut", "synth_ff", "synth_dsp",
        "synth_bram",
    ]  # fmt: skip
    assert [place for _, some in header_groups(columns) for place, _ in some] == list(range(14))
    assert len(cells(report["layers"][0], columns)) == len(network_row(report, columns)) == 14
    assert end_rows(report, columns) == []


def test_cells_sort_by_their_values_not_by_their_texts() -> None:
    sort = {cell.column.key: cell.sort for cell in cells(layer(0), COLUMNS)}
    assert (sort["macs"], sort["out_shape"], sort["starved"]) == (320000.0, 25 * 5 * 64, 0.25)
    assert (sort["op"], sort["utilisation"]) == ("conv", 1.0)


def test_a_value_that_does_not_exist_is_a_dash_without_a_place() -> None:
    pool = {cell.column.key: cell for cell in cells(layer(3), COLUMNS)}
    assert (pool["utilisation"].text, pool["utilisation"].sort) == (NONE, None)
    assert pool["w_bits"].text == NONE


def test_the_last_rows_are_the_ends_and_the_sums() -> None:
    report = build_report(inputs())
    ingress, egress = map(texts, end_rows(report, COLUMNS))
    assert (ingress["name"], ingress["synth_lut"], ingress["est_lut"]) == ("ingress", "90", "")
    assert egress["name"] == "egress"
    network = texts(network_row(report, COLUMNS))
    assert (network["macs"], network["est_lut"], network["est_dsp"]) == ("904 768", "7 020", "42")
    assert (network["synth_lut"], network["synth_bram"]) == ("7 320", "3.5")
    assert (network["sim_cycles"], network["est_cycles"], network["pe"]) == ("8 010", "8 000", "")
