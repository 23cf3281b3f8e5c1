"""What a run of the release pipeline was asked for."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from hephaestus_release._archive import Budget
from hephaestus_release._config import ASSET_PATTERN, MANIFEST_PATTERN, SIGSTORE_PATTERN
from hephaestus_release._levels import Level
from hephaestus_release._retry import Limits

__all__ = ["ReleaseOptions"]


@frozen(kw_only=True)
class ReleaseOptions:
    """Everything that decides which release is fetched and what it must prove.

    Attributes:
        repository: e.g. `owner/repo`; the source says what is well formed.
        tag: exact tag; None for the newest release.
        source: name of the asset source.
        api_url: base of the API; None for the source's own, or its variable.
        loopback_http: accept plain http to this machine.
        token_file: file with the token; None to look at the source's variables.
        asset_pattern: comma-separated globs of the archive.
        manifest_pattern: comma-separated globs of the checksum manifest.
        sigstore_pattern: comma-separated globs of the Sigstore bundle.
        destination: folder for archive, manifest, bundle and wheels; None for one below the cache.
        cache_dir: where verified archives and receipts are kept.
        use_cache: take a verified archive from the cache, and keep one there.
        lock_file: what earlier runs saw of each repository.
        accept_change: accept what the lock file would refuse, and record it.
        overwrite: replace files of other content in the destination.
        allow_unsigned: accept a release without a checksum manifest.
        require: level that the release must reach.
        require_sigstore: refuse a release without a Sigstore bundle.
        any_signer: accept a bundle whoever signed it.
        signer_repo: repository whose workflow must have signed, on the tag's ref.
        sigstore_identities: patterns, one of which the signer must match.
        sigstore_issuer: the signer's OIDC issuer, exact.
        trusted_root: whom to trust; None for Sigstore's public root.
        required_verifiers: names of verifiers that must have returned evidence.
        limits: timeouts, attempts and rates.
        budget: how much an archive may unpack to.
    """

    repository: str
    tag: str | None = None
    source: str = "github"
    api_url: str | None = None
    loopback_http: bool = False
    token_file: Path | None = None
    asset_pattern: str = ASSET_PATTERN
    manifest_pattern: str = MANIFEST_PATTERN
    sigstore_pattern: str = SIGSTORE_PATTERN
    destination: Path | None = None
    cache_dir: Path
    use_cache: bool = True
    lock_file: Path
    accept_change: bool = False
    overwrite: bool = False
    allow_unsigned: bool = False
    require: Level = Level.NONE
    require_sigstore: bool = False
    any_signer: bool = False
    signer_repo: str | None = None
    sigstore_identities: tuple[str, ...] = ()
    sigstore_issuer: str | None = None
    trusted_root: Path | None = None
    required_verifiers: tuple[str, ...] = ()
    limits: Limits = field(factory=Limits)
    budget: Budget = field(factory=Budget)
