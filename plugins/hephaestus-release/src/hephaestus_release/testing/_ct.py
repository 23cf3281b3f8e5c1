"""A certificate-transparency log: signed certificate timestamps over precertificates (RFC 6962, section 3)."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric import ec

from hephaestus_release.testing import _der
from hephaestus_release.testing._keys import ALWAYS, Window, base64_text, new_key, sign, spki, spki_digest

__all__ = ["CtLog", "sct_list"]

_V1 = 0
_CERTIFICATE_TIMESTAMP = 0
_PRECERTIFICATE = 1
_SHA256, _ECDSA = 4, 3


@define
class CtLog:
    """A CT log with a key of its own.

    Args:
        key: what it signs with.
        window: when the trusted root trusts that key.
    """

    key: ec.EllipticCurvePrivateKey = field(factory=new_key)
    window: Window = ALWAYS

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the log's public key."""
        return spki_digest(self.key.public_key())

    def timestamp(self, precertificate: bytes, issuer_key_hash: bytes, at: datetime) -> bytes:
        """A serialized timestamp over a precertificate.

        Args:
            precertificate: its TBSCertificate, without any list of timestamps.
            issuer_key_hash: SHA-256 of the issuer's public key.
            at: the moment that the log vouches for.
        """
        milliseconds = int(at.timestamp() * 1000)
        signed = (
            struct.pack("!BBQH", _V1, _CERTIFICATE_TIMESTAMP, milliseconds, _PRECERTIFICATE)
            + issuer_key_hash
            + len(precertificate).to_bytes(3, "big")
            + precertificate
            + b"\x00\x00"
        )
        signature = sign(self.key, signed)
        header = struct.pack("!B32sQH", _V1, self.log_id, milliseconds, 0)
        return header + struct.pack("!BBH", _SHA256, _ECDSA, len(signature)) + signature

    def as_json(self) -> dict[str, Any]:
        """The entry of a trusted root's `ctlogs`."""
        return {
            "baseUrl": "https://ct.sigstore.test",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64_text(spki(self.key.public_key())),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": self.window.as_json(),
            },
            "logId": {"keyId": base64_text(self.log_id)},
        }


def sct_list(timestamps: list[bytes]) -> bytes:
    """The content of the certificate extension 1.3.6.1.4.1.11129.2.4.2."""
    items = b"".join(struct.pack("!H", len(item)) + item for item in timestamps)
    return _der.octet_string(struct.pack("!H", len(items)) + items)
