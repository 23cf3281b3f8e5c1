"""Verifiers: steps between download and extraction that may refuse a release.

A verifier looks at the downloaded bytes and at the release that they come from. It returns evidence for the receipt,
returns None when it has nothing to say, or raises to refuse. Hand one in through
`hephaestus_release.hookspecs.hephaestus_release_verifiers`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from hephaestus_release.sources import Asset, Release

__all__ = ["Candidate", "Evidence", "Verifier"]


@frozen
class Candidate:
    """A downloaded asset that waits for its verdict.

    Attributes:
        release: the release and its other assets.
        repository_uri: how certificates name the repository, e.g. `https://github.com/owner/repo`.
        asset: the asset as the forge reports it.
        path: the downloaded bytes, under a temporary name.
        size: in bytes, counted while downloading.
        sha256: 64 lower-case hexadecimal digits, computed while downloading.
        saved_path: where another asset of the release will be saved; for events.
        download: fetches another asset of the release, at most 4 MiB, and keeps it next to the archive.
    """

    release: Release
    repository_uri: str
    asset: Asset
    path: Path
    size: int
    sha256: str
    saved_path: Callable[[Asset], Path]
    download: Callable[[Asset], bytes]


@frozen
class Evidence:
    """What a verifier found, for the receipt.

    Attributes:
        verifier: the verifier's name.
        level: the level that the evidence raises the release to, e.g. `sigstore`; None when it raises none.
        details: values that JSON can hold.
    """

    verifier: str
    level: str | None = None
    details: dict[str, Any] = field(factory=dict)


class Verifier(Protocol):
    """A step that may refuse a release."""

    @property
    def name(self) -> str:
        """Short name, for `required-verifiers` and the receipt."""

    def verify(self, candidate: Candidate) -> Evidence | None:
        """Look at the candidate.

        Returns:
            Evidence, or None when the verifier does not apply to this release.

        Raises:
            ReleaseError: the release is refused. Any other exception refuses it too.
        """
