"""What a verified Sigstore bundle proves, as values that a receipt can hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from hephaestus_release._identity import SignerIdentity
from hephaestus_release._levels import Level

__all__ = ["SignatureEvidence", "VerifiedTime"]


@frozen
class VerifiedTime:
    """A moment that a trusted service signed.

    Args:
        source: "transparency log" or "time-stamp authority".
        time: aware, in UTC.
    """

    source: str
    time: datetime


@frozen
class SignatureEvidence:
    """The outcome of a verification that succeeded; there is none of one that failed.

    Args:
        digest: the artifact's, as "sha256:" and 64 hexadecimal digits.
        level: SIGSTORE, or SIGSTORE_IDENTITY when a policy named the signer.
        signer: what the certificate says of its holder.
        matched: the signer's identities that the policy matched; empty without a policy.
        content: "message signature" or "DSSE".
        predicate_type: of the in-toto statement; None for a message signature.
        bundle_type: the bundle's media type.
        log_id: of the transparency log, in hexadecimal.
        log_index: where the log has the entry.
        times: when the signature was made, by every source that says so.
        certificate_sha256: of the signer's certificate (DER), in hexadecimal.
        bundle_sha256: of the bundle's bytes, in hexadecimal.
        trusted_root: where the trusted root came from: a path, or "packaged".
        trusted_root_sha256: of the trusted root's bytes, in hexadecimal.
    """

    digest: str
    level: Level
    signer: SignerIdentity
    matched: tuple[str, ...]
    content: str
    predicate_type: str | None
    bundle_type: str
    log_id: str
    log_index: int
    times: tuple[VerifiedTime, ...]
    certificate_sha256: str
    bundle_sha256: str
    trusted_root: str
    trusted_root_sha256: str

    @property
    def subject(self) -> str:
        """The certificate's one subject alternative name."""
        return self.signer.subject

    @property
    def issuer(self) -> str:
        """The OIDC issuer."""
        return self.signer.issuer

    @property
    def identities(self) -> tuple[str, ...]:
        """The subject, and the source repository's URI if there is one."""
        return self.signer.identities

    def as_json(self) -> dict[str, Any]:
        """The evidence as JSON values: times in ISO 8601, the level by its label, the signer spelt out."""
        return {
            "digest": self.digest,
            "level": self.level.label,
            "subject": self.subject,
            "issuer": self.issuer,
            "identities": list(self.identities),
            "matched": list(self.matched),
            "source_repository": self.signer.source_repository,
            "source_ref": self.signer.source_ref,
            "source_digest": self.signer.source_digest,
            "content": self.content,
            "predicate_type": self.predicate_type,
            "bundle_type": self.bundle_type,
            "log_id": self.log_id,
            "log_index": self.log_index,
            "times": [{"source": one.source, "time": one.time.isoformat()} for one in self.times],
            "certificate_sha256": self.certificate_sha256,
            "bundle_sha256": self.bundle_sha256,
            "trusted_root": self.trusted_root,
            "trusted_root_sha256": self.trusted_root_sha256,
        }
