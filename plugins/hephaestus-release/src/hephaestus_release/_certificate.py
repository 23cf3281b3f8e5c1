"""What a Fulcio certificate says: of its holder, and of the certificate-transparency log that saw it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from hephaestus_release._identity import SignerIdentity
from hephaestus_release._text import unprintable
from hephaestus_release.errors import VerificationError

__all__ = ["certificate_timestamp", "chain_covers", "signer_identity"]

# Fulcio's own arcs; see docs/oid-info.md in its repository.
_FULCIO = "1.3.6.1.4.1.57264.1."
_ISSUER = x509.ObjectIdentifier(_FULCIO + "1")
_USERNAME = x509.ObjectIdentifier(_FULCIO + "7")
_ISSUER_V2 = x509.ObjectIdentifier(_FULCIO + "8")
_SOURCE_REPOSITORY = x509.ObjectIdentifier(_FULCIO + "12")
_SOURCE_DIGEST = x509.ObjectIdentifier(_FULCIO + "13")
_SOURCE_REF = x509.ObjectIdentifier(_FULCIO + "14")

_UTF8_STRING = b"\x0c"
_CLOCK_SKEW = timedelta(minutes=5)


def signer_identity(certificate: x509.Certificate) -> SignerIdentity:
    """The holder of the certificate.

    Raises:
        VerificationError: not exactly one subject alternative name, of a kind that Sigstore issues; no issuer, or
            two different ones; or a value with control characters.
    """
    signer = SignerIdentity(
        subject=_subject(certificate),
        issuer=_issuer(certificate),
        source_repository=_claim(certificate, _SOURCE_REPOSITORY),
        source_ref=_claim(certificate, _SOURCE_REF),
        source_digest=_claim(certificate, _SOURCE_DIGEST),
    )
    values = (signer.subject, signer.issuer, signer.source_repository, signer.source_ref, signer.source_digest)
    if any(unprintable(value) for value in values if value is not None):
        raise VerificationError("the signer's certificate has control characters in a name")
    return signer


def certificate_timestamp(certificate: x509.Certificate) -> tuple[bytes, datetime]:
    """Id of the certificate-transparency log, and when it saw the certificate; the signature is not checked here.

    Raises:
        VerificationError: there is not exactly one time stamp, or its time is outside the certificate's life.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    except x509.ExtensionNotFound as error:
        raise VerificationError("the signer's certificate has no certificate timestamp (SCT)") from error
    if len(found) != 1:
        raise VerificationError(f"the signer's certificate has {len(found)} certificate timestamps (SCT), not one")
    moment = found[0].timestamp.replace(tzinfo=UTC)
    start, end = certificate.not_valid_before_utc - _CLOCK_SKEW, certificate.not_valid_after_utc + _CLOCK_SKEW
    if not start <= moment <= end:
        raise VerificationError("the signer's certificate was logged outside the time that it was valid")
    return found[0].log_id, moment


def chain_covers(authority: dict[str, Any], times: Sequence[datetime]) -> bool:
    """Whether every certificate of a trusted root's authority was valid at all those times."""
    chain = [base64.b64decode(one["rawBytes"]) for one in authority["certChain"]["certificates"]]
    certificates = [x509.load_der_x509_certificate(raw) for raw in chain]
    return all(
        one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in certificates for moment in times
    )


def _subject(certificate: x509.Certificate) -> str:
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    if len(names) != 1:
        raise VerificationError(f"the signer's certificate has {len(names)} subject alternative names, not one")
    name = names[0]
    if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name) and name.value:
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id == _USERNAME:
        return _utf8_string(name.value)
    raise VerificationError("the signer's certificate names its holder in a way that Sigstore does not use")


def _issuer(certificate: x509.Certificate) -> str:
    legacy = _extension(certificate, _ISSUER)
    issuers = {legacy.decode() if legacy is not None else None, _claim(certificate, _ISSUER_V2)} - {None}
    if len(issuers) != 1:
        raise VerificationError(f"the signer's certificate names {len(issuers)} OIDC issuers, not one")
    return str(issuers.pop())


def _claim(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    raw = _extension(certificate, oid)
    return None if raw is None else _utf8_string(raw)


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes | None:
    try:
        value = certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None
    return value.value if isinstance(value, x509.UnrecognizedExtension) else value.public_bytes()


def _utf8_string(der: bytes) -> str:
    size, start = _length(der)
    if der[:1] != _UTF8_STRING or len(der) != start + size:
        raise VerificationError("the signer's certificate has a name that is not a UTF-8 string")
    return der[start:].decode()


def _length(der: bytes) -> tuple[int, int]:
    # Length and the offset after it; DER uses the short form below 128, and the fewest octets above.
    first = der[1] if len(der) > 1 else 0
    if first < 0x80:
        return first, 2
    octets = der[2 : 2 + (first & 0x7F)]
    size = int.from_bytes(octets, "big")
    minimal = (size.bit_length() + 7) // 8 == len(octets) and size >= 0x80
    return (size if minimal else -1), 2 + len(octets)
