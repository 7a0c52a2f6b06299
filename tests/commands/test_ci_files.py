"""--junit and --summary: what they say of runs that pass, fail, stop early or never start."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flow import build
from flow.commands._markdown import escape, fenced
from flow.errors import FlowError
from tests import fake_run

KWS = ("--model", "kws")
RTL, QKERAS = "kws.RTL equals integer reference", "kws.integers equal QKeras"


def states(path: Path) -> dict[tuple[str, str], str]:
    """State of each test case by class and name, checked against the counts of the file."""
    root = ET.parse(path).getroot()
    found = {
        (case.attrib["classname"], case.attrib["name"]): case[0].tag if len(case) else "passed"
        for case in root.iter("testcase")
    }
    found = {key: "passed" if tag == "system-out" else tag for key, tag in found.items()}
    for element in (root, *(root if len(root) == 1 else ())):
        assert int(element.attrib["tests"]) == len(found)
        for attribute, tag in (("failures", "failure"), ("skipped", "skipped")):
            assert int(element.attrib[attribute]) == list(found.values()).count(tag)
    return found


def failures(path: Path) -> list[str]:
    return [element.text or "" for element in ET.parse(path).getroot().iter("failure")]


def test_passing_run_has_a_case_per_stage_and_layer(folder: Path) -> None:
    assert build.main([*KWS, "--junit", "out/junit.xml"]) == 0
    found = states(folder / "out" / "junit.xml")
    assert set(found.values()) == {"passed"}
    assert [name for group, name in found if group == "kws.stages"] == list(fake_run.NAMES)
    for group in (RTL, QKERAS):
        assert [name for place, name in found if place == group] == list(fake_run.LAYERS)


def test_what_the_vendors_tools_would_tell_is_skipped_not_passed(folder: Path) -> None:
    assert build.main([*KWS, "--engine", "vitis", "--junit", "junit.xml", "--summary", "s.md"]) == 0
    found = states(folder / "junit.xml")
    assert found["kws-vitis.not run", "Vitis HLS (synthesis)"] == "skipped"
    assert found["kws-vitis.C simulation equals integer reference", "dense"] == "passed"
    assert list(found.values()).count("skipped") == 1
    assert not any("RTL" in group for group, _ in found)
    lines = (folder / "s.md").read_text().splitlines()
    assert "| not run | Vitis HLS (synthesis): not on PATH |" in lines
    assert "| conv | conv | 4 / 8 | 1 x 9 | 8,000 | 12 | 0 |" in lines
    speed = "200 inferences/s, compiled in 4.2 s"
    assert f"| C simulation | 2 frames, 30 outputs compared, 0 mismatches; {speed} |" in lines


def test_a_run_that_stops_before_its_report_says_what_was_not_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main([*KWS, "--engine", "vitis", "--to", "synth"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "not run       Vitis HLS (synthesis): not on PATH"
    )
    assert build.main([*KWS, "--engine", "vitis", "--to", "simulate"]) == 0
    assert "not run" not in capsys.readouterr().out


def test_failing_tool_is_a_failure_and_what_comes_after_it_is_skipped(folder: Path) -> None:
    (folder / "fail-simulate").touch()
    assert build.main([*KWS, "--junit", "junit.xml"]) == 1
    found = states(folder / "junit.xml")
    after = fake_run.NAMES[fake_run.NAMES.index("simulate") + 1 :]
    assert found["kws.stages", "emit"] == "passed"
    assert found["kws.stages", "simulate"] == "failure"
    assert [found["kws.stages", name] for name in after] == ["skipped"] * len(after)
    assert [found[RTL, layer] for layer in fake_run.LAYERS] == ["skipped", "skipped"]
    assert [found[QKERAS, layer] for layer in fake_run.LAYERS] == ["passed", "passed"]
    (text,) = failures(folder / "junit.xml")
    assert text.startswith("stage simulate failed with exit code 3.\n  command: tool --input 'a b'")


@pytest.mark.parametrize(("stage", "group"), [("simulate", RTL), ("evaluate", QKERAS)])
def test_difference_fails_its_layer(folder: Path, stage: str, group: str) -> None:
    (folder / f"differ-{stage}").write_text("dense")
    assert build.main([*KWS, "--junit", "junit.xml"]) == 1
    found = states(folder / "junit.xml")
    assert found[group, "dense"] == "failure"
    assert found[group, "conv"] == "skipped"
    assert (
        failures(folder / "junit.xml")
        == ["layer 'dense': 5 of 12 values differ; first at (0, 1): expected 3, got 4."] * 2
    )


def test_layer_of_which_nothing_was_compared_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = {**fake_run.SIM, "layers": [{"name": "conv", "words_compared": 0, "mismatches": 0}]}
    monkeypatch.setitem(fake_run.FILES["xls"], "simulate", {"sim.json": sim})
    build.main([*KWS, "--junit", "junit.xml"])
    assert states(folder / "junit.xml")[RTL, "conv"] == "failure"


def test_run_that_was_refused_is_a_failure_too(folder: Path) -> None:
    (folder / "junit.xml").write_text("of yesterday")
    assert build.main([*KWS, "--frames", "0", "--junit", "junit.xml", "--summary", "s.md"]) == 2
    assert states(folder / "junit.xml") == {("configuration.run", "the run itself"): "failure"}
    assert "--frames 0 is not allowed" in (folder / "s.md").read_text()


def test_cached_stages_count_no_seconds(folder: Path) -> None:
    build.main([*KWS])
    build.main([*KWS, "--junit", "junit.xml"])
    root = ET.parse(folder / "junit.xml").getroot()
    assert root.attrib["time"] == "0.000"
    assert "cached" in (root.findtext(".//system-out") or "")


def test_stages_that_were_not_asked_for_are_no_cases(folder: Path) -> None:
    build.main([*KWS, "--to", "plan", "--junit", "junit.xml"])
    names = [name for group, name in states(folder / "junit.xml") if group == "kws.stages"]
    assert names == ["extract", "evaluate", "plan"]


def test_error_with_control_characters_makes_valid_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def coloured(work: Path, *arguments: object) -> None:
        raise FlowError("\x1b[31mred\x00 \ud800 \ufffe </failure>&\t\n😀")

    monkeypatch.setattr(fake_run, "_make", coloured)
    assert build.main([*KWS, "--junit", "junit.xml", "--summary", "s.md"]) == 1
    assert failures(folder / "junit.xml") == ["?[31mred? ? ? </failure>&\t\n😀"]
    assert "red" in (folder / "s.md").read_text()


def test_interrupted_run_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(work: Path, *arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fake_run, "_make", interrupted)
    assert build.main([*KWS, "--junit", "junit.xml", "--summary", "s.md"]) == 130
    assert states(folder / "junit.xml")["kws.stages", "extract"] == "failure"
    assert (folder / "s.md").read_text().startswith("## kws: interrupted in stage extract\n")


def test_summary_of_a_passing_run(folder: Path) -> None:
    (folder / "s.md").write_text("old")
    assert build.main([*KWS, "--summary", "s.md"]) == 0
    lines = (folder / "s.md").read_text().splitlines()
    assert lines[:4] == ["## kws: passed", "", "| figure | value |", "| --- | --- |"]
    assert "| cycles per frame | 8,000 (latency 9,000) |" in lines
    assert "<details><summary>2 layers</summary>" in lines
    assert (
        "| conv | conv | 4 / 8 | 1 x 9 | 8,000 | 8,000 | 100.0 % | 1,200 | 9 | 0.5 | 12 | 0 |"
        in lines
    )
    assert stat.S_IMODE((folder / "s.md").stat().st_mode) == 0o644
    assert not list(folder.glob(".*.part"))


def test_summary_of_a_failing_and_of_a_shortened_run(folder: Path) -> None:
    build.main([*KWS, "--to", "plan", "--summary", "s.md"])
    assert (folder / "s.md").read_text().startswith("## kws: done up to stage plan\n")
    (folder / "fail-synth").touch()
    build.main([*KWS, "--summary", "s.md"])
    text = (folder / "s.md").read_text()
    assert text.startswith("## kws: failed in stage synth\n\n```text\nstage synth failed with")
    assert "| RTL simulation | 2 frames, 24 outputs compared, 0 mismatches |" in text
    assert "<summary>2 layers" not in text


def test_summary_is_appended_to_the_file_of_the_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = folder / "step"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    build.main([*KWS, "--summary", "step"])
    build.main([*KWS, "--summary", str(page)])
    assert page.read_text().startswith("before\n## kws: passed\n")
    assert page.read_text().count("## kws: passed") == 2
    build.main([*KWS, "--summary", "other"])
    build.main([*KWS, "--summary", "other"])
    assert (folder / "other").read_text().count("## kws: passed") == 1


def test_places_that_cannot_be_written_are_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").touch()
    for option, path in (("--junit", "."), ("--summary", "file/s.md")):
        assert build.main([*KWS, option, path]) == 2
        assert capsys.readouterr().err.startswith(f"error: {option} {path} cannot be written: ")
    assert not (folder / "calls").exists()


def test_failure_to_write_does_not_hide_the_error_of_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    (folder / "fail-emit").touch()
    monkeypatch.setattr(os, "replace", full)
    assert build.main([*KWS, "--junit", "junit.xml"]) == 1
    note, error = capsys.readouterr().err.splitlines()[:2]
    assert note == "note: cannot write junit.xml: No space left on device."
    assert error == "error: stage emit failed with exit code 3."
    assert not list(folder.glob("*.xml"))
    assert not list(folder.glob(".junit*"))


def test_pipe_is_written_to_and_a_link_stays_one(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text()))
    reader.start()
    build.main([*KWS, "--summary", "pipe"])
    reader.join(10)
    assert read and read[0].startswith("## kws: passed")
    (folder / "link.md").symlink_to("target.md")
    build.main([*KWS, "--summary", "link.md"])
    assert (folder / "link.md").is_symlink()
    assert (folder / "target.md").read_text().startswith("## kws: passed")


def test_markdown_shows_text_as_it_is() -> None:
    assert escape("a|b_c*<d>") == "a\\|b\\_c\\*\\<d>"
    assert fenced("x ``` y")[0] == "````text"
