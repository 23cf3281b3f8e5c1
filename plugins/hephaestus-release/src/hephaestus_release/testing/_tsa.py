"""A time-stamp authority (RFC 3161, over CMS of RFC 5652)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from hephaestus_release.testing import _der
from hephaestus_release.testing._ca import CertificateAuthority
from hephaestus_release.testing._keys import Window, certificate_der, new_key, sign

__all__ = ["TimestampAuthority"]

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_POLICY = "1.3.6.1.4.1.57264.2"


def _timestamp_authority() -> CertificateAuthority:
    return CertificateAuthority(name="tsa.sigstore.test")


@define
class TimestampAuthority:
    """Says when it saw a signature.

    Args:
        authority: certifies the time-stamping key.
        key: what the time stamps are signed with.
    """

    authority: CertificateAuthority = field(factory=_timestamp_authority)
    key: ec.EllipticCurvePrivateKey = field(factory=new_key)
    certificate: x509.Certificate = field(init=False)
    _serial: int = field(init=False, default=1)

    def __attrs_post_init__(self) -> None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        self.certificate = self.authority.certify(self.key.public_key(), "tsa.sigstore.test", [(usage, True)])

    @property
    def window(self) -> Window:
        """When the trusted root trusts this authority."""
        return self.authority.window

    @window.setter
    def window(self, value: Window) -> None:
        self.authority.window = value

    def stamp(self, message: bytes, at: datetime) -> bytes:
        """A granted TimeStampResp over the SHA-256 of `message`, DER."""
        self._serial += 1
        granted = _der.sequence(_der.integer(0))
        return _der.sequence(granted, self._token(_tst_info(message, self._serial, at)))

    def as_json(self) -> dict[str, Any]:
        """The entry of a trusted root's `timestampAuthorities`."""
        return self.authority.as_json(self.certificate)

    def _token(self, info: bytes) -> bytes:
        content = _der.sequence(_der.object_identifier(_TST_INFO), _der.explicit(0, _der.octet_string(info)))
        certificates = _der.implicit(0, _der.set_of(certificate_der(self.certificate)))
        signed = _der.sequence(
            _der.integer(3), _der.set_of(_algorithm(_SHA256)), content, certificates, _der.set_of(self._signer(info))
        )
        return _der.sequence(_der.object_identifier(_SIGNED_DATA), _der.explicit(0, signed))

    def _signer(self, info: bytes) -> bytes:
        attributes = self._signed_attributes(info)
        issuer = self.certificate.issuer.public_bytes()
        return _der.sequence(
            _der.integer(1),
            _der.sequence(issuer, _der.integer(self.certificate.serial_number)),
            _algorithm(_SHA256),
            _der.implicit(0, attributes),
            _algorithm(_ECDSA_SHA256),
            _der.octet_string(sign(self.key, attributes)),
        )

    def _signed_attributes(self, info: bytes) -> bytes:
        certificate = hashlib.sha256(certificate_der(self.certificate)).digest()
        certificate_ids = _der.sequence(_der.sequence(_der.sequence(_der.octet_string(certificate))))
        return _der.set_of(
            _attribute(_CONTENT_TYPE, _der.object_identifier(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, _der.octet_string(hashlib.sha256(info).digest())),
            _attribute(_SIGNING_CERTIFICATE_V2, certificate_ids),
        )


def _tst_info(message: bytes, serial: int, at: datetime) -> bytes:
    imprint = _der.sequence(_algorithm(_SHA256), _der.octet_string(hashlib.sha256(message).digest()))
    return _der.sequence(
        _der.integer(1),
        _der.object_identifier(_POLICY),
        imprint,
        _der.integer(serial),
        _der.generalized_time(at),
    )


def _algorithm(dotted: str) -> bytes:
    return _der.sequence(_der.object_identifier(dotted))


def _attribute(dotted: str, value: bytes) -> bytes:
    return _der.sequence(_der.object_identifier(dotted), _der.set_of(value))
