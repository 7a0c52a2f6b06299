"""Vivado's reports, written after the public format (see `reports/`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow.emit.vitis import VitisProject
from flow.errors import DataError
from flow.synth.vitis import Timing, Utilisation
from flow.synth.vitis.vivado import read_timing, read_utilisation
from tests.synth.vitis.report_files import write_vivado_reports


@pytest.fixture
def reported(project: VitisProject) -> VitisProject:
    write_vivado_reports(project)
    return project


def utilisation(project: VitisProject) -> Path:
    return project.root / "vivado_synth.rpt"


def timing(project: VitisProject) -> Path:
    return project.root / "vivado_timing.rpt"


def test_cells_of_a_7_series_device(reported: VitisProject) -> None:
    expected = Utilisation(lut=1987, ff=1106, dsp=2, bram36=1.5, uram=0)
    assert read_utilisation(reported) == (expected, "2024.1")


def test_cells_of_an_ultrascale_device(project: VitisProject) -> None:
    write_vivado_reports(project, "vivado_synth_ultrascale.rpt")
    expected = Utilisation(lut=1750, ff=1240, dsp=9, bram36=4.0, uram=6)
    assert read_utilisation(project) == (expected, "2023.2")


@pytest.mark.parametrize(
    ("row", "key"),
    [("| Slice LUTs", "LUT"), ("| Slice Registers", "FF"), ("| Block RAM Tile", "BRAM_18K"),
     ("| DSPs ", "DSP48E")],
)  # fmt: skip
def test_a_report_that_ends_before_a_row_is_refused(
    reported: VitisProject, row: str, key: str
) -> None:
    report = utilisation(reported)
    report.write_text(report.read_text().partition(row)[0])
    with pytest.raises(DataError) as caught:
        read_utilisation(reported)
    assert str(caught.value) == (
        f"report {report} has no value for {key!r} where hls4ml's reader looks for it.\n"
        "  The report is cut off, or of a release that hls4ml 1.3.0 cannot read."
    )


@pytest.mark.parametrize("last", ["| DSPs           |    2 |     0 ", "  10.000 "])
def test_a_report_that_ends_in_mid_line_is_refused(reported: VitisProject, last: str) -> None:
    report, read = (
        (utilisation(reported), read_utilisation)
        if "DSP" in last
        else (timing(reported), read_timing)
    )
    head, found, _ = report.read_text().partition(last)
    report.write_text(head + found[:-3])
    with pytest.raises(DataError) as caught:
        read(reported)
    assert str(caught.value) == (
        f"report {report} is cut off in mid-line.\n  Run Vivado's synthesis again."
    )


def test_sections_in_another_order_are_not_misread(reported: VitisProject) -> None:
    """A placed design's report has one section more: hls4ml, which counts them, finds no RAM."""
    report = utilisation(reported)
    report.write_text(report.read_text().replace("\n2. Memory\n-", "\n3. Memory\n-"))
    with pytest.raises(DataError, match="has no value for 'BRAM_18K'"):
        read_utilisation(reported)


def test_a_report_of_another_design_is_refused(reported: VitisProject) -> None:
    for report, read in ((utilisation, read_utilisation), (timing, read_timing)):
        path = report(reported)
        text = re.sub(r"(\| Design +: )little", r"\1other", path.read_text())
        path.write_text(text)
        with pytest.raises(DataError, match="is of 'other', not of 'little'"):
            read(reported)


def test_the_slack_gives_the_clock(reported: VitisProject) -> None:
    assert read_timing(reported) == Timing(wns_ns=1.875, period_ns=10.0, fmax_mhz=123.08)


def test_a_negative_slack_is_read(reported: VitisProject) -> None:
    path = timing(reported)
    path.write_text(path.read_text().replace("  1.875 ", " -2.500 "))
    assert read_timing(reported).fmax_mhz == 80.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.875", "   NA", "WNS is 'NA', so no path had a clock."),
        ("1.875", "maybe", "WNS is 'maybe', not a number."),
        ("\nap_clk", "\nother", "lacks the clock 'ap_clk': it is cut off, or of another release."),
        ("WNS(ns)", "wns", "lacks the table below 'WNS(ns)': it is cut off"),
        ("1.875", "10.00", "slack 10.0 ns is not below the period 10.0 ns."),
    ],
)
def test_a_timing_report_that_says_nothing_is_refused(
    reported: VitisProject, old: str, new: str, message: str
) -> None:
    path = timing(reported)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_timing(reported)
    assert str(path) in str(caught.value)


def test_a_missing_report_is_named(reported: VitisProject) -> None:
    for report, read in ((utilisation, read_utilisation), (timing, read_timing)):
        report(reported).unlink()
        with pytest.raises(DataError, match=f"^report {re.escape(str(report(reported)))} is miss"):
            read(reported)
