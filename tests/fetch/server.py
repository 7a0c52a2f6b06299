"""An HTTP server on this machine that misbehaves as told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """How one request is answered."""

    ranges: bool = True  # a Range header is honoured
    status: int | None = None  # this status, without content
    cut: int | None = None  # the connection closes after so many bytes
    silent: bool = False  # not one byte is sent while the client waits
    body: bytes | None = None  # other content
    length: bool = True  # Content-Length is sent
    content_range: str | None = None  # this Content-Range instead of the right one


@dataclass
class Site:
    """Serves `content` at `url`; the last of `answers` holds for all further requests."""

    content: bytes
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    asked: list[str | None] = field(default_factory=list)  # Range header of each request
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def next_answer(self, asked: str | None) -> Answer:
        """The answer to a request with this Range header."""
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serve(content: bytes) -> Iterator[Site]:
    """A site that runs until the context ends."""
    site = Site(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}/set/clips.tar.gz"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    asked = request.headers.get("Range")
    answer = site.next_answer(asked)
    if answer.silent:
        site.over.wait(10)
        return
    if answer.status is not None:
        request.send_error(answer.status)
        return
    body = site.content if answer.body is None else answer.body
    begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and answer.ranges else 0
    request.send_response(206 if begin else 200)
    if begin:
        right = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        request.send_header("Content-Range", answer.content_range or right)
    if answer.length:
        request.send_header("Content-Length", str(len(body) - begin))
    request.end_headers()
    request.wfile.write(body[begin:][: answer.cut])
