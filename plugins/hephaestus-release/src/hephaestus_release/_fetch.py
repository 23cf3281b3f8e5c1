"""Fetching the files of one release into the staging folder, with the events of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

from hephaestus.telemetry import emit_event
from hephaestus_release._cache import ArchiveCache
from hephaestus_release._names import sanitise
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._retry import Retry
from hephaestus_release._sink import FileSink, Sink
from hephaestus_release._staging import Staging
from hephaestus_release._token import Token
from hephaestus_release.errors import AssetError, VerificationError
from hephaestus_release.events import (
    RELEASE_ASSET_SANITISED,
    RELEASE_DOWNLOAD_COMPLETE,
    RELEASE_DOWNLOAD_START,
    RELEASE_HTTP_RETRY,
    RELEASE_METADATA_FETCH,
    RELEASE_NETWORK_RETRY,
)
from hephaestus_release.sources import Asset, AssetSource, Release, Request

__all__ = ["LARGEST_COMPANION", "Fetcher", "OnBytes", "Received"]

logger = logging.getLogger("hephaestus.release")

_LARGEST_METADATA: Final = 32 * 1024 * 1024
LARGEST_COMPANION: Final = 4 * 1024 * 1024

OnBytes = Callable[[int, int], None]
"""Told of bytes received so far, and of all bytes."""


@frozen
class Received:
    """A file that has arrived.

    Attributes:
        part: its temporary name.
        name: the name it will be saved under.
        size: in bytes.
        sha256: 64 lower-case hexadecimal digits.
        from_cache: whether it came from the cache instead of the network.
    """

    part: Path
    name: str
    size: int
    sha256: str
    from_cache: bool = False


class _Transport(Protocol):
    def fetch(self, request: Request, *, largest: int, on_retry: Callable[[Retry], None]) -> bytes: ...

    def receive(
        self, request: Request, sink: Sink, *, size: int | None, largest: int, on_retry: Callable[[Retry], None]
    ) -> None: ...

    def close(self) -> None: ...


class Fetcher:
    """One release's files. Use it as a context manager.

    Args:
        options: the run's options.
        source: the forge.
        api_url: base of its API.
        token: for the API; None for anonymous access.
    """

    def __init__(self, options: ReleaseOptions, source: AssetSource, api_url: str, token: Token | None) -> None:
        from hephaestus_release._http import Transport

        self._options = options
        self._source = source
        self._api_url = api_url
        self._transport: _Transport = Transport(
            options.limits, api_url=api_url, token=token, loopback_http=options.loopback_http
        )
        self._saved: dict[str, str] = {}

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._transport.close()

    def release(self) -> Release:
        """Look the release up."""
        emit_event(logger, RELEASE_METADATA_FETCH, message=f"Looking up {self._options.repository}")

        def fetch(request: Request) -> bytes:
            return self._transport.fetch(request, largest=_LARGEST_METADATA, on_retry=_report_lookup)

        return self._source.release(self._api_url, self._options.repository, self._options.tag, fetch)

    def saved_name(self, asset: Asset) -> str:
        """The name that the asset is saved under; an event tells when it is not its own.

        Raises:
            AssetError: another asset of this run has that name.
        """
        if asset.name in self._saved:
            return self._saved[asset.name]
        name = sanitise(asset.name)
        if name.casefold() in {other.casefold() for other in self._saved.values()}:
            raise AssetError(f"two assets would be saved as {name!r}: {asset.name!r} is one of them")
        self._saved[asset.name] = name
        if name != asset.name:
            emit_event(
                logger,
                RELEASE_ASSET_SANITISED,
                message="The asset is saved under another name",
                original_name=asset.name,
                sanitised_name=name,
            )
        return name

    def archive(self, asset: Asset, staging: Staging, cache: ArchiveCache | None, on_bytes: OnBytes) -> Received:
        """Download the archive, or take it from the cache, and compare it with what the forge says of it.

        Raises:
            AssetError: too large, or more bytes than announced.
            VerificationError: the forge's own digest differs.
        """
        name = self.saved_name(asset)
        part, final = staging.part(name), staging.destination / name
        if asset.size > self._options.budget.size:
            raise AssetError(
                f"{asset.name!r} has {asset.size} bytes, more than the {self._options.budget.size} allowed"
            )
        emit_event(
            logger,
            RELEASE_DOWNLOAD_START,
            message="Downloading release asset",
            asset=asset.name,
            destination=final,
            overwrite=self._options.overwrite,
        )
        size = cache.take(asset.sha256, part) if cache and asset.sha256 else None
        sha256 = asset.sha256 if size is not None and asset.sha256 else self._download(asset, part, on_bytes)
        if size not in {None, asset.size}:
            raise VerificationError(f"{asset.name!r} has {size} bytes, but the forge announces {asset.size}")
        if asset.sha256 is not None and asset.sha256 != sha256:
            raise VerificationError(
                f"{asset.name!r} has the digest sha256:{sha256}, but the forge announces sha256:{asset.sha256}"
            )
        emit_event(
            logger, RELEASE_DOWNLOAD_COMPLETE, message="Downloaded release asset", asset=asset.name, destination=final
        )
        return Received(part, name, asset.size, sha256, from_cache=size is not None)

    def companion(self, asset: Asset, staging: Staging) -> bytes:
        """Download a manifest or bundle, and keep it next to the archive."""
        part = staging.part(self.saved_name(asset))
        if asset.size > LARGEST_COMPANION:
            raise AssetError(f"{asset.name!r} has {asset.size} bytes, more than the {LARGEST_COMPANION} allowed")
        sha256 = self._download(asset, part, lambda _now, _all: None)
        if asset.sha256 is not None and asset.sha256 != sha256:
            raise VerificationError(f"{asset.name!r} does not have the digest that the forge announces")
        return part.read_bytes()

    def _download(self, asset: Asset, part: Path, on_bytes: OnBytes) -> str:
        request = self._source.asset_request(asset)
        with part.open("xb") as file:
            sink = FileSink(file)
            watched = _Watched(sink, lambda now: on_bytes(now, asset.size))
            self._transport.receive(request, watched, size=asset.size, largest=asset.size, on_retry=_report_download)
            return sink.sha256()


class _Watched:
    """A sink that tells how far it has come."""

    def __init__(self, sink: FileSink, on_bytes: Callable[[int], None]) -> None:
        self._sink = sink
        self._on_bytes = on_bytes
        self.received = 0

    def write(self, chunk: bytes) -> None:
        self._sink.write(chunk)
        self.received += len(chunk)
        self._on_bytes(self.received)

    def restart(self) -> None:
        self._sink.restart()
        self.received = 0


def _report_lookup(retry: Retry) -> None:
    emit_event(
        logger,
        RELEASE_NETWORK_RETRY,
        level=logging.WARNING,
        message="Looking up the release failed and is tried again",
        url=retry.url,
        attempt=retry.attempt,
        max_retries=retry.attempts,
        reason=retry.reason,
        backoff_seconds=retry.delay,
    )


def _report_download(retry: Retry) -> None:
    emit_event(
        logger,
        RELEASE_HTTP_RETRY,
        level=logging.WARNING,
        message="The download failed and is tried again",
        url=retry.url,
        attempt=retry.attempt,
        max_retries=retry.attempts,
        http_status=retry.status,
        backoff_seconds=retry.delay,
        description=retry.reason,
    )
