"""Asset sources: what a plugin implements to let `hephaestus release` fetch from another forge.

A source builds requests and reads answers; it opens no connection itself. Redirects, tokens, deadlines, retries and
size limits are therefore the same for every forge. Hand a source in through
`hephaestus_release.hookspecs.hephaestus_release_sources`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from attrs import field, frozen

__all__ = ["Asset", "AssetSource", "Fetch", "Release", "Request"]


@frozen
class Request:
    """One GET request.

    Attributes:
        url: absolute; https, or http to this machine when the caller allowed that.
        headers: extra headers, such as `Accept`. The token is added by the transport, never by a source.
    """

    url: str
    headers: dict[str, str] = field(factory=dict)


Fetch: TypeAlias = Callable[[Request], bytes]
"""Sends a request of the metadata phase and returns the body; raises `NetworkError`."""


@frozen
class Asset:
    """One file of a release.

    Attributes:
        name: as the forge reports it; any string.
        size: in bytes, exact.
        url: where the bytes are; on the origin of the API when a token is needed.
        sha256: the forge's own digest, 64 lower-case hexadecimal digits; None when it has none.
        problem: why this asset cannot be used, e.g. a malformed digest. It matters only if the asset is selected.
    """

    name: str
    size: int
    url: str
    sha256: str | None = None
    problem: str | None = None


@frozen
class Release:
    """A published release.

    Attributes:
        repository: as the caller named it, e.g. `owner/repo`.
        tag: the resolved tag.
        url: the page of the release, for people.
        assets: all files of the release, in the forge's order.
    """

    repository: str
    tag: str
    url: str
    assets: tuple[Asset, ...]


class AssetSource(Protocol):
    """A forge that publishes releases with assets."""

    @property
    def name(self) -> str:
        """Short name for `--source`, e.g. `github`."""

    @property
    def api_url(self) -> str:
        """Base of the public API, e.g. `https://api.example.com`."""

    @property
    def api_url_variable(self) -> str:
        """Environment variable that replaces `api_url`, e.g. `GITHUB_API_URL`."""

    @property
    def token_variables(self) -> tuple[str, ...]:
        """Environment variables that may hold the token, first one wins."""

    def check_repository(self, repository: str) -> None:
        """Refuse a malformed repository name.

        Raises:
            UsageError: with the expected form.
        """

    def repository_uri(self, api_url: str, repository: str) -> str:
        """The URI under which certificates name the repository, e.g. `https://github.com/owner/repo`."""

    def release(self, api_url: str, repository: str, tag: str | None, fetch: Fetch) -> Release:
        """Look the release up.

        Args:
            api_url: base of the API, without a trailing slash.
            repository: a name that `check_repository` accepted.
            tag: exact tag, or None for the newest release.
            fetch: sends a request and returns the body.

        Raises:
            NetworkError: the answer is not a release.
        """

    def asset_request(self, asset: Asset) -> Request:
        """The request that downloads the asset's bytes."""
