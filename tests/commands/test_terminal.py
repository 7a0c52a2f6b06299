"""What a run looks like in a terminal, in a pipe, and in between."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flow import terminal
from flow.cache import Outcome
from flow.config import ROOT
from flow.progress import Listener, Step, counter, tell
from flow.terminal import Terminal

PROGRAM = """
import sys
from pathlib import Path
from flow.cache import Outcome
from flow.progress import tell
from flow.terminal import Terminal

with Terminal("kws") as shown:
    shown.notify.start("synth")
    tell("5 of 10 units", 0.5)
    shown._progress.refresh()
    tell("a very long text " * 20)
    shown._progress.refresh()
    shown.notify.end(Outcome("synth", Path(), 1.25, False))
    shown.notify.note("[red]no markup[/red]")
"""
PLAIN = "kws: synth     1.2 s\nnote: [red]no markup[/red]\n"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def in_terminal(**environment: str) -> str:
    """What the program above writes to a terminal of 60 columns."""
    ours, theirs = pty.openpty()
    result = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=theirs, stderr=theirs, stdin=theirs,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "60", "LANG": "C.UTF-8",
             **environment},
    )  # fmt: skip
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert result.wait() == 0, text
    return text.decode().replace("\r\n", "\n")


def in_pipe(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], **environment},
    ).stdout  # fmt: skip


def drawn(text: str) -> list[str]:
    """The lines that were drawn, without what moves the cursor and colours."""
    return [COLOUR.sub("", line) for line in re.split(r"\r|\n|\x1b\[\d*[AK]|\x1b\[\?25[lh]", text)]


def test_terminal_shows_bar_and_cut_text_and_leaves_plain_lines() -> None:
    text = in_terminal()
    lines = drawn(text)
    bars = [line for line in lines if "5 of 10 units" in line]
    assert bars and "━" in bars[0]
    assert COLOUR.search(text)
    long = [line for line in lines if "a very long text" in line]
    assert long and all(len(line) <= 60 for line in long) and "…" in long[0]
    assert [line for line in lines if "1.2 s" in line] == ["kws: synth     1.2 s"]


def test_no_color_takes_colours_only() -> None:
    text = in_terminal(NO_COLOR="1")
    assert "5 of 10 units" in text
    assert not re.search(r"\x1b\[[0-9;]*3\dm", text)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "unknown"}])
def test_dumb_terminal_gets_plain_lines(environment: dict[str, str]) -> None:
    assert in_terminal(**environment) == PLAIN


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"TERM": "xterm"}])
def test_pipe_gets_no_control_characters(environment: dict[str, str]) -> None:
    assert in_pipe(**environment) == PLAIN


def test_long_silence_is_broken_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Terminal("kws") as shown:
        shown.notify.start("simulate")
        for now[0], text in ((3, "a"), (11, "b"), (20, "c"), (22, "d"), (23, "e")):
            tell(text)
        shown.notify.end(Outcome("simulate", Path(), 25.0, False))
    tell("nobody listens")
    assert capsys.readouterr().out == (
        "kws: simulate  b ...\nkws: simulate  d ...\nkws: simulate  25.0 s\n"
    )


def test_bytes_are_counted_beside_the_last_text(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    shown: list[Step] = []
    with Terminal("fetch", "kws") as one:
        monkeypatch.setattr(one, "_show", shown.append)
        tell("downloading")
        one.count(20_000_000, 100_000_000)  # resumed
        now[0] += 2
        one.count(40_000_000, 100_000_000)
        tell("converting")
        one.count(0, 10)
    assert [step.text for step in shown] == [
        "downloading",
        "downloading, 20.0 of 100.0 MB",
        "downloading, 40.0 of 100.0 MB, 10.0 MB/s, 6 s left",
        "converting",
        "converting, 0.0 of 0.0 MB",
    ]
    assert [step.share for step in shown] == [None, 0.2, 0.4, None, 0.0]


def test_counter_tells_counts_and_share() -> None:
    heard: list[Step] = []
    listener = Listener(heard.append)
    terminal.LOGGER.setLevel("INFO")
    terminal.LOGGER.addHandler(listener)
    try:
        counter("samples")(1500, 6000)
        tell("plain")
    finally:
        terminal.LOGGER.removeHandler(listener)
    assert heard == [Step("samples, 1,500 of 6,000", 0.25), Step("plain")]
    assert str(heard[0]) == "samples, 1,500 of 6,000"


def test_terminal_without_unicode_gets_ascii() -> None:
    text = in_terminal(LC_ALL="C", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert "5 of 10 units" in text
    assert text.isascii()
