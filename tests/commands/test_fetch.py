"""fetch: where it puts the data and what it tells; the download itself is tested in tests/fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow import build
from flow.commands import _fetching
from flow.fetch import Fetched
from flow.fetch.download import Progress
from flow.progress import tell


@pytest.fixture
def fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that is configured; what is fetched is an empty file."""

    def fetch(name: str, place: Path, progress: Progress) -> Fetched:
        place.mkdir(exist_ok=True)
        (place / "kws_test.npz").touch()
        tell("downloading")
        progress(0, 100)
        progress(100, 100)
        return Fetched(place / "kws_test.npz", 4890, "Not the small set.", "CC BY 4.0")

    monkeypatch.setattr(_fetching, "fetch", fetch)
    (folder / "data").mkdir()
    monkeypatch.setenv("SHIFTFLOW_DATA", str(folder / "data"))
    return folder / "data"


def test_it_tells_place_licence_note_and_next_step(
    fetched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["fetch", "kws"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "samples  4,890 in data/kws_test.npz",
        "licence  CC BY 4.0",
        "note     Not the small set.",
        "next     python flow/build.py --model kws",
    ]


def test_samples_that_are_not_the_first_choice_are_named_in_the_next_step(
    fetched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["fetch", "kws", "--folder", "mine"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "next     python flow/build.py --model kws --data mine/kws_test.npz"
    (fetched / "kws_test_dev.npz").touch()
    assert build.main(["fetch", "kws"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "next     python flow/build.py --model kws --data data/kws_test.npz"


def test_wrong_names_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["fetch", "speech"]) == 2
    assert "data set 'speech' is unknown; choose one of: kws" in capsys.readouterr().err
    assert build.main(["fetch"]) == 2
    assert "python flow/build.py fetch --help" in capsys.readouterr().err


def test_interrupted_fetch_says_that_it_resumes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_fetching, "fetch", interrupted)
    assert build.main(["fetch", "kws"]) == 130
    assert capsys.readouterr().err == "interrupted; run the same command to resume.\n"
