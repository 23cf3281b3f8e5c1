"""The bodies that Rekor logs for a signature, as canonical JSON."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from hephaestus_release.testing._keys import base64_text, certificate_der
from hephaestus_release.testing._rekor import canonical_json

__all__ = ["dsse_v1", "hashedrekord_v1", "hashedrekord_v2", "pae"]


def pae(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature covers: the pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def hashedrekord_v1(digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """Rekor v1's body for a signature over an artifact's SHA-256."""
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
        "signature": {"content": base64_text(signature), "publicKey": {"content": _pem(certificate)}},
    }
    return _body("hashedrekord", "0.0.1", spec)


def dsse_v1(envelope: dict[str, Any], payload: bytes, certificate: Certificate) -> bytes:
    """Rekor v1's body for a DSSE envelope."""
    spec = {
        "envelopeHash": _hash(canonical_json(envelope)),
        "payloadHash": _hash(payload),
        "signatures": [{"signature": item["sig"], "verifier": _pem(certificate)} for item in envelope["signatures"]],
    }
    return _body("dsse", "0.0.1", spec)


def hashedrekord_v2(digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """Rekor v2's body for a signature over a SHA-256: an artifact's, or a DSSE pre-authentication encoding's."""
    verifier = {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": {"rawBytes": base64_text(certificate_der(certificate))},
    }
    data = {"algorithm": "SHA2_256", "digest": base64_text(digest)}
    signed = {"content": base64_text(signature), "verifier": verifier}
    return _body("hashedrekord", "0.0.2", {"hashedRekordV002": {"data": data, "signature": signed}})


def _body(kind: str, version: str, spec: dict[str, Any]) -> bytes:
    return canonical_json({"apiVersion": version, "kind": kind, "spec": spec})


def _hash(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _pem(certificate: Certificate) -> str:
    return base64_text(certificate.public_bytes(Encoding.PEM))
