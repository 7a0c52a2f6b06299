"""compare: which changes are regressions, what is not judged, and which reports it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flow import build
from flow.commands._comparison import FIGURES
from flow.report import ReportInputs, build_report, check_report
from tests.report import example

Report = dict[str, Any]
ROUTED = {
    "tool": "nextpnr", "target": "x", "scope": "each unit", "unit": "conv1", "fmax_mhz": 140.0,
    "critical_path": "", "lut": 1, "ff": 1, "dsp": 0, "bram": 0.0, "seconds": 1.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def report() -> Report:
    made: Report = json.loads(json.dumps(build_report(example.inputs())))
    return made


@pytest.fixture
def compared(
    folder: Path, report: Report, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Exit code and output of comparing the example with itself, changed by a function."""

    def compared(change: Callable[[Report], object], *options: str) -> tuple[int, str]:
        other = json.loads(json.dumps(report))
        change(other)
        check_report(other)
        (folder / "reports" / "new").mkdir(parents=True, exist_ok=True)
        (folder / "reports" / "new" / "report.json").write_text(json.dumps(other))
        (folder / "old.json").write_text(json.dumps(report))
        code = build.main(["compare", "old.json", "new", *options])
        return code, capsys.readouterr().out

    return compared


def row(text: str, label: str) -> list[str]:
    """The rest of the line that begins so."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"{label}  "))
    return line[len(label) :].split("  ")[-1].split()


def test_equal_reports_are_no_regression(compared: Callable[..., tuple[int, str]]) -> None:
    code, text = compared(lambda report: None)
    assert code == 0
    assert text.splitlines()[-1] == "no regression (limit 2 % for cycles and resources)"
    assert "layer that changed" not in text


@pytest.mark.parametrize(
    "figure", [one for one in FIGURES if one.key != "csim"], ids=lambda figure: figure.label
)
def test_each_figure_is_judged_in_its_direction(
    compared: Callable[..., tuple[int, str]], figure: Any
) -> None:
    def moved(factor: float) -> Callable[[Report], None]:
        def move(report: Report) -> None:
            section = report[figure.section]
            value = section[figure.key]
            if isinstance(value, bool):
                section[figure.key] = factor > 1
            elif value == 0:
                section[figure.key] = int(factor > 1)
            else:
                section[figure.key] = type(value)(value * factor)

        return move

    worse, better = (0.9, 1.005) if figure.better.name == "HIGHER" else (1.1, 0.9)
    code, text = compared(moved(worse))
    assert code == 3
    assert row(text, figure.label)[-1] == "REGRESSION"
    assert "1 regression in B" in text
    assert compared(moved(better))[0] == 0


def written(path: Path, made: ReportInputs) -> str:
    """The report as a file; its name."""
    path.write_text(json.dumps(build_report(made)))
    return path.name


def test_another_engine_is_compared_by_its_integers_and_its_plan(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rtl = written(folder / "rtl.json", example.inputs())
    in_c = written(folder / "c.json", example.c_inputs())
    for a, b, side in ((rtl, in_c, "B"), (in_c, rtl, "A")):
        assert build.main(["compare", a, b]) == 0
        text = capsys.readouterr().out
        assert f"note: {side} was simulated in C, which knows no cycles; compared are" in text
        assert f"note: {side}, not run: Vitis HLS (synthesis, co-simulation): neither" in text
        assert "layer that changed" not in text  # words of the one are beats, of the other codes
        assert "not judged" not in text
        values = {"8,010", "-"}
        assert values <= set(
            next(line for line in text.splitlines() if line.startswith("cycles per frame")).split()
        )
    assert build.main(["compare", rtl, in_c, "--markdown"]) == 0


def test_the_accuracy_of_c_simulation_is_judged_between_two_such_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = replace(example.c_figures(), csim=0.5)
    a = written(folder / "a.json", example.c_inputs())
    b = written(folder / "b.json", example.c_inputs(accuracy=worse))
    assert build.main(["compare", a, b]) == 3
    text = capsys.readouterr().out
    assert row(text, "C simulation accuracy")[-1] == "REGRESSION"
    assert "cycles per frame" not in text.replace("resources)", "")
    fewer = replace(worse, csim_samples=7)
    b = written(folder / "b.json", example.c_inputs(accuracy=fewer))
    assert build.main(["compare", a, b]) == 0
    assert row(capsys.readouterr().out, "C simulation accuracy")[-2:] == ["not", "judged"]


@pytest.mark.parametrize(
    ("cycles", "limit", "code"),  # from 8,010
    [(8170, "2", 0), (8171, "2", 3), (8811, "10", 0), (8812, "10", 3), (8011, "0", 3)],
)
def test_limit_is_reached_only_beyond_it(
    compared: Callable[..., tuple[int, str]], cycles: int, limit: str, code: int
) -> None:
    def slower(report: Report) -> None:
        report["sim"]["ii_cycles"] = cycles

    assert compared(slower, "--limit", limit)[0] == code


def test_first_dsp_is_worse_than_every_percentage(
    compared: Callable[..., tuple[int, str]], report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(report, "synth", {**report["synth"], "dsp": 0})
    code, text = compared(lambda other: other["synth"].update(dsp=1), "--limit", "1000")
    assert code == 3
    assert "DSP: 0 -> 1, allowed: 1000 %" in text


def test_accuracy_on_other_samples_is_shown_and_not_judged(
    compared: Callable[..., tuple[int, str]],
) -> None:
    code, text = compared(lambda report: report["accuracy"].update(integer=0.5, samples=7))
    assert code == 0
    assert "note: other samples: 500 samples of kws_test and 7 samples of kws_test;" in text
    assert row(text, "integer accuracy")[-2:] == ["not", "judged"]


def test_an_auc_is_compared_under_its_name(
    compared: Callable[..., tuple[int, str]], report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(report, "accuracy", {**report["accuracy"], "metric": "auc"})
    code, text = compared(lambda other: other["accuracy"].update(integer=0.5))
    assert code == 3
    assert "integer AUC: 0.9078 -> 0.5" in text
    assert "integer accuracy" not in text


def test_resources_of_another_device_are_not_judged(
    compared: Callable[..., tuple[int, str]],
) -> None:
    def moved(report: Report) -> None:
        report["target"] = report["device"]["name"] = "lfe5u-85f"
        report["synth"]["lut"] *= 3

    code, text = compared(moved)
    assert code == 0
    assert "note: other target: xc7z020 and lfe5u-85f" in text
    assert row(text, "LUT")[-2:] == ["not", "judged"]


def test_slowest_clock_counts_where_both_have_one(
    compared: Callable[..., tuple[int, str]], report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {**ROUTED, "unit": "dense", "fmax_mhz": 100.0}
    assert "Fmax" not in compared(lambda other: other.update(timing=[slow]))[1]
    monkeypatch.setitem(report, "timing", [ROUTED, {**slow, "fmax_mhz": 120.0}])
    code, text = compared(lambda other: other.update(timing=[ROUTED, slow]))
    assert code == 3
    assert "slowest Fmax (MHz): 120 -> 100 (-16.67 %), allowed: 2 %" in text


def test_seconds_are_judged_only_when_asked(compared: Callable[..., tuple[int, str]]) -> None:
    def slower(report: Report) -> None:
        report["stages"][0]["seconds"] *= 2

    assert compared(slower)[0] == 0
    code, text = compared(slower, "--limit-seconds", "50")
    assert code == 3
    assert "stage extract: 21.4 -> 42.8 (+100.00 %), allowed: 50 %" in text


def test_only_changed_layers_are_listed(compared: Callable[..., tuple[int, str]]) -> None:
    def changed(report: Report) -> None:
        report["layers"][1]["pe"] = 2
        report["layers"].append({**report["layers"][0], "name": "extra"})

    _, text = compared(changed)
    table = text[text.index("layer that changed") : text.index("stage (s)")].splitlines()
    assert [line.split() for line in table[1:] if line] == [
        ["depthwise1", "pe", "1", "2"],
        ["extra", "op", "-", "conv"],
    ]


def test_markdown_has_verdict_and_tables(compared: Callable[..., tuple[int, str]]) -> None:
    code, text = compared(lambda report: report["sim"].update(ii_cycles=9000), "--markdown")
    assert code == 3
    assert text.startswith("## 1 regression in B\n\n- cycles per frame: 8,010 -> 9,000")
    assert "| cycles per frame | 8,010 | 9,000 | +12.36 % | REGRESSION |" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", None, "there is no report 'none': neither none nor reports/none/report.json"),
        ("bad", "{", "cannot read the report bad: it is not JSON."),
        ("bad", "[]", "bad is no report: it has no key 'schema'."),
        ("bad", '{"schema": 9}', "bad has schema 9; this version reads 1."),
    ],
)
def test_what_is_no_report_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (folder / name).write_text(content)
    assert build.main(["compare", name, name]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_report_of_another_version_names_each_key_once(
    folder: Path, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    old = json.loads(json.dumps(report))
    for layer in old["layers"]:
        del layer["starved"]
    old["sim"]["frames"] = 0
    (folder / "old").write_text(json.dumps(old))
    assert build.main(["compare", "old", "old"]) == 2
    assert capsys.readouterr().err == (
        "error: old: 2 keys not as this version writes them:\n"
        "  layers.*.starved: is missing\n"
        "  sim.frames: 0: Input should be greater than or equal to 1\n"
        "  Make the report again with this version: python flow/build.py --model NAME\n"
    )


def test_other_models_and_wrong_options_are_refused(
    folder: Path, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a").write_text(json.dumps(report))
    (folder / "b").write_text(json.dumps({**report, "model": "ic"}))
    assert build.main(["compare", "a", "b"]) == 2
    assert capsys.readouterr().err == (
        "error: a is of model 'kws', b of 'ic'.\n  Compare two runs of one model.\n"
    )
    for option, value in (("--limit", "-1"), ("--limit", "nan"), ("--limit-seconds", "much")):
        assert build.main(["compare", "a", "a", option, value]) == 2
    assert build.main(["compare", "a"]) == 2
    assert "the following arguments are required: RUN_B" in capsys.readouterr().err
