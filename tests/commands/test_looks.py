"""--wav and --waves: when they are done, and what a failing run still leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

import flow.waves
from flow import build
from flow.commands.build import STAGES_TEXT
from flow.errors import FlowError
from flow.stages import STAGES
from tests import fake_run

KWS = ("--model", "kws")
UP_TO_SIMULATE = ["extract", "evaluate", "plan", "emit", "simulate"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was asked of `flow.waves.write`, which here writes nothing."""
    calls: list[tuple[object, ...]] = []

    def write(run: object, layer: str, frame: int | None) -> list[tuple[str, str]]:
        calls.append((layer, frame))
        return [("waveform", f"{layer}.vcd")]

    monkeypatch.setattr(flow.waves, "write", write)
    return calls


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


def test_waveform_is_written_after_simulate(
    folder: Path, asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main([*KWS, "--waves", "dense", "--waves-frame", "3"]) == 0
    assert calls(folder) == UP_TO_SIMULATE
    assert asked == [("dense", 3)]
    assert capsys.readouterr().out.splitlines()[-1] == "waveform  dense.vcd"


def test_longer_run_is_possible(folder: Path, asked: list[tuple[object, ...]]) -> None:
    assert build.main([*KWS, "--waves", "dense", "--to", "report"]) == 0
    assert calls(folder) == list(fake_run.NAMES)
    assert asked == [("dense", None)]


def test_unknown_layer_ends_the_run_after_the_first_stage(
    folder: Path, asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main([*KWS, "--waves", "conv9"]) == 2
    assert capsys.readouterr().err == (
        "error: layer 'conv9' is unknown; choose one of: conv, dense.\n"
    )
    assert calls(folder) == ["extract"]
    assert asked == []


def test_failed_simulation_leaves_a_waveform(
    folder: Path, asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "differ-simulate").write_text("dense")
    assert build.main([*KWS, "--waves", "dense", "--junit", "junit.xml"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "waveform  dense.vcd"
    assert captured.err.startswith("error: layer 'dense': 5 of 12 values differ")
    assert "<failure message=\"layer 'dense'" in (folder / "junit.xml").read_text()


def test_trouble_with_the_waveform_does_not_hide_the_failure(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise FlowError("no space.")

    monkeypatch.setattr(flow.waves, "write", broken)
    (folder / "differ-simulate").write_text("dense")
    assert build.main([*KWS, "--waves", "dense"]) == 1
    note, error = capsys.readouterr().err.splitlines()
    assert note == "note: no waveform of dense: no space."
    assert error.startswith("error: layer 'dense': 5 of 12 values differ")


def test_failure_of_another_stage_leaves_none(
    folder: Path, asked: list[tuple[object, ...]]
) -> None:
    (folder / "fail-emit").touch()
    assert build.main([*KWS, "--waves", "dense"]) == 1
    assert asked == []


def test_recording_is_read_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.wav").write_text("no sound")
    for name in ("none.wav", "a.wav"):
        assert build.main([*KWS, "--wav", name]) == 2
        assert name in capsys.readouterr().err
    assert not (folder / "calls").exists()


def test_recording_is_heard_after_simulate(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Heard:
        def lines(self) -> list[tuple[str, str]]:
            return [("RTL simulation", "yes")]

    monkeypatch.setattr("flow.listen.recording", lambda run, path: path)
    monkeypatch.setattr("flow.listen.hear", lambda run, finished, speech: Heard())
    assert build.main([*KWS, "--wav", "a.wav"]) == 0
    assert calls(folder) == UP_TO_SIMULATE
    assert capsys.readouterr().out.splitlines()[-1] == "RTL simulation  yes"


def test_help_names_the_stages() -> None:
    assert [text.split()[0] for text in STAGES_TEXT.split(", ")] == list(STAGES)
