"""The table of layers: its cells, its sums, what it sorts by."""

from __future__ import annotations

from typing import Any

from flow.report import build_report
from flow.report.columns import COLUMNS, Cell, cells, end_rows, header_groups, network_row
from flow.report.formats import NARROW_SPACE, NONE
from tests.report.example import inputs


def texts(row: list[Cell]) -> dict[str, str]:
    return {cell.column.key: cell.text.replace(NARROW_SPACE, " ") for cell in row}


def layer(place: int) -> dict[str, Any]:
    found: dict[str, Any] = build_report(inputs())["layers"][place]
    return found


def test_headings_cover_every_column_once_in_order() -> None:
    places = [place for _, columns in header_groups() for place, _ in columns]
    assert places == list(range(len(COLUMNS)))
    assert [len(columns) for group, columns in header_groups() if group == "bits"] == [4]


def test_cells_sort_by_their_values_not_by_their_texts() -> None:
    sort = {cell.column.key: cell.sort for cell in cells(layer(0))}
    assert (sort["macs"], sort["out_shape"], sort["starved"]) == (320000.0, 25 * 5 * 64, 0.25)
    assert (sort["op"], sort["utilisation"]) == ("conv", 1.0)


def test_a_value_that_does_not_exist_is_a_dash_without_a_place() -> None:
    pool = {cell.column.key: cell for cell in cells(layer(3))}
    assert (pool["utilisation"].text, pool["utilisation"].sort) == (NONE, None)
    assert pool["w_bits"].text == NONE


def test_the_last_rows_are_the_ends_and_the_sums() -> None:
    report = build_report(inputs())
    ingress, egress = map(texts, end_rows(report))
    assert (ingress["name"], ingress["synth_lut"], ingress["est_lut"]) == ("ingress", "90", "")
    assert egress["name"] == "egress"
    network = texts(network_row(report))
    assert (network["macs"], network["est_lut"], network["est_dsp"]) == ("904 768", "7 020", "42")
    assert (network["synth_lut"], network["synth_bram"]) == ("7 320", "3.5")
    assert (network["sim_cycles"], network["est_cycles"], network["pe"]) == ("8 010", "8 000", "")
