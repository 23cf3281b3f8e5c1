"""Verification of files at hand, with no network at all: what `hephaestus release verify` does."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from hephaestus.errors import UsageError
from hephaestus_release._bundles import read_bundle
from hephaestus_release._files import sha256_of
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._signature_evidence import SignatureEvidence
from hephaestus_release._statement import ENDORSEMENTS
from hephaestus_release._trust import TrustedRoot

__all__ = ["artifact_digest", "verify_files", "verify_signature"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = "sha256:"


def verify_files(
    artifact: str | Path,
    bundle: Path,
    *,
    policy: IdentityPolicy | None,
    trusted_root: Path | None = None,
    predicate_types: Collection[str] = ENDORSEMENTS,
) -> SignatureEvidence:
    """Verify that the bundle in a file signs an artifact.

    Args:
        artifact: path of a file, or its digest as "sha256:" and 64 hexadecimal digits.
        bundle: path of the Sigstore bundle.
        policy: who must have signed; None accepts anybody, and the evidence then has the lower level.
        trusted_root: the user's own trusted root; the packaged public-good one when left out.
        predicate_types: of in-toto statements that count as endorsing an artifact.

    Raises:
        UsageError: a file cannot be read, or the digest is malformed.
        VerificationError: refused, in one line that says why.
        TrustError: the trusted root is malformed.
    """
    raw = read_bundle(bundle)
    root = TrustedRoot.packaged() if trusted_root is None else TrustedRoot.from_file(trusted_root)
    digest = artifact_digest(artifact)
    return verify_signature(digest, raw, policy=policy, root=root, predicate_types=predicate_types)


def verify_signature(
    digest: bytes,
    bundle: bytes,
    *,
    policy: IdentityPolicy | None,
    root: TrustedRoot | None = None,
    predicate_types: Collection[str] = ENDORSEMENTS,
) -> SignatureEvidence:
    """Verify that a bundle signs the artifact of that digest, which was computed while it was downloaded.

    Args:
        digest: SHA-256 of the artifact, 32 bytes.
        bundle: the bundle's bytes.
        policy: who must have signed; None accepts anybody, and the evidence then has the lower level.
        root: whom to trust; the packaged public-good root when left out.
        predicate_types: of in-toto statements that count as endorsing an artifact.

    Raises:
        VerificationError: refused, in one line that says why.
        TrustError: the trusted root is malformed.
    """
    # Imported here: sigstore costs most of a second, and most commands never see a bundle.
    from hephaestus_release._sigstore import verify_bundle

    return verify_bundle(bundle, digest, root or TrustedRoot.packaged(), policy, predicate_types)


def artifact_digest(artifact: str | Path) -> bytes:
    """The SHA-256 that an argument names: spelt out, or of the file at that path.

    Raises:
        UsageError: the digest is malformed, or the file cannot be read.
    """
    if isinstance(artifact, str) and artifact.startswith(_PREFIX):
        digits = artifact.removeprefix(_PREFIX).lower()
        if not _DIGEST.fullmatch(digits):
            raise UsageError(
                "a digest is 'sha256:' and 64 hexadecimal digits", hint="for a file of such a name write ./sha256:…"
            )
        return bytes.fromhex(digits)
    return sha256_of(Path(artifact), "artifact")
