"""Reports of C synthesis and co-simulation, written after the public format (see `reports/`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow.emit.vitis import VitisProject
from flow.emit.vitis.tool import reports_folder
from flow.errors import DataError
from flow.synth.vitis import Cosim, HlsModule, HlsResources
from flow.synth.vitis.csynth import read_cosim, read_csynth
from tests.synth.vitis.report_files import cosim_rpt, csynth_xml, write_hls_reports


@pytest.fixture
def reported(project: VitisProject) -> VitisProject:
    write_hls_reports(project)
    return project


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_figure_is_read(reported: VitisProject) -> None:
    result, version = read_csynth(reported)
    assert version == "2024.1"
    assert (result.latency_min_cycles, result.latency_max_cycles) == (311, 321)
    assert (result.interval_min_cycles, result.interval_max_cycles) == (144, 145)
    assert (result.target_clock_ns, result.est_clock_ns) == (10.0, 7.162)
    assert result.used == HlsResources(lut=2345, ff=1204, dsp=2, bram_18k=3, uram=0)
    assert result.available == HlsResources(lut=53200, ff=106400, dsp=220, bram_18k=280, uram=0)
    used = HlsResources(lut=720, ff=310, dsp=1, bram_18k=1, uram=0)
    assert result.modules == (
        HlsModule("conv_y", 144, 144, 144, 144, used),
        HlsModule("pool_y", None, None, None, None, used),
    )


def test_vivado_hls_calls_its_dsp_otherwise(reported: VitisProject) -> None:
    change(csynth_xml(reported), "DSP>", "DSP48E>")
    assert read_csynth(reported)[0].used.dsp == 2


def test_hls4ml_needs_no_hls_app_and_prints_nothing(
    reported: VitisProject, capfd: pytest.CaptureFixture[str]
) -> None:
    read_csynth(reported)
    assert capfd.readouterr().out == ""


def test_a_missing_report_is_named(reported: VitisProject) -> None:
    report = csynth_xml(reported)
    report.unlink()
    with pytest.raises(DataError) as caught:
        read_csynth(reported)
    assert str(caught.value) == (
        f"report {report} is missing, although the step that writes it ended without an error.\n"
        "  Run the step again; if it stays missing, read the tool's log beside the project."
    )


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.99])
def test_a_report_that_is_cut_off_is_refused(reported: VitisProject, share: float) -> None:
    report = csynth_xml(reported)
    text = report.read_text()
    report.write_text(text[: int(share * len(text))])
    with pytest.raises(DataError, match=f"^report {re.escape(str(report))} is damaged: hls4ml"):
        read_csynth(reported)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Best-caseLatency", "is damaged: hls4ml's reader fails on it"),
        ("EstimatedClockPeriod", "is damaged: hls4ml's reader fails on it"),
        ("URAM", "has no value for 'URAM' where hls4ml's reader looks for it"),
        ("Part", "has no element 'UserAssignments/Part': it is cut off, or of another release"),
    ],
)
def test_a_lacking_element_is_named(reported: VitisProject, name: str, message: str) -> None:
    report = csynth_xml(reported)
    report.write_text(re.sub(rf"<{name}>.*</{name}>", "", report.read_text()))
    with pytest.raises(DataError, match=re.escape(f"report {report} {message}")):
        read_csynth(reported)


@pytest.mark.parametrize(
    ("element", "value", "name"),
    [("LUT", "many", "LUT"), ("LUT", "-3", "LUT"), ("Interval-max", "948 ~ 4728", "IntervalMax"),
     ("EstimatedClockPeriod", "nan", "EstimatedClockPeriod")],
)  # fmt: skip
def test_a_value_that_is_no_number_is_quoted(
    reported: VitisProject, element: str, value: str, name: str
) -> None:
    report = csynth_xml(reported)
    text = re.sub(rf"<{element}>.*?</", f"<{element}>{value}</", report.read_text(), count=1)
    report.write_text(text)
    with pytest.raises(DataError) as caught:
        read_csynth(reported)
    assert str(caught.value) == f"report {report}: {name} is {value!r}, not a number."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("<TopModelName>little", "<TopModelName>other", "is of 'other', not of 'little'."),
     ("<Part>", "<Part>xa", "is of part 'xaxc7z020clg400-1', not of 'xc7z020clg400-1'.")],
)  # fmt: skip
def test_a_report_of_something_else_is_refused(
    reported: VitisProject, old: str, new: str, message: str
) -> None:
    report = csynth_xml(reported)
    change(report, old, new)
    with pytest.raises(DataError) as caught:
        read_csynth(reported)
    assert str(caught.value) == f"report {report} {message}"


def test_the_part_may_be_written_with_dashes(reported: VitisProject) -> None:
    change(csynth_xml(reported), "<Part>xc7z020clg400-1", "<Part>xc7z020-clg400-1")
    assert read_csynth(reported)[0].modules


def test_a_damaged_module_report_is_named(reported: VitisProject) -> None:
    report = reports_folder(reported) / "conv_y_csynth.xml"
    report.write_text(report.read_text()[:300])
    with pytest.raises(DataError, match=f"^report {re.escape(str(report))} cannot be read: "):
        read_csynth(reported)


def test_co_simulation_is_read(reported: VitisProject) -> None:
    assert read_cosim(reported) == Cosim("Verilog", "Pass", 318, 322, 144, 145)


def test_a_failed_co_simulation_is_no_result(reported: VitisProject) -> None:
    change(cosim_rpt(reported), "Pass", "Fail")
    with pytest.raises(DataError, match="co-simulation of 'little' says 'Fail'"):
        read_cosim(reported)


def test_a_co_simulation_that_did_not_run_is_no_result(reported: VitisProject) -> None:
    change(cosim_rpt(reported), "Pass", "NA")
    with pytest.raises(DataError, match="is damaged: hls4ml's reader fails on it"):
        read_cosim(reported)
