"""The chain from a repository's name to verified wheels in a folder, every link of it an event."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from attrs import evolve, frozen

from hephaestus.errors import HephaestusError, UsageError
from hephaestus.plugins import PluginHost
from hephaestus.telemetry import emit_event, operation_context
from hephaestus_release._archive import Unpacked, unpack
from hephaestus_release._assets import companion, select
from hephaestus_release._attestation import check_signer
from hephaestus_release._cache import ArchiveCache
from hephaestus_release._checksums import parse
from hephaestus_release._fetch import Fetcher, OnBytes, Received
from hephaestus_release._levels import Level
from hephaestus_release._lock import Sighting, check_sighting, record_sighting
from hephaestus_release._names import sanitise
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._receipt import build_receipt
from hephaestus_release._staging import Staging, publish_file, publish_tree
from hephaestus_release._token import find_token
from hephaestus_release._urls import check_url
from hephaestus_release._wheels import Wheel, check_wheel, one_version_each
from hephaestus_release.errors import ManifestError, VerificationError, WheelError
from hephaestus_release.events import (
    RELEASE_ASSET_SELECTED,
    RELEASE_EXTRACT_COMPLETE,
    RELEASE_EXTRACT_START,
    RELEASE_MANIFEST_DOWNLOAD,
    RELEASE_MANIFEST_LOCATE,
    RELEASE_MANIFEST_SKIPPED,
    RELEASE_MANIFEST_VERIFIED,
)
from hephaestus_release.sources import Asset, AssetSource, Release
from hephaestus_release.verifiers import Candidate, Evidence, Verifier

__all__ = ["Fetched", "default_destination", "fetch_release", "find_source"]

logger = logging.getLogger("hephaestus.release")

_SUFFIXES: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar", ".zip", ".whl")


@frozen
class Fetched:
    """A release that passed every check and lies unpacked in its folder.

    Attributes:
        release: as the forge reports it.
        asset: the archive, as the forge reports it.
        archive: the downloaded file.
        directory: the unpacked folder.
        wheels: the wheels in it, each compared with its RECORD.
        level: how far the release was verified.
        receipt: the evidence, as JSON values.
    """

    release: Release
    asset: Asset
    archive: Path
    directory: Path
    wheels: tuple[Wheel, ...]
    level: Level
    receipt: dict[str, Any]


@frozen
class _Manifest:
    """A manifest that lists the archive's digest."""

    name: str
    text: str


def find_source(host: PluginHost, name: str) -> AssetSource:
    """The asset source of that name.

    Raises:
        UsageError: no plugin offers it, or several do.
    """
    every = [source for answer in host.call("hephaestus_release_sources") for source in answer.value]
    found = [source for source in every if source.name == name]
    if len(found) != 1:
        known = ", ".join(sorted({source.name for source in every})) or "none"
        what = f"no asset source is called {name!r}" if not found else f"several asset sources are called {name!r}"
        raise UsageError(what, hint=f"known sources: {known}")
    source: AssetSource = found[0]
    return source


def default_destination(options: ReleaseOptions) -> Path:
    """The folder for the repository's releases below the cache, where no other destination is given."""
    parts = [sanitise(quote(part, safe="")) for part in options.repository.split("/")]
    return options.cache_dir.joinpath("releases", options.source, *parts)


def fetch_release(options: ReleaseOptions, host: PluginHost, on_bytes: OnBytes = lambda _now, _all: None) -> Fetched:
    """Download, verify and unpack a release; nothing stays behind unless all of it succeeds.

    Args:
        options: which release, and what it must prove.
        host: whose plugins give sources and verifiers.
        on_bytes: told of the download's progress.

    Raises:
        UsageError: an option that will not do.
        ReleaseError: the release cannot be fetched, or is refused.
    """
    source = find_source(host, options.source)
    source.check_repository(options.repository)
    api_url = (options.api_url or os.environ.get(source.api_url_variable) or source.api_url).rstrip("/")
    check_url(api_url, loopback_http=options.loopback_http)
    token = find_token(options.token_file, source.token_variables)
    check_signer(options)
    verifiers = _verifiers(host, options)
    with (
        operation_context("release.download", repository=options.repository),
        Fetcher(options, source, api_url, token) as fetcher,
    ):
        release = fetcher.release()
        key = f"{api_url} {options.repository.lower()}"
        chain = _Chain(options, fetcher, release, source.repository_uri(api_url, options.repository), key)
        return chain.run(verifiers, on_bytes)


def _verifiers(host: PluginHost, options: ReleaseOptions) -> list[Verifier]:
    """All verifiers; those that must be there are."""
    found: list[Verifier] = []
    for plugin, offered in host.call("hephaestus_release_verifiers", options=options):
        try:
            found += offered
        except Exception as error:
            raise VerificationError(f"the plugin {plugin!r} failed to give its verifiers: {error}") from error
    for name in {"sigstore", *options.required_verifiers} - {verifier.name for verifier in found}:
        raise VerificationError(f"the verifier {name!r} is not there", hint="see `hephaestus plugins`")
    return found


class _Chain:
    """One release on its way through the checks."""

    def __init__(
        self, options: ReleaseOptions, fetcher: Fetcher, release: Release, repository_uri: str, key: str
    ) -> None:
        self._options = options
        self._fetcher = fetcher
        self._release = release
        self._repository_uri = repository_uri
        self._key = key

    def run(self, verifiers: list[Verifier], on_bytes: OnBytes) -> Fetched:
        options = self._options
        asset = select(
            self._release, options.asset_pattern, companions=[options.manifest_pattern, options.sigstore_pattern]
        )
        emit_event(logger, RELEASE_ASSET_SELECTED, message="Selected release asset", asset=asset.name, size=asset.size)
        manifest_asset = self._find_manifest(asset)
        cache = ArchiveCache(options.cache_dir) if options.use_cache else None
        destination = options.destination or default_destination(options) / sanitise(quote(self._release.tag, safe=""))
        with Staging(destination) as staging:
            received = self._fetcher.archive(asset, staging, cache, on_bytes)
            manifest = self._check_manifest(asset, manifest_asset, received, staging)
            evidence = self._ask(verifiers, asset, received, staging)
            level = _level(asset, manifest, evidence)
            level.require(options.require)
            seen = self._sighting(asset, received, level, evidence)
            if not options.accept_change:
                check_sighting(options.lock_file, seen)
            directory, files, wheels = self._unpack(received, staging)
            receipt = build_receipt(
                self._release, asset, received, directory, level, wheels, files,
                source=options.source,
                manifest={"name": manifest.name, "text": manifest.text} if manifest else None,
                evidence=evidence,
                bundle=self._bundle_text(staging, evidence),
            )  # fmt: skip
            archive = self._publish(received, staging, cache)
        record_sighting(options.lock_file, seen)
        return Fetched(self._release, asset, archive, directory, wheels, level, receipt)

    def _find_manifest(self, asset: Asset) -> Asset | None:
        """The manifest; its absence is refused before a byte of the archive is fetched."""
        found = companion(self._release, asset, self._options.manifest_pattern, "--manifest-pattern")
        if found is None and not self._options.allow_unsigned:
            self._emit_locate()
            raise ManifestError(
                f"no checksum manifest for {asset.name!r} matches {self._options.manifest_pattern!r}",
                hint="name its pattern with --manifest-pattern, or accept the risk with --allow-unsigned",
            )
        return found

    def _emit_locate(self) -> None:
        pattern = self._options.manifest_pattern
        emit_event(logger, RELEASE_MANIFEST_LOCATE, message="Looking for a checksum manifest", pattern=pattern)

    def _check_manifest(
        self, asset: Asset, manifest: Asset | None, received: Received, staging: Staging
    ) -> _Manifest | None:
        self._emit_locate()
        if manifest is None:
            emit_event(logger, RELEASE_MANIFEST_SKIPPED, message="No manifest; allowed", asset=asset.name)
            return None
        destination = staging.destination / self._fetcher.saved_name(manifest)
        emit_event(
            logger,
            RELEASE_MANIFEST_DOWNLOAD,
            message="Downloading checksum manifest",
            manifest=manifest.name,
            destination=destination,
        )
        raw = self._fetcher.companion(manifest, staging)
        listed = parse(raw)
        digest = listed.bare if manifest.name.startswith(f"{asset.name}.") and listed.bare else None
        digest = digest or listed.digest_of(asset.name)
        if digest is None:
            raise ManifestError(f"the manifest {manifest.name!r} does not list {asset.name!r}")
        if digest != received.sha256:
            raise ManifestError(
                f"{asset.name!r} has the digest sha256:{received.sha256}, but {manifest.name!r} lists sha256:{digest}",
                hint="do not use this archive; tell the publisher",
            )
        emit_event(logger, RELEASE_MANIFEST_VERIFIED, message="The manifest lists it", asset=asset.name, digest=digest)
        return _Manifest(manifest.name, raw.decode("utf-8"))

    def _ask(self, verifiers: list[Verifier], asset: Asset, received: Received, staging: Staging) -> list[Evidence]:
        """Every verifier's evidence; the first that raises, whatever it raises, ends the run."""
        candidate = Candidate(
            release=self._release,
            repository_uri=self._repository_uri,
            asset=asset,
            path=received.part,
            size=received.size,
            sha256=received.sha256,
            saved_path=lambda other: staging.destination / self._fetcher.saved_name(other),
            download=lambda other: self._fetcher.companion(other, staging),
        )
        evidence = []
        for verifier in verifiers:
            try:
                found = verifier.verify(candidate)
            except HephaestusError:
                raise
            except (Exception, SystemExit) as error:
                raise VerificationError(f"the verifier {verifier.name!r} failed: {error}") from error
            if found is not None:
                evidence.append(found)
            elif verifier.name in self._options.required_verifiers:
                raise VerificationError(f"the verifier {verifier.name!r} has nothing to say, but it is required")
        return evidence

    def _sighting(self, asset: Asset, received: Received, level: Level, evidence: list[Evidence]) -> Sighting:
        details: Mapping[str, Any] = next((one.details for one in evidence if one.verifier == "sigstore"), {})
        return Sighting(
            key=self._key,
            tag=self._release.tag,
            newest=self._options.tag is None,
            asset=asset.name,
            sha256=received.sha256,
            level=level,
            issuer=details.get("issuer"),
            signer=details.get("source_repository") or details.get("subject"),
        )

    def _unpack(self, received: Received, staging: Staging) -> tuple[Path, list[Unpacked], tuple[Wheel, ...]]:
        """Unpack, compare each wheel with its RECORD, and only then give the folder its name."""
        directory = staging.destination / _stem(received.name)
        overwrite = self._options.overwrite
        emit_event(logger, RELEASE_EXTRACT_START, message="Unpacking", destination=directory, overwrite=overwrite)
        tree = staging.folder / "tree"
        files = unpack(received.part, tree, self._options.budget)
        names = [file.path for file in files if file.path.endswith(".whl")]
        wheels = [check_wheel(tree / name) for name in names]
        if not wheels:
            raise WheelError("the archive holds no wheels", hint="choose another one with --asset-pattern")
        one_version_each(wheels)
        publish_tree(tree, directory, overwrite=overwrite, aside=staging.folder / "replaced")
        emit_event(logger, RELEASE_EXTRACT_COMPLETE, message="Unpacked", destination=directory)
        final = tuple(evolve(wheel, path=directory / name) for name, wheel in zip(names, wheels, strict=True))
        return directory, files, final

    def _publish(self, received: Received, staging: Staging, cache: ArchiveCache | None) -> Path:
        """Give archive, manifest and bundle their names, and keep the archive in the cache."""
        if cache is not None and not received.from_cache:
            cache.put(received.sha256, received.part)
        for part in sorted(staging.folder.glob("*.part")):
            final = staging.destination / part.name.removesuffix(".part")
            publish_file(part, final, overwrite=self._options.overwrite)
        return staging.destination / received.name

    def _bundle_text(self, staging: Staging, evidence: list[Evidence]) -> str | None:
        name = next((one.details.get("bundle") for one in evidence if one.verifier == "sigstore"), None)
        asset = next((asset for asset in self._release.assets if asset.name == name), None)
        return staging.part(self._fetcher.saved_name(asset)).read_text("utf-8") if asset else None


def _level(asset: Asset, manifest: _Manifest | None, evidence: list[Evidence]) -> Level:
    """The highest level that something proved."""
    reached = [Level.NONE]
    if asset.sha256 is not None:
        reached.append(Level.DIGEST)
    if manifest is not None:
        reached.append(Level.CHECKSUM)
    reached += [Level.parse(one.level) for one in evidence if one.level is not None]
    return max(reached)


def _stem(name: str) -> str:
    """The folder's name: the archive's without the suffix of its kind."""
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one) and len(name) > len(one)), None)
    return name[: -len(suffix)] if suffix else f"{name}.d"
