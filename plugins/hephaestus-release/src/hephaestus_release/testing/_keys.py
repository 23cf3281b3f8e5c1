"""Keys of the local services, and the small encodings that all of them share."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from attrs import frozen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate

__all__ = ["ALWAYS", "SIGNED_AT", "Window", "base64_text", "certificate_der", "new_key", "sign", "spki", "spki_digest"]

SIGNED_AT = datetime(2025, 6, 1, 12, 0, 0, tzinfo=UTC)
"""When the local services sign, unless a test says otherwise."""


@frozen
class Window:
    """When a key or an authority is trusted, as the trusted root states it.

    Args:
        start: first moment, aware.
        end: last moment, or None when it is not known yet.
    """

    start: datetime
    end: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """The `validFor` object of a trusted root."""
        bounds = {"start": self.start, "end": self.end}
        return {name: _timestamp(moment) for name, moment in bounds.items() if moment is not None}


ALWAYS = Window(datetime(2025, 1, 1, tzinfo=UTC))
"""The window that every local service starts with; it has no end."""


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA over the SHA-256 of `data`."""
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def spki(key: PublicKeyTypes) -> bytes:
    """SubjectPublicKeyInfo of a public key, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki_digest(key: PublicKeyTypes) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo: the id of CT logs, of Rekor v1 and of certificate issuers."""
    return hashlib.sha256(spki(key)).digest()


def certificate_der(certificate: Certificate) -> bytes:
    """A certificate as DER."""
    return certificate.public_bytes(Encoding.DER)


def base64_text(data: bytes) -> str:
    """Standard Base64, as protobuf's JSON has it."""
    return base64.b64encode(data).decode()
