"""Downloads a file whose size and SHA-256 are known, going on where an earlier try ended."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from flow.cache import hash_file, locked
from flow.errors import DataError
from flow.fetch.disk import disk_errors
from flow.progress import tell

TIMEOUT_S = 30.0  # of each operation on the socket
PAUSES_S = (1.0, 2.0, 4.0, 8.0)  # between tries
CHUNK_BYTES = 1 << 16
TEMPORARY = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

Progress = Callable[[int, int], None]  # bytes done, bytes in total


class _Trouble(Exception):
    """The transfer ended early; another try may help."""


class _Unreachable(_Trouble):
    """No connection came about."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What is downloaded, and where it grows."""

    url: str
    part: Path
    size: int
    sha256: str

    @property
    def host(self) -> str:
        """Name of the server, with its port if given."""
        return urlsplit(self.url).netloc

    @property
    def have(self) -> int:
        """Bytes that are there already."""
        return self.part.stat().st_size if self.part.is_file() else 0


def download(
    url: str, path: Path, sha256: str, size: int, progress: Progress = lambda done, total: None
) -> Path:
    """Bring the content of an HTTP(S) address to `path`: whole and right, or not at all.

    It grows in `<path>.part`, which stays when the download is cut, interrupted or killed; the next
    call resumes it. A `path` that already has the right content is kept without asking the server.
    Proxies come from the environment (http_proxy, https_proxy).

    Args:
        size: of the file in bytes.
        progress: called with the bytes done and `size`, at the start and after every chunk.

    Raises:
        StageBusy: another process downloads into the same folder.
        DataError: the server cannot be reached, refuses, or sends something else; the disk is full
            or cannot be written to.
    """
    job = _Job(url, path.with_name(f"{path.name}.part"), size, sha256)
    with disk_errors(path.parent), locked(path.parent):
        if not (path.is_file() and path.stat().st_size == size and hash_file(path) == sha256):
            _complete(job, progress)
            _verify(job)
            job.part.replace(path)
    return path


def _complete(job: _Job, progress: Progress) -> None:
    """Transfer what is missing; a try that was cut is followed by another, within limits."""
    for count, pause_s in enumerate((*PAUSES_S, None)):
        try:
            return _transfer(job, progress)
        except _Trouble as trouble:
            if count == 0 and isinstance(trouble, _Unreachable):
                raise _unreachable(job, trouble) from trouble
            if pause_s is None:
                raise _given_up(job, trouble) from trouble
            tell(f"{job.host}: {trouble}; trying again in {pause_s:g} s")
            time.sleep(pause_s)


def _transfer(job: _Job, progress: Progress) -> None:
    """Append what the part lacks, or replace it when the server starts over.

    Raises:
        _Trouble: the transfer ended early.
        DataError: the server does not have this file.
    """
    if job.have > job.size:
        job.part.unlink()
    have = job.have
    progress(have, job.size)
    if have == job.size:
        return
    with _request(job, have) as response:
        have = _first_byte(response, job, have)
        with job.part.open("ab" if have else "wb") as file:
            for chunk in _chunks(response):
                have += len(chunk)
                if have > job.size:
                    break
                file.write(chunk)
                progress(have, job.size)
            file.flush()
            os.fsync(file.fileno())
    if have > job.size:
        job.part.unlink()
        raise _other_size(job, f"more than {job.size:,}")
    if have < job.size:
        raise _Trouble(f"the connection ended after {have:,} of {job.size:,} bytes")


def _request(job: _Job, have: int) -> HTTPResponse:
    """Ask for the bytes from `have` on."""
    headers = {"User-Agent": "shiftflow"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response: HTTPResponse = urlopen(Request(job.url, headers=headers), timeout=TIMEOUT_S)
        return response
    except HTTPError as error:
        error.close()
        raise _refusal(job, error) from error
    except URLError as error:
        raise _Unreachable(_reason(error)) from error
    except (OSError, HTTPException) as error:
        raise _Trouble(_reason(error)) from error


def _first_byte(response: HTTPResponse, job: _Job, have: int) -> int:
    """Where the answer begins: `have`, or 0 from a server that cannot resume."""
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) != job.size:
            raise _other_size(job, f"{int(length):,}")
        return 0
    content_range = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range)
    if found is None or int(found[1]) != have:
        job.part.unlink(missing_ok=True)
        raise _Trouble(f"it answered with another range ({content_range!r})")
    if found[2] != "*" and int(found[2]) != job.size:
        raise _other_size(job, f"{int(found[2]):,}")
    return have


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    """What arrives, until the answer or the connection ends."""
    try:
        while chunk := response.read1(CHUNK_BYTES):
            yield chunk
    except (OSError, HTTPException) as error:
        raise _Trouble(_reason(error)) from error


def _verify(job: _Job) -> None:
    found = hash_file(job.part)
    if found == job.sha256:
        return
    job.part.unlink()
    raise DataError(
        f"{job.url} has another content than expected; what was downloaded is deleted.\n"
        f"  SHA-256 expected: {job.sha256}\n"
        f"  SHA-256 found:    {found}\n"
        "  Run the same command again. If it ends the same way, a proxy changes the file or it was "
        "replaced at its origin."
    )


def _refusal(job: _Job, error: HTTPError) -> Exception:
    """What an HTTP status other than success means."""
    answer = f"{error.code} {error.reason}"
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and job.have:
        job.part.unlink()
        return _Trouble(f"it cannot resume ({answer})")
    if error.code in TEMPORARY:
        return _Trouble(f"it answered {answer}")
    remedy = (
        f"The proxy wants a login: {_proxy_variable(job)}=http://USER:PASSWORD@HOST:PORT."
        if error.code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        else "See whether the address opens in a browser; a newer version of this project may know "
        "another one."
    )
    return DataError(f"{job.url} cannot be downloaded: the server answered {answer}.\n  {remedy}")


def _unreachable(job: _Job, trouble: _Trouble) -> DataError:
    return DataError(
        f"{job.host} cannot be reached: {trouble}.\n"
        "  Check the network and run the same command again; behind a proxy, set "
        f"{_proxy_variable(job)}=http://HOST:PORT."
    )


def _given_up(job: _Job, trouble: _Trouble) -> DataError:
    return DataError(
        f"the download from {job.host} was cut {len(PAUSES_S) + 1} times, at last: {trouble}.\n"
        f"  {job.have:,} of {job.size:,} bytes are kept. Run the same command again: it goes on "
        "from there."
    )


def _other_size(job: _Job, found: str) -> DataError:
    return DataError(
        f"{job.url} has {found} bytes, expected {job.size:,}.\n"
        "  Either the network answers in its place (a login page, a proxy), or the file was "
        "replaced at its origin: open the address in a browser."
    )


def _proxy_variable(job: _Job) -> str:
    return f"{urlsplit(job.url).scheme}_proxy"


def _reason(error: Exception) -> str:
    """The cause in a few words; urllib wraps the system's error in its own."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    text = getattr(cause, "strerror", None) or str(cause)
    return text or type(cause).__name__
