"""Downloads from servers and networks that misbehave: what arrives, what is kept, what is said."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.cache import locked
from flow.config import ROOT
from flow.errors import DataError, StageBusy
from flow.fetch import download as module
from flow.fetch.download import download
from tests.fetch.server import Answer, Site, serve

CONTENT = bytes(range(256)) * 1024  # 256 kB: several chunks
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(CONTENT) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses and time limits, and no proxy between this machine and itself."""
    monkeypatch.setattr(module, "PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(module, "TIMEOUT_S", 0.3)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "new" / "clips.tar.gz"


def part_of(place: Path) -> Path:
    return place.with_name("clips.tar.gz.part")


def keep(place: Path, content: bytes) -> None:
    """What an earlier, unfinished download has left."""
    place.parent.mkdir()
    part_of(place).write_bytes(content)


def fetch(site: Site, place: Path) -> Path:
    return download(site.url, place, SHA256, SIZE)


def failure(site: Site, place: Path) -> str:
    with pytest.raises(DataError) as caught:
        fetch(site, place)
    assert not place.exists()
    return str(caught.value)


def test_file_appears_whole_and_progress_ends_at_its_size(site: Site, place: Path) -> None:
    steps: list[tuple[int, int]] = []
    found = download(site.url, place, SHA256, SIZE, lambda done, total: steps.append((done, total)))
    assert found == place
    assert place.read_bytes() == CONTENT
    assert steps[0] == (0, SIZE)
    assert steps[-1] == (SIZE, SIZE)
    assert steps == sorted(steps)
    assert not part_of(place).exists()


def test_right_file_is_kept_without_asking(site: Site, place: Path) -> None:
    fetch(site, place)
    fetch(site, place)
    assert site.asked == [None]


def test_file_of_another_content_is_replaced(site: Site, place: Path) -> None:
    place.parent.mkdir()
    place.write_bytes(CONTENT[::-1])
    fetch(site, place)
    assert place.read_bytes() == CONTENT


def test_earlier_part_is_resumed(site: Site, place: Path) -> None:
    keep(place, CONTENT[:1000])
    fetch(site, place)
    assert site.asked == ["bytes=1000-"]
    assert place.read_bytes() == CONTENT


def test_complete_part_needs_no_server(site: Site, place: Path) -> None:
    keep(place, CONTENT)
    fetch(site, place)
    assert site.asked == []
    assert place.read_bytes() == CONTENT


def test_too_long_part_is_dropped(site: Site, place: Path) -> None:
    keep(place, CONTENT + b"x")
    fetch(site, place)
    assert site.asked == [None]
    assert place.read_bytes() == CONTENT


def test_server_that_cannot_resume_starts_over(site: Site, place: Path) -> None:
    keep(place, CONTENT[:1000])
    site.answers = [Answer(ranges=False)]
    fetch(site, place)
    assert site.asked == ["bytes=1000-"]
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer", [Answer(status=416), Answer(content_range=f"bytes 5-{SIZE - 1}/{SIZE}"),
               Answer(content_range="nonsense")],
)  # fmt: skip
def test_refused_or_wrong_range_starts_over(site: Site, place: Path, answer: Answer) -> None:
    keep(place, CONTENT[:1000])
    site.answers = [answer, Answer()]
    fetch(site, place)
    assert site.asked == ["bytes=1000-", None]
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [True, False])
def test_cut_connection_is_resumed(site: Site, place: Path, length: bool) -> None:
    site.answers = [Answer(cut=70_000, length=length), Answer(cut=50_000), Answer()]
    fetch(site, place)
    assert site.asked == [None, "bytes=70000-", "bytes=120000-"]
    assert place.read_bytes() == CONTENT


def test_temporary_error_of_the_server_is_overcome(site: Site, place: Path) -> None:
    site.answers = [Answer(status=503), Answer()]
    fetch(site, place)
    assert place.read_bytes() == CONTENT


def test_connection_that_keeps_breaking_is_given_up_and_the_part_kept(
    site: Site, place: Path
) -> None:
    site.answers = [Answer(cut=100)]
    host = site.url.split("/")[2]
    assert failure(site, place) == (
        f"the download from {host} was cut 3 times, at last: "
        "the connection ended after 300 of 262,144 bytes.\n"
        "  300 of 262,144 bytes are kept. Run the same command again: it goes on from there."
    )
    assert part_of(place).read_bytes() == CONTENT[:300]
    site.answers = [Answer()]
    assert fetch(site, place).read_bytes() == CONTENT


def test_silent_server_runs_into_the_time_limit(site: Site, place: Path) -> None:
    site.answers = [Answer(silent=True)]
    started = time.monotonic()
    assert "was cut 3 times, at last: no answer within 0.3 s.\n" in failure(site, place)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("status", [403, 404, 410])
def test_refusal_is_not_tried_again(site: Site, place: Path, status: int) -> None:
    site.answers = [Answer(status=status)]
    message = failure(site, place)
    assert message.startswith(f"{site.url} cannot be downloaded: the server answered {status} ")
    assert message.endswith(
        ".\n  See whether the address opens in a browser; a newer version of this project may know "
        "another one."
    )
    assert len(site.asked) == 1


def test_proxy_that_wants_a_login_is_explained(site: Site, place: Path) -> None:
    site.answers = [Answer(status=407)]
    assert failure(site, place).endswith(
        "\n  The proxy wants a login: http_proxy=http://USER:PASSWORD@HOST:PORT."
    )


def test_wrong_content_is_deleted_and_both_hashes_are_named(site: Site, place: Path) -> None:
    other = CONTENT[::-1]
    site.answers = [Answer(body=other)]
    assert failure(site, place) == (
        f"{site.url} has another content than expected; what was downloaded is deleted.\n"
        f"  SHA-256 expected: {SHA256}\n"
        f"  SHA-256 found:    {hashlib.sha256(other).hexdigest()}\n"
        "  Run the same command again. If it ends the same way, a proxy changes the file or it was "
        "replaced at its origin."
    )
    assert not part_of(place).exists()


@pytest.mark.parametrize(
    ("part", "answer", "found"),
    [
        (b"", Answer(body=b"<html>log in</html>"), "19"),
        (CONTENT[:9], Answer(content_range=f"bytes 9-{SIZE - 1}/{SIZE + 5}"), "262,149"),
        (b"", Answer(body=CONTENT + b"more", length=False), "more than 262,144"),
    ],
)
def test_another_size_is_refused(
    site: Site, place: Path, part: bytes, answer: Answer, found: str
) -> None:
    keep(place, part)
    site.answers = [answer]
    assert failure(site, place) == (
        f"{site.url} has {found} bytes, expected 262,144.\n"
        "  Either the network answers in its place (a login page, a proxy), or the file was "
        "replaced at its origin: open the address in a browser."
    )
    assert len(site.asked) == 1


def test_endless_answer_is_ended_at_the_size(site: Site, place: Path) -> None:
    site.answers = [Answer(body=CONTENT * 50, length=False)]
    written: list[int] = []
    with pytest.raises(DataError, match="has more than 262,144 bytes"):
        download(site.url, place, SHA256, SIZE, lambda done, total: written.append(done))
    assert max(written) <= SIZE


@pytest.mark.parametrize(
    ("host", "reason"),
    [("127.0.0.1:9", "Connection refused"), ("no-such-host.invalid", "")],
)
def test_unreachable_server_is_named_at_once(place: Path, host: str, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        download(f"http://{host}/clips.tar.gz", place, SHA256, SIZE)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{host} cannot be reached: {reason}")
    assert second == (
        "  Check the network and run the same command again; behind a proxy, set "
        "http_proxy=http://HOST:PORT."
    )


def test_full_disk_keeps_the_part(site: Site, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "fsync", full)
    assert failure(site, place) == (
        f"no space is left on the disk of {place.parent}.\n"
        "  Free some space and run the same command again: what was downloaded is kept."
    )
    assert part_of(place).read_bytes() == CONTENT


def test_folder_that_cannot_be_made_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    assert failure(site, folder / "clips.tar.gz") == (
        f"cannot write to {folder}: Not a directory.\n"
        "  Make it writable, or name another folder: SHIFTFLOW_DATA=FOLDER."
    )


def test_second_download_into_the_folder_is_refused(site: Site, place: Path) -> None:
    with locked(place.parent), pytest.raises(StageBusy):
        fetch(site, place)
    assert site.asked == []


def sleeps(process: subprocess.Popen[str]) -> bool:
    """Whether a process waits in a system call."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_interrupted_download_is_resumed(site: Site, place: Path) -> None:
    """A real Ctrl-C in another process, while the server holds back the rest."""
    site.answers = [Answer(cut=70_000), Answer(silent=True), Answer()]
    code = (
        "import signal, sys; from pathlib import Path; from flow.fetch.download import download\n"
    )
    # shells start background jobs with this signal ignored, and children inherit that
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "download(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, site.url, str(place), SHA256, str(SIZE)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    # A signal between the request and the wait for its answer would be seen after the answer only.
    while (len(site.asked) < 2 or not sleeps(process)) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in error
    assert part_of(place).read_bytes() == CONTENT[:70_000]
    fetch(site, place)
    assert site.asked[2:] == ["bytes=70000-"]
    assert place.read_bytes() == CONTENT
