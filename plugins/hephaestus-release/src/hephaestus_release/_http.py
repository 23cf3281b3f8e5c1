"""HTTP by httpx: redirects, tokens, deadlines, resuming and retries. The only module that imports httpx."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import httpx

from hephaestus_release import __version__
from hephaestus_release._retry import (
    Limits,
    OnRetry,
    Retry,
    TransientError,
    asked_delay,
    backoff,
    is_rate_limit,
    is_transient,
)
from hephaestus_release._sink import MemorySink, Sink
from hephaestus_release._token import Token
from hephaestus_release._urls import check_url, joined, origin_of, shown
from hephaestus_release.errors import AssetError, NetworkError
from hephaestus_release.sources import Request

__all__ = ["Transport"]

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\Z")
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]*"\Z')


class Transport:
    """Fetches requests under one policy. Use it as a context manager.

    Args:
        limits: timeouts, attempts and rates.
        api_url: the only origin that ever sees the token.
        token: sent as a bearer token; None for anonymous access.
        loopback_http: accept plain http to this machine.
    """

    def __init__(
        self, limits: Limits, *, api_url: str, token: Token | None = None, loopback_http: bool = False
    ) -> None:
        self._limits = limits
        self._token = token
        self._token_origin = origin_of(api_url)
        self._loopback_http = loopback_http
        # Their messages would show addresses with signatures in them, and heads with tokens.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # No connection is kept: the guard of an answer's head must know the socket that carries it.
        self._client = httpx.Client(
            timeout=limits.timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": f"hephaestus-release/{__version__}", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def fetch(self, request: Request, *, largest: int, on_retry: OnRetry) -> bytes:
        """The body of a small answer.

        Args:
            request: what to get.
            largest: most bytes to accept.
            on_retry: told of each failed attempt that is followed by another.

        Raises:
            NetworkError: no usable answer, after all attempts.
            AssetError: more than `largest` bytes.
        """
        sink = MemorySink()
        self.receive(request, sink, size=None, largest=largest, on_retry=on_retry)
        return sink.content()

    def receive(self, request: Request, sink: Sink, *, size: int | None, largest: int, on_retry: OnRetry) -> None:
        """Write the whole body into the sink; a broken transfer goes on where it broke off.

        Args:
            request: what to get.
            sink: takes the bytes.
            size: exact length that the body must have, in bytes; None when it is unknown.
            largest: most bytes to accept.
            on_retry: told of each failed attempt that is followed by another.

        Raises:
            NetworkError: no usable answer, after all attempts or at the deadline.
            AssetError: the body is longer than `size` or `largest`.
        """
        transfer = _Transfer(sink, size, largest, self._limits)
        attempt = 0
        while True:
            attempt += 1
            problem = self._attempt(request, transfer)
            if problem is None:
                return
            delay = problem.delay if problem.delay is not None else backoff(self._limits.backoff, attempt)
            self._give_up(request, problem, attempt, delay, transfer.give_up_at)
            on_retry(Retry(shown(request.url), attempt, self._limits.attempts, problem.reason, problem.status, delay))
            time.sleep(delay)

    def _give_up(self, request: Request, problem: TransientError, attempt: int, delay: float, end: float) -> None:
        """Raise when no further attempt may be made."""
        where = shown(request.url)
        if problem.delay is not None and delay > self._limits.longest_wait:
            until = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + delay))
            raise NetworkError(
                f"{where}: {problem.reason}; the server asks to wait until {until}",
                hint="wait, or give a token for a higher limit",
            )
        if attempt >= self._limits.attempts:
            tried = "once" if attempt == 1 else f"{attempt} times"
            raise NetworkError(f"{where}: {problem.reason} (tried {tried})", hint="raise --max-retries or --timeout")
        if time.monotonic() + delay > end:
            raise NetworkError(f"{where}: {problem.reason}, and no time is left before the deadline")

    def _attempt(self, request: Request, transfer: _Transfer) -> TransientError | None:
        """One attempt; what went wrong for now, or None when the body is complete."""
        # Returned, not raised from the handler: the exceptions of httpx drag along frames that hold headers.
        try:
            with self._open(request, transfer.resume_headers()) as response:
                transfer.run(response)
        except TransientError as problem:
            return TransientError(problem.reason, status=problem.status, delay=problem.delay)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return TransientError(_described(error))
        return None

    @contextmanager
    def _open(self, request: Request, headers: dict[str, str]) -> Generator[httpx.Response]:
        """The answer after following redirects; its body is still unread."""
        url = request.url
        first_origin = origin_of(url)
        for _hop in range(_MOST_REDIRECTS + 1):
            check_url(url, loopback_http=self._loopback_http)
            own = request.headers if origin_of(url) == first_origin else {}
            with self._send(url, {**own, **headers}) as response:
                location = response.headers.get("location") if response.status_code in _REDIRECTS else None
                if location is None:
                    _check_status(response)
                    yield response
                    return
                url = joined(url, location)
        raise NetworkError(f"{shown(request.url)}: more than {_MOST_REDIRECTS} redirects")

    @contextmanager
    def _send(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """The answer to one request, its head received within the timeout."""
        auth = _Bearer(self._token) if self._token and origin_of(url) == self._token_origin else None
        guard = _HeadGuard(self._limits.timeout)
        request = self._client.build_request("GET", url, headers=headers, extensions={"trace": guard.trace})
        request.extensions["timeout"] = httpx.Timeout(self._limits.timeout).as_dict()
        with guard:
            try:
                response = self._client.send(request, auth=auth, stream=True)
            except httpx.HTTPError as error:
                response, problem = None, _described(error)
        if response is None:
            raise TransientError(guard.reason or problem)
        try:
            yield response
        finally:
            response.close()


class _Bearer(httpx.Auth):
    """Adds the token; httpx shows this header as `[secure]`."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


class _HeadGuard:
    """Cuts the connection when an answer's head has not arrived in time.

    A read timeout alone does not: a server that sends one byte of the head at a time outlives it.
    """

    def __init__(self, seconds: float) -> None:
        self.reason = ""
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """Learn the socket from httpcore."""
        if name == "connection.connect_tcp.complete":
            self._socket = info["return_value"].get_extra_info("socket").dup()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_exc: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._socket is not None:
            self._socket.close()

    def _cut(self) -> None:
        self.reason = f"no answer within {self._seconds:g} s"
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Transfer:
    """One body on its way into a sink, over as many attempts as it takes."""

    def __init__(self, sink: Sink, size: int | None, largest: int, limits: Limits) -> None:
        self.give_up_at = time.monotonic() + limits.deadline
        self._sink = sink
        self._size = size
        self._largest = largest
        self._limits = limits
        self._etag = ""

    def resume_headers(self) -> dict[str, str]:
        """Headers that ask for the rest, when the bytes so far can be tied to one version of the file."""
        if self._sink.received and self._etag:
            return {"Range": f"bytes={self._sink.received}-", "If-Range": self._etag}
        return {}

    def run(self, response: httpx.Response) -> None:
        """Take the body of an answer; TransientError when it breaks off."""
        if response.status_code == 206:
            self._check_range(response)
        else:
            self._sink.restart()
            etag = response.headers.get("etag", "")
            self._etag = etag if _STRONG_ETAG.match(etag) else ""
        self._pump(response.iter_raw())
        if self._size is not None and self._sink.received < self._size:
            raise TransientError(f"the body ended after {self._sink.received} of {self._size} bytes")

    def _pump(self, chunks: Iterator[bytes]) -> None:
        limit = self._largest if self._size is None else min(self._size, self._largest)
        window_start, window_bytes = time.monotonic(), 0
        for chunk in chunks:
            if self._sink.received + len(chunk) > limit:
                raise AssetError(f"the server sends more than the {limit} bytes that were expected")
            self._sink.write(chunk)
            now = time.monotonic()
            window_bytes += len(chunk)
            if now > self.give_up_at:
                raise NetworkError(
                    f"the download took longer than {self._limits.deadline:g} s", hint="raise --deadline"
                )
            if (elapsed := now - window_start) >= self._limits.timeout:
                if window_bytes < self._limits.minimum_rate * elapsed:
                    raise TransientError(f"slower than {self._limits.minimum_rate} bytes a second")
                window_start, window_bytes = now, 0

    def _check_range(self, response: httpx.Response) -> None:
        """Start over unless the answer continues exactly where the sink stands."""
        match = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        totals = {"*", str(self._size)} if self._size is not None else {match[3] if match else ""}
        same_file = response.headers.get("etag", self._etag) == self._etag
        if match is None or int(match[1]) != self._sink.received or match[3] not in totals or not same_file:
            self._sink.restart()
            raise TransientError("the server answered with another range than asked for", status=206)


def _check_status(response: httpx.Response) -> None:
    """Raise for every status but 200 and 206."""
    status, headers = response.status_code, response.headers
    if status == 200 or (status == 206 and "range" in response.request.headers):
        return
    if is_transient(status, headers):
        reason = f"rate limit reached (HTTP {status})" if is_rate_limit(status, headers) else f"HTTP {status}"
        raise TransientError(reason, status=status, delay=asked_delay(headers))
    if status == 416:
        raise TransientError("HTTP 416", status=status)
    where = shown(str(response.request.url))
    if status == 401:
        raise NetworkError(f"{where}: the token was refused (HTTP 401)", hint="give a valid token, or none")
    if status in {403, 404, 410}:
        raise NetworkError(
            f"{where}: {'no access' if status == 403 else 'not found'} (HTTP {status})",
            hint="check repository and tag; a private repository needs a token",
        )
    raise NetworkError(f"{where}: unexpected answer (HTTP {status})")


def _described(error: Exception) -> str:
    """What failed, in a few words, without addresses."""
    if isinstance(error, httpx.TimeoutException):
        return {"ConnectTimeout": "connection timed out", "ReadTimeout": "read timed out"}.get(
            type(error).__name__, "timed out"
        )
    text = re.sub(r"\[(?:Errno|SSL)[^\]]*\] ?", "", str(error)).strip().rstrip(".")
    return (text[:1].lower() + text[1:]) or type(error).__name__
