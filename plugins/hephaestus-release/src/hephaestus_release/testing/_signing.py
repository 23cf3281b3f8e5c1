"""The act of signing: an artifact's digest, or a DSSE envelope around a statement."""

from __future__ import annotations

import hashlib
from typing import Any

from attrs import frozen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509 import Certificate

from hephaestus_release.testing._entries import dsse_v1, hashedrekord_v1, hashedrekord_v2, pae
from hephaestus_release.testing._keys import base64_text, sign

__all__ = ["Signed", "sign_envelope", "sign_message"]


@frozen
class Signed:
    """A signature before it is logged.

    Args:
        content: the bundle's `messageSignature` or `dsseEnvelope`.
        signature: the bytes that a time-stamp authority stamps.
        v1_kind: the kind of entry that Rekor v1 makes of it.
        v1_body: that entry.
        v2_body: the entry that Rekor v2 makes of it, always a hashedrekord.
    """

    content: dict[str, Any]
    signature: bytes
    v1_kind: str
    v1_body: bytes
    v2_body: bytes


def sign_message(key: ec.EllipticCurvePrivateKey, certificate: Certificate, digest: bytes) -> Signed:
    """Sign an artifact by its SHA-256."""
    signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    message = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": base64_text(digest)},
        "signature": base64_text(signature),
    }
    bodies = (hashedrekord_v1(digest, signature, certificate), hashedrekord_v2(digest, signature, certificate))
    return Signed({"messageSignature": message}, signature, "hashedrekord", *bodies)


def sign_envelope(
    key: ec.EllipticCurvePrivateKey, certificate: Certificate, payload_type: str, payload: bytes
) -> Signed:
    """Sign a payload in a DSSE envelope."""
    encoded = pae(payload_type, payload)
    signature = sign(key, encoded)
    envelope = {
        "payload": base64_text(payload),
        "payloadType": payload_type,
        "signatures": [{"sig": base64_text(signature)}],
    }
    logged = hashedrekord_v2(hashlib.sha256(encoded).digest(), signature, certificate)
    return Signed({"dsseEnvelope": envelope}, signature, "dsse", dsse_v1(envelope, payload, certificate), logged)
