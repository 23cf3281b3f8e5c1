"""The transport: who sees the token, what is retried, what a hostile server can do."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
import trustme

from hephaestus_release._http import Transport
from hephaestus_release._retry import Limits, Retry
from hephaestus_release._sink import FileSink, MemorySink
from hephaestus_release._token import Token
from hephaestus_release.errors import AssetError, NetworkError
from hephaestus_release.sources import Request
from hephaestus_release.testing.github import Fault, LocalGitHub

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
CONTENT = hashlib.sha256(b"seed").digest() * 8192
OCTETS = {"Accept": "application/octet-stream"}


@pytest.fixture
def github() -> Iterator[LocalGitHub]:
    with LocalGitHub() as server:
        server.publish("octo/widgets", "v1", {"file.bin": CONTENT})
        yield server


def quick(**changes: float) -> Limits:
    values = {"timeout": 5.0, "attempts": 3, "backoff": 0.01, "longest_wait": 2.0, **changes}
    return Limits(**values)  # type: ignore[arg-type]


class Client:
    """A transport to the local API, and the retries that it told of."""

    def __init__(self, github: LocalGitHub, limits: Limits | None = None, token: str | None = None) -> None:
        self.github = github
        self.retries: list[Retry] = []
        self.transport = Transport(
            limits or quick(),
            api_url=github.api_url,
            token=Token(token, "test") if token else None,
            loopback_http=True,
        )

    @property
    def asset(self) -> Request:
        return Request(f"{self.github.api_url}/repos/octo/widgets/releases/assets/1000", OCTETS)

    def fetch(self, request: Request, largest: int = 1 << 20) -> bytes:
        with self.transport as transport:
            return transport.fetch(request, largest=largest, on_retry=self.retries.append)

    def receive(self, size: int | None = len(CONTENT)) -> bytes:
        sink = MemorySink()
        with self.transport as transport:
            transport.receive(self.asset, sink, size=size, largest=1 << 20, on_retry=self.retries.append)
        return sink.content()


# ---- the token ------------------------------------------------------------------------------------------------------


def test_the_token_reaches_the_api_and_never_the_storage(github: LocalGitHub) -> None:
    github.token = SECRET
    assert Client(github, token=SECRET).receive() == CONTENT
    by_role = {seen.role: seen.headers.get("authorization") for seen in github.seen}
    assert by_role == {"api": f"Bearer {SECRET}", "storage": None}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_to_another_origin(github: LocalGitHub, status: int) -> None:
    target = f"{github.storage_url}/1000"
    github.break_next("/assets/", Fault(status=status, headers={"Location": target}))
    assert Client(github, token=SECRET).receive() == CONTENT
    assert [("authorization" in seen.headers) for seen in github.seen] == [True, False]


def test_headers_of_the_source_stay_on_the_first_origin(github: LocalGitHub) -> None:
    client = Client(github)
    with client.transport as transport:
        request = Request(client.asset.url, {**OCTETS, "X-Forge-Secret": "1"})
        transport.fetch(request, largest=1 << 20, on_retry=client.retries.append)
    assert [("x-forge-secret" in seen.headers) for seen in github.seen] == [True, False]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://example.com/file", "is not https"),
        ("ftp://example.com/file", "is not https"),
        ("file:///etc/passwd", "malformed address"),
        ("//user:pw@127.0.0.1/file", "carries user info"),
        ("http://127.0.0.1:99999/file", "malformed address"),
        ("http://localhost.example.com/", "is not https"),
    ],
)
def test_a_redirect_to_anything_but_https_is_refused(github: LocalGitHub, location: str, reason: str) -> None:
    github.break_next("/assets/", Fault(status=302, headers={"Location": location}))
    with pytest.raises(NetworkError, match=reason) as caught:
        Client(github, token=SECRET).receive()
    assert "pw" not in str(caught.value)
    assert len(github.seen) == 1


@pytest.mark.parametrize("location", ["http://[::1/file", "https://[/", "\x01"])
def test_a_redirect_that_cannot_be_read_is_an_error(github: LocalGitHub, location: str) -> None:
    github.break_next("/assets/", *[Fault(status=302, headers={"Location": location})] * 3)
    with pytest.raises(NetworkError):
        Client(github).receive()
    assert {seen.role for seen in github.seen} == {"api"}


def test_plain_http_is_refused_unless_it_was_asked_for(github: LocalGitHub) -> None:
    with Transport(quick(), api_url=github.api_url) as transport, pytest.raises(NetworkError, match="is not https"):
        transport.fetch(Request(github.api_url), largest=10, on_retry=lambda _: None)
    assert github.seen == []


def test_more_than_five_redirects_are_refused(github: LocalGitHub) -> None:
    loop = f"{github.api_url}/repos/octo/widgets/releases/assets/1000"
    github.break_next("/assets/", *[Fault(status=302, headers={"Location": loop}) for _ in range(9)])
    with pytest.raises(NetworkError, match="more than 5 redirects"):
        Client(github).receive()
    assert len(github.seen) == 6


def _frames(error: BaseException | None) -> Iterator[TracebackType]:
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield trace
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=401),
        Fault(status=500),
        Fault(cut=5),
        Fault(status=302, headers={"Location": "http://example.com"}),
        Fault(headers={"Content-Length": "banana"}),
    ],
)
def test_no_traceback_shows_the_token_even_with_its_locals(github: LocalGitHub, fault: Fault) -> None:
    github.break_next("/releases", fault, fault, fault)
    with pytest.raises(NetworkError) as caught:
        Client(github, token=SECRET).fetch(Request(f"{github.api_url}/repos/octo/widgets/releases/latest"))
    shown = "".join(traceback.format_exception(caught.value))
    # Frames of this test hold the constant itself; every other frame is the product's or a library's.
    own = [trace for trace in _frames(caught.value) if trace.tb_frame.f_code.co_filename != __file__]
    shown += "".join(repr(value) for trace in own for value in trace.tb_frame.f_locals.values())
    assert own
    assert SECRET not in shown
    assert any(seen.headers.get("authorization") == f"Bearer {SECRET}" for seen in github.seen)


def test_nothing_is_logged_by_the_http_library(github: LocalGitHub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Client(github, token=SECRET).receive()
    assert "one-time-secret" not in caplog.text
    assert SECRET not in caplog.text


# ---- bodies ---------------------------------------------------------------------------------------------------------


def test_a_broken_transfer_goes_on_where_it_broke_off(github: LocalGitHub) -> None:
    github.break_next("?sig", Fault(cut=100_000), Fault(cut=50_000))
    client = Client(github)
    assert client.receive() == CONTENT
    ranges = [seen.headers.get("range") for seen in github.seen if seen.role == "storage"]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert all("if-range" in seen.headers for seen in github.seen if "range" in seen.headers)
    assert [retry.attempt for retry in client.retries] == [1, 2]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(github: LocalGitHub) -> None:
    github.break_next("?sig", Fault(cut=100_000, headers={"ETag": '"an-older-file"'}))
    assert Client(github).receive() == CONTENT


@pytest.mark.parametrize(
    "content_range", [None, "bytes 0-9/262144", "bytes 5-262143/262144", "bytes 100000-262143/999999", "nonsense"]
)
def test_an_answer_with_the_wrong_range_starts_over(github: LocalGitHub, content_range: str | None) -> None:
    wrong = Fault(headers={"Content-Range": content_range})
    github.break_next("?sig", Fault(cut=100_000), wrong)
    assert Client(github).receive() == CONTENT


def test_without_a_strong_etag_nothing_is_resumed(github: LocalGitHub) -> None:
    for etag in ('W/"weak"', None, "unquoted"):
        github.seen.clear()
        github.break_next("?sig", Fault(cut=100_000, headers={"ETag": etag}))
        assert Client(github).receive() == CONTENT
        assert not any("range" in seen.headers for seen in github.seen)


@pytest.mark.parametrize("hide", [True, False])
def test_a_truncated_body_is_never_taken_for_the_whole(github: LocalGitHub, hide: bool) -> None:
    cuts = [Fault(cut=0, hide_length=hide), Fault(cut=10, hide_length=hide), Fault(cut=20, hide_length=hide)]
    github.break_next("?sig", *cuts)
    with pytest.raises(NetworkError, match=r"tried 3 times"):
        Client(github).receive()


def test_a_body_longer_than_announced_is_refused_at_once(github: LocalGitHub) -> None:
    github.break_next("?sig", Fault(body=CONTENT + b"more"))
    with pytest.raises(AssetError, match="more than the 262144 bytes"):
        Client(github).receive()


def test_a_compressed_body_is_not_unpacked(github: LocalGitHub) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    github.break_next("?sig", Fault(body=bomb, headers={"Content-Encoding": "gzip"}))
    assert Client(github).receive(size=len(bomb)) == bomb
    assert {seen.headers["accept-encoding"] for seen in github.seen} == {"identity"}


def test_an_endless_answer_to_a_lookup_is_cut(github: LocalGitHub) -> None:
    with pytest.raises(AssetError, match="more than the 100 bytes"):
        Client(github).fetch(Request(f"{github.api_url}/repos/octo/widgets/releases/latest"), largest=100)


# ---- patience -------------------------------------------------------------------------------------------------------


def test_a_trickle_of_bytes_does_not_outlive_the_minimum_rate(github: LocalGitHub) -> None:
    github.break_next("?sig", *[Fault(pace=(1, 0.02))] * 2)
    with pytest.raises(NetworkError, match="slower than 1024 bytes a second"):
        Client(github, quick(timeout=0.2, attempts=2)).receive()


def test_a_trickle_of_the_head_does_not_outlive_the_timeout(github: LocalGitHub) -> None:
    github.break_next("/assets/", *[Fault(slow_head=0.05)] * 2)
    with pytest.raises(NetworkError, match=r"no answer within 0\.3 s"):
        Client(github, quick(timeout=0.3, attempts=2)).receive()


def test_a_download_does_not_outlive_its_deadline(github: LocalGitHub) -> None:
    github.break_next("?sig", Fault(pace=(2000, 0.02)))
    with pytest.raises(NetworkError, match=r"longer than 0\.3 s"):
        Client(github, quick(deadline=0.3)).receive()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(github: LocalGitHub, status: int) -> None:
    github.break_next("/assets/", Fault(status=status))
    client = Client(github)
    assert client.receive() == CONTENT
    (retry,) = client.retries
    assert (retry.attempt, retry.attempts, retry.status) == (1, 3, status)
    assert str(status) in retry.reason
    assert retry.url == client.asset.url


def test_addresses_are_told_without_their_query(github: LocalGitHub) -> None:
    github.break_next("?key", Fault(status=503))
    client = Client(github)
    with pytest.raises(NetworkError) as caught:
        client.fetch(Request(f"{github.api_url}/nowhere?key=secret#part"))
    assert client.retries[0].url == f"{github.api_url}/nowhere"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("status", "hint"), [(401, "token"), (403, "token"), (404, "token"), (410, "token")])
def test_a_lasting_trouble_is_not_tried_again(github: LocalGitHub, status: int, hint: str) -> None:
    github.break_next("/assets/", Fault(status=status))
    with pytest.raises(NetworkError, match=str(status)) as caught:
        Client(github).receive()
    assert hint in (caught.value.hint or "")
    assert len(github.seen) == 1


def test_the_asked_pause_is_kept(github: LocalGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("hephaestus_release._http.time.sleep", pauses.append)
    github.break_next("/assets/", Fault(status=429, headers={"Retry-After": "2"}), Fault(status=503))
    client = Client(github)
    assert client.receive() == CONTENT
    assert pauses == [retry.delay for retry in client.retries]
    assert pauses[0] == 2.0


def test_a_pause_that_is_too_long_ends_the_run_and_says_until_when(github: LocalGitHub) -> None:
    github.rate_limit = 0
    with pytest.raises(NetworkError, match=r"rate limit reached .* wait until \d\d:\d\d:\d\d UTC") as caught:
        Client(github).receive()
    assert "token" in (caught.value.hint or "")
    assert len(github.seen) == 1


def test_a_server_that_is_not_there_is_an_error_without_a_traceback() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        refusal = pytest.raises(NetworkError, match=r"connection refused \(tried 3 times\)")
        with Transport(quick(), api_url=url, loopback_http=True) as transport, refusal:
            transport.fetch(Request(f"{url}/x"), largest=10, on_retry=lambda _: None)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"\0" * 100])
def test_an_answer_that_is_no_http_is_an_error_without_a_traceback(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                client, _address = server.accept()
                client.recv(65536)
                client.sendall(answer)
                client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        refusal = pytest.raises(NetworkError, match="tried 2 times")
        with Transport(quick(attempts=2), api_url=url, loopback_http=True) as transport, refusal:
            transport.fetch(Request(url), largest=10, on_retry=lambda _: None)
        thread.join()


# ---- https ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[LocalGitHub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with LocalGitHub(tls=context) as server:
        server.publish("octo/widgets", "v1", {"file.bin": CONTENT})
        yield server


def test_https_works_with_a_trusted_certificate(
    secure: LocalGitHub, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    secure.break_next("?sig", Fault(cut=70_000))
    assert Client(secure).receive() == CONTENT


def test_https_with_a_strange_certificate_is_refused(secure: LocalGitHub) -> None:
    with pytest.raises(NetworkError, match="certificate verify failed"):
        Client(secure, quick(attempts=1)).receive()


def test_https_never_falls_back_to_http(
    secure: LocalGitHub, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    plain = secure.storage_url.replace("https://", "http://")
    secure.break_next("/assets/", Fault(status=302, headers={"Location": f"{plain}/1000"}))
    request = Request(f"{secure.api_url}/repos/octo/widgets/releases/assets/1000", OCTETS)
    with Transport(quick(), api_url=secure.api_url) as transport, pytest.raises(NetworkError, match="is not https"):
        transport.fetch(request, largest=1 << 20, on_retry=lambda _: None)


# ---- the sink -------------------------------------------------------------------------------------------------------


def test_a_file_is_hashed_as_it_is_written_and_again_after_a_restart() -> None:
    file = io.BytesIO()
    sink = FileSink(file)
    sink.write(b"wrong start")
    sink.restart()
    for at in range(0, len(CONTENT), 1000):
        sink.write(CONTENT[at : at + 1000])
    assert sink.sha256() == hashlib.sha256(CONTENT).hexdigest()
    assert sink.received == len(CONTENT)
    assert file.getvalue() == CONTENT
