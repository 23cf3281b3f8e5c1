"""A GitHub on this machine: releases and assets as the real API answers them, and faults on demand.

::

    with LocalGitHub() as github:
        github.publish("owner/repo", "v1.0.0", {"wheelhouse.tar.gz": content})
        github.break_next("/assets/", Fault(status=503))
        ...  # point the tool at github.api_url
        assert [seen.path for seen in github.seen] == [...]

There are two servers, as in reality: the API, and a storage on another origin that assets are redirected to and that
refuses requests which carry a token. Each listens on a free port of the loopback interface.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from attrs import define, field, frozen

from hephaestus_release.testing._answers import Answer, AnsweringServer, Fault, Served

__all__ = ["Answer", "Fault", "LocalGitHub", "Seen"]

Role = Literal["api", "storage"]


@frozen
class Seen:
    """One request that arrived.

    Attributes:
        role: which server it reached.
        path: path and query.
        headers: as sent, names in lower case.
    """

    role: Role
    path: str
    headers: dict[str, str]


@define
class _Asset:
    number: int
    name: str
    content: Served
    sha256: str


@define
class _Release:
    repository: str
    tag: str
    assets: list[_Asset]
    digests: bool
    amend: Callable[[dict[str, Any]], Any] | None = None


@define
class LocalGitHub:
    """The two servers. Use it as a context manager.

    Args:
        tls: make an `ssl.SSLContext` for servers here to have https; None for http.
        token: when given, all repositories are private: without this token they are not found.
        rate_limit: requests that the API still answers before it says 403; None for no limit.
        rate_reset: moment of the reset in seconds since the epoch, as the headers tell it.
    """

    tls: ssl.SSLContext | None = None
    token: str | None = None
    rate_limit: int | None = None
    rate_reset: int = 4_000_000_000
    seen: list[Seen] = field(factory=list, init=False)
    _releases: list[_Release] = field(factory=list, init=False)
    _faults: list[tuple[str, Fault]] = field(factory=list, init=False)
    _servers: dict[Role, AnsweringServer] = field(factory=dict, init=False)
    _threads: list[threading.Thread] = field(factory=list, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __enter__(self) -> LocalGitHub:
        for role in ("api", "storage"):
            self._start(role)
        return self

    def __exit__(self, *_exc: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def api_url(self) -> str:
        """Base of the API."""
        return self._base("api")

    @property
    def storage_url(self) -> str:
        """Base of the storage, another origin."""
        return self._base("storage")

    def publish(
        self,
        repository: str,
        tag: str,
        assets: Mapping[str, bytes | Path],
        *,
        digests: bool = True,
        amend: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        """Publish a release; the last one of a repository is its newest.

        Args:
            repository: `owner/repo`.
            tag: its tag.
            assets: content, or a file with it, by the asset's name.
            digests: whether the API tells the assets' digests, as it does for assets since 2025.
            amend: changes the answer before it is sent; what it returns is sent instead, unless None.
        """
        first = 1000 * (len(self._releases) + 1)
        listed = [
            _Asset(first + index, name, Served.of(content), _sha256(content))
            for index, (name, content) in enumerate(assets.items())
        ]
        self._releases.append(_Release(repository, tag, listed, digests, amend))

    def break_next(self, part: str, *faults: Fault) -> None:
        """Answer the next requests whose path has this part with these faults, one each, in order."""
        self._faults += [(part, fault) for fault in faults]

    def _start(self, role: Role) -> None:
        def respond(path: str, headers: dict[str, str]) -> Answer:
            with self._lock:
                self.seen.append(Seen(role, path, headers))
                return self._respond(role, path, headers)

        server = AnsweringServer(respond)
        if self.tls is not None:
            # The handshake belongs into the request's thread, not into the one that accepts.
            server.socket = self.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._servers[role] = server
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _base(self, role: Role) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._servers[role].server_port}"

    def _respond(self, role: Role, path: str, headers: dict[str, str]) -> Answer:
        fault = next((entry for entry in self._faults if entry[0] in path), None)
        if fault is not None:
            self._faults.remove(fault)
        answer = self._api(path, headers) if role == "api" else self._storage(path, headers)
        return answer if fault is None else fault[1].applied(answer)

    def _api(self, path: str, headers: dict[str, str]) -> Answer:
        given = headers.get("authorization")
        if self.token is not None and given is not None and given != f"Bearer {self.token}":
            return self._limited(_message(401, "Bad credentials"))
        if self.rate_limit is not None:
            if self.rate_limit == 0:
                return self._limited(_message(403, "API rate limit exceeded"))
            self.rate_limit -= 1
        parts = [unquote(part) for part in urlsplit(path).path.strip("/").split("/")]
        hidden = self.token is not None and given is None
        if hidden or parts[:1] != ["repos"] or parts[3:4] != ["releases"]:
            return self._limited(_message(404, "Not Found"))
        repository, rest = "/".join(parts[1:3]).lower(), parts[4:]
        here = [release for release in self._releases if release.repository.lower() == repository]
        return self._limited(self._lookup(here, rest, headers))

    def _lookup(self, releases: list[_Release], rest: list[str], headers: dict[str, str]) -> Answer:
        if rest[:1] == ["assets"] and len(rest) == 2:
            for release in releases:
                for asset in release.assets:
                    if str(asset.number) == rest[1]:
                        return self._asset(release, asset, headers)
        chosen = releases[-1:] if rest == ["latest"] else [r for r in releases if rest == ["tags", r.tag]]
        if not chosen:
            return _message(404, "Not Found")
        return Answer.json(self._described(chosen[0]))

    def _asset(self, release: _Release, asset: _Asset, headers: dict[str, str]) -> Answer:
        if headers.get("accept") != "application/octet-stream":
            return Answer.json(self._described_asset(release, asset))
        return Answer(302, {"Location": f"{self.storage_url}/{asset.number}?sig=one-time-secret&se=2030"})

    def _storage(self, path: str, headers: dict[str, str]) -> Answer:
        if "authorization" in headers:
            return Answer(400, {}, Served(b"InvalidArgument: only one auth mechanism allowed"))
        number = urlsplit(path).path.strip("/")
        for release in self._releases:
            for asset in release.assets:
                if str(asset.number) == number:
                    return asset.content.answer(headers, etag=f'"{asset.sha256[:32]}"')
        return Answer(404)

    def _limited(self, answer: Answer) -> Answer:
        left = 4999 if self.rate_limit is None else self.rate_limit
        answer.headers |= {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(self.rate_reset),
            "X-RateLimit-Used": "1",
            "X-RateLimit-Resource": "core",
        }
        return answer

    def _described(self, release: _Release) -> Any:
        base = f"{self.api_url}/repos/{release.repository}"
        answer = {
            "url": f"{base}/releases/1",
            "html_url": f"https://github.com/{release.repository}/releases/tag/{release.tag}",
            "assets_url": f"{base}/releases/1/assets",
            "id": 1,
            "node_id": "RE_1",
            "tag_name": release.tag,
            "target_commitish": "main",
            "name": release.tag,
            "draft": False,
            "prerelease": False,
            "created_at": "2024-01-01T00:00:00Z",
            "published_at": "2024-01-01T00:00:00Z",
            "assets": [self._described_asset(release, asset) for asset in release.assets],
            "body": "",
        }
        amended = release.amend(answer) if release.amend else None
        return answer if amended is None else amended

    def _described_asset(self, release: _Release, asset: _Asset) -> dict[str, Any]:
        page = f"https://github.com/{release.repository}/releases/download/{release.tag}/{asset.name}"
        return {
            "url": f"{self.api_url}/repos/{release.repository}/releases/assets/{asset.number}",
            "id": asset.number,
            "node_id": f"RA_{asset.number}",
            "name": asset.name,
            "label": "",
            "content_type": "application/octet-stream",
            "state": "uploaded",
            "size": asset.content.size,
            "digest": f"sha256:{asset.sha256}" if release.digests else None,
            "download_count": 0,
            "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "browser_download_url": page,
        }


def _message(status: int, text: str) -> Answer:
    body = {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Answer(status, {"Content-Type": "application/json; charset=utf-8"}, Served(json.dumps(body).encode()))


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
