"""A whole Sigstore in this process: sign fixtures with it, verify them against its trusted root.

::

    sigstore = LocalSigstore()
    bundle = sigstore.sign(b"the artifact", kind=BundleKind("dsse", rekor=2, timestamped=True))
    bundle.write(folder / "artifact.sigstore.json")
    sigstore.write_trusted_root(folder / "trusted_root.json")

Every service is an attribute and may be replaced or altered: a bundle signed with one certificate authority
and verified against a root that names another is refused, as it should be. Nothing uses a network; one signature
takes a millisecond or two. The keys are made afresh and kept in memory only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from cryptography.x509 import Certificate

from hephaestus_release.testing._bundle import BUNDLE_KINDS, BundleKind, LocalBundle
from hephaestus_release.testing._ca import GITHUB_ACTIONS, CertificateAuthority, SignerProfile
from hephaestus_release.testing._ct import CtLog
from hephaestus_release.testing._keys import ALWAYS, SIGNED_AT, Window, base64_text, certificate_der, new_key
from hephaestus_release.testing._rekor import RekorV1, RekorV2
from hephaestus_release.testing._signing import Signed, sign_envelope, sign_message
from hephaestus_release.testing._tsa import TimestampAuthority

__all__ = [
    "ALWAYS",
    "BUNDLE_KINDS",
    "GITHUB_ACTIONS",
    "IN_TOTO",
    "SIGNED_AT",
    "BundleKind",
    "CertificateAuthority",
    "CtLog",
    "LocalBundle",
    "LocalSigstore",
    "RekorV1",
    "RekorV2",
    "SignerProfile",
    "TimestampAuthority",
    "Window",
    "provenance",
]

IN_TOTO = "application/vnd.in-toto+json"
"""The DSSE payload type of in-toto statements."""


def provenance(digest: bytes, name: str = "artifact") -> dict[str, Any]:
    """An in-toto statement with a SLSA provenance about one artifact.

    Args:
        digest: the artifact's SHA-256.
        name: the artifact's name.
    """
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest.hex()}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {"buildType": "https://sigstore.test/build"}},
    }


@define
class LocalSigstore:
    """The services, and the act of signing with all of them.

    Args:
        authority: issues the signers' certificates.
        ct_log: logs those certificates.
        rekor_v1: logs signatures and promises when.
        rekor_v2: logs signatures.
        timestamps: says when it saw a signature.
    """

    authority: CertificateAuthority = field(factory=CertificateAuthority)
    ct_log: CtLog = field(factory=CtLog)
    rekor_v1: RekorV1 = field(factory=RekorV1)
    rekor_v2: RekorV2 = field(factory=RekorV2)
    timestamps: TimestampAuthority = field(factory=TimestampAuthority)

    def with_services(self, **services: Any) -> LocalSigstore:
        """A Sigstore that shares these services but for those given by name: one of them turned rogue, or renewed."""
        return evolve(self, **services)

    def sign(
        self,
        artifact: bytes | Path,
        *,
        kind: BundleKind | None = None,
        profile: SignerProfile | None = None,
        at: datetime = SIGNED_AT,
        logged_at: datetime | None = None,
        statement: Mapping[str, Any] | bytes | None = None,
        payload_type: str = IN_TOTO,
    ) -> LocalBundle:
        """Sign an artifact and log the signature.

        Args:
            artifact: the bytes to sign, or a file with them.
            kind: the shape of the bundle; format 0.3 with a message signature and Rekor v1 when left out.
            profile: what the certificate says of the signer.
            at: start of the certificate's life.
            logged_at: what log and time-stamp authority say; `at` when left out.
            statement: for DSSE, the payload in place of a provenance about the artifact.
            payload_type: for DSSE, the envelope's payload type.
        """
        kind, key, digest = kind or BundleKind(), new_key(), _digest(artifact)
        certificate = self.authority.issue(key.public_key(), profile or SignerProfile(), self.ct_log, at)
        if kind.content == "message":
            signed = sign_message(key, certificate, digest)
        else:
            payload = _payload(provenance(digest) if statement is None else statement)
            signed = sign_envelope(key, certificate, payload_type, payload)
        material = self._material(kind, certificate, signed, logged_at or at)
        data = {"mediaType": kind.media_type, "verificationMaterial": material, **signed.content}
        return LocalBundle(data, kind, certificate, key)

    def trusted_root(self) -> dict[str, Any]:
        """The JSON of a trusted root that names these services, each in its window."""
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.rekor_v1.as_json(), self.rekor_v2.as_json()],
            "certificateAuthorities": [self.authority.as_json()],
            "ctlogs": [self.ct_log.as_json()],
            "timestampAuthorities": [self.timestamps.as_json()],
        }

    def write_trusted_root(self, path: Path) -> Path:
        """Write the trusted root to `path` and return it."""
        path.write_text(json.dumps(self.trusted_root()), encoding="utf-8")
        return path

    def _material(self, kind: BundleKind, certificate: Certificate, signed: Signed, moment: datetime) -> dict[str, Any]:
        leaf = {"rawBytes": base64_text(certificate_der(certificate))}
        holder = {"certificate": leaf} if kind.version == "0.3" else {"x509CertificateChain": {"certificates": [leaf]}}
        material: dict[str, Any] = {**holder, "tlogEntries": [self._entry(kind, signed, moment)]}
        if kind.timestamped:
            stamp = base64_text(self.timestamps.stamp(signed.signature, moment))
            material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": stamp}]}
        return material

    def _entry(self, kind: BundleKind, signed: Signed, moment: datetime) -> dict[str, Any]:
        if kind.rekor == 1:
            return self.rekor_v1.entry(signed.v1_kind, signed.v1_body, moment)
        return self.rekor_v2.entry("hashedrekord", signed.v2_body)


def _digest(artifact: bytes | Path) -> bytes:
    if isinstance(artifact, bytes):
        return hashlib.sha256(artifact).digest()
    with artifact.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _payload(statement: Mapping[str, Any] | bytes) -> bytes:
    return statement if isinstance(statement, bytes) else json.dumps(statement).encode()
