"""`[tool.hephaestus.release]`: the defaults of a workspace.

Neither the API's address nor a token nor an interpreter can be set here: whoever can write a file in the working
directory must not decide where the token goes or what is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

__all__ = ["ASSET_PATTERN", "MANIFEST_PATTERN", "SIGSTORE_PATTERN", "ReleaseConfig"]

ASSET_PATTERN = "*wheelhouse*"
MANIFEST_PATTERN = "*.sha256,SHA256SUMS,SHA256SUMS.txt,sha256sums.txt,*checksums.txt"
SIGSTORE_PATTERN = "*.sigstore.json,*.sigstore"


@frozen
class ReleaseConfig:
    """The table's keys.

    Attributes:
        repository: installed when the command names none, e.g. `owner/repo`.
        source: the forge.
        asset_pattern: comma-separated globs of the archive.
        manifest_pattern: comma-separated globs of the checksum manifest.
        sigstore_pattern: comma-separated globs of the Sigstore bundle.
        require: level that a release must reach: none, digest, checksum, sigstore or sigstore+identity.
        allow_unsigned: accept a release without a checksum manifest.
        require_sigstore: refuse a release without a Sigstore bundle.
        any_signer: accept a bundle whoever signed it.
        signer_repo: repository whose workflow must have signed.
        sigstore_identity: patterns, one of which the signer must match.
        sigstore_issuer: the signer's OIDC issuer.
        trusted_root: a trusted root other than Sigstore's public one.
        required_verifiers: verifiers that must have approved.
        lock_file: what earlier runs saw of each repository.
        cache_dir: where verified archives and receipts are kept.
        installer: pip or uv.
        timeout: seconds for an answer's head and each read.
        max_retries: attempts in all.
        backoff: seconds before the second attempt.
        deadline: seconds for one file.
        minimum_rate: bytes per second.
        max_unpacked_mib: most MiB that an archive may unpack to.
    """

    repository: str = ""
    source: str = "github"
    asset_pattern: str = ASSET_PATTERN
    manifest_pattern: str = MANIFEST_PATTERN
    sigstore_pattern: str = SIGSTORE_PATTERN
    require: Literal["none", "digest", "checksum", "sigstore", "sigstore+identity"] = "none"
    allow_unsigned: bool = False
    require_sigstore: bool = False
    any_signer: bool = False
    signer_repo: str = ""
    sigstore_identity: list[str] = field(factory=list)
    sigstore_issuer: str = ""
    trusted_root: Path | None = None
    required_verifiers: list[str] = field(factory=list)
    lock_file: Path | None = None
    cache_dir: Path | None = None
    installer: Literal["pip", "uv"] = "pip"
    timeout: float = 30.0
    max_retries: int = 5
    backoff: float = 0.5
    deadline: float = 3600.0
    minimum_rate: int = 1024
    max_unpacked_mib: int = 8192
