"""Answers of a test server, and the ways in which they can go wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, evolve, field, frozen

__all__ = ["Answer", "AnsweringServer", "Fault", "Served"]

_CHUNK = 256 * 1024


@frozen
class Served:
    """Content that is sent: bytes, or a part of a file.

    Attributes:
        content: the bytes, or the file that holds them.
        start: first byte to send.
        stop: end of the bytes to send; None for all.
    """

    content: bytes | Path = b""
    start: int = 0
    stop: int | None = None

    @classmethod
    def of(cls, content: bytes | Path) -> Served:
        """All of it."""
        return cls(content)

    @property
    def size(self) -> int:
        """Bytes to send."""
        whole = len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size
        return (whole if self.stop is None else min(self.stop, whole)) - self.start

    def answer(self, headers: dict[str, str], *, etag: str) -> Answer:
        """The answer of a storage that knows ranges.

        Args:
            headers: of the request, names in lower case.
            etag: of the content.
        """
        common: dict[str, str | None] = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if wanted is None or headers.get("if-range", etag) != etag:
            return Answer(200, common, self)
        start, whole = int(wanted[1]), self.size
        if start >= whole:
            return Answer(416, {**common, "Content-Range": f"bytes */{whole}"})
        return Answer(206, {**common, "Content-Range": f"bytes {start}-{whole - 1}/{whole}"}, evolve(self, start=start))

    def chunks(self, size: int = _CHUNK) -> Iterator[bytes]:
        """The bytes in pieces of at most that size."""
        if isinstance(self.content, bytes):
            part = self.content[self.start : self.stop]
            yield from (part[at : at + size] for at in range(0, len(part), size))
            return
        with self.content.open("rb") as file:
            file.seek(self.start)
            yield from _read(file, self.size, size)


def _read(file: BinaryIO, left: int, size: int) -> Iterator[bytes]:
    while left > 0 and (chunk := file.read(min(size, left))):
        left -= len(chunk)
        yield chunk


@define
class Answer:
    """What a server sends.

    Attributes:
        status: HTTP status.
        headers: `Content-Length` is added unless it is among them; one that is None is not sent.
        body: the content.
        cut: bytes of the body after which the connection is closed; None to send all of it.
        pace: bytes at a time, and seconds between them; None for full speed.
        slow_head: seconds between the single bytes of the head; None for full speed.
    """

    status: int = 200
    headers: dict[str, str | None] = field(factory=dict)
    body: Served = field(factory=Served)
    cut: int | None = None
    pace: tuple[int, float] | None = None
    slow_head: float | None = None

    @classmethod
    def json(cls, value: Any) -> Answer:
        """A JSON answer."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return cls(200, {"Content-Type": "application/json; charset=utf-8"}, Served(content))


@frozen
class Fault:
    """How one answer differs from the right one; what is None stays as it is.

    Attributes:
        status: another status, with an empty body.
        headers: further or other headers; a value of None drops the header.
        body: another body.
        cut: bytes of the body after which the connection is closed.
        hide_length: send no `Content-Length`, so that a cut body looks complete.
        pace: bytes at a time, and seconds between them.
        slow_head: seconds between the single bytes of the head.
        act: called before the answer is sent, e.g. to change a file.
    """

    status: int | None = None
    headers: dict[str, str | None] = field(factory=dict)
    body: bytes | None = None
    cut: int | None = None
    hide_length: bool = False
    pace: tuple[int, float] | None = None
    slow_head: float | None = None
    act: Callable[[], object] | None = None

    def applied(self, answer: Answer) -> Answer:
        """The faulty answer."""
        if self.act is not None:
            self.act()
        if self.status is not None:
            answer = Answer(self.status)
        if self.body is not None:
            answer = evolve(answer, body=Served(self.body))
        headers = {**answer.headers, **self.headers}
        if self.hide_length:
            headers["Content-Length"] = None
        return evolve(answer, headers=headers, cut=self.cut, pace=self.pace, slow_head=self.slow_head)


class AnsweringServer(ThreadingHTTPServer):
    """A server on a free port of the loopback interface.

    Args:
        respond: gives the answer to a path and its headers, names in lower case.
    """

    daemon_threads = True

    def __init__(self, respond: Callable[[str, dict[str, str]], Answer]) -> None:
        self.respond = respond
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    """Sends what its server's `respond` gives."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    server: AnsweringServer

    def do_GET(self) -> None:
        """Answer one request and close."""
        answer = self.server.respond(self.path, {name.lower(): value for name, value in self.headers.items()})
        with suppress(OSError):
            self._send(answer)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Take clients that go away for what they are."""
        with suppress(OSError):
            super().handle()

    def _send(self, answer: Answer) -> None:
        headers = {"Content-Length": str(answer.body.size), **answer.headers, "Connection": "close"}
        lines = [f"HTTP/1.1 {answer.status} Answer"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        for piece in _paced(head, answer.slow_head):
            self.wfile.write(piece)
        size, pause = answer.pace or (_CHUNK, 0.0)
        sent = 0
        for chunk in answer.body.chunks(size):
            part = chunk if answer.cut is None else chunk[: max(0, answer.cut - sent)]
            self.wfile.write(part)
            sent += len(part)
            if len(part) < len(chunk):
                return
            if pause:
                time.sleep(pause)


def _paced(head: bytes, pause: float | None) -> Iterator[bytes]:
    if pause is None:
        yield head
        return
    for index in range(len(head)):
        time.sleep(pause)
        yield head[index : index + 1]
