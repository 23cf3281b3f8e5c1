"""A certificate authority in Fulcio's manner: root, intermediate, and leaves that live for minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from hephaestus_release.testing import _der
from hephaestus_release.testing._ct import CtLog, sct_list
from hephaestus_release.testing._keys import ALWAYS, Window, base64_text, certificate_der, new_key, spki_digest

__all__ = ["GITHUB_ACTIONS", "CertificateAuthority", "SignerProfile"]

GITHUB_ACTIONS = "https://token.actions.githubusercontent.com"
"""The OIDC issuer of GitHub's workflows."""

_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO = "1.3.6.1.4.1.57264.1."
_ISSUER, _ISSUER_V2, _SOURCE_REPOSITORY, _SOURCE_REF = "1", "8", "12", "14"
_TEN_YEARS = timedelta(days=3650)


@frozen
class SignerProfile:
    """What the authority writes into a leaf certificate.

    Args:
        identities: subject alternative names: URIs, or e-mail addresses when they hold no "://".
        issuer: who vouched for the identity; None leaves both issuer extensions out.
        legacy_issuer: the older issuer extension's value, when it should differ from `issuer`.
        source_repository: URI of the repository, or None to leave it out.
        source_ref: the repository's ref, e.g. "refs/tags/v1.0.0", or None.
        lifetime: how long the certificate is valid.
        usage: extended key usages; code signing is what a verifier wants.
        timestamps: how many certificate timestamps are embedded; one is what a verifier wants.
        timestamped_at: when the CT log vouched, if not at the certificate's start.
    """

    identities: tuple[str, ...] = ("https://github.com/octo/widgets/.github/workflows/release.yml@refs/tags/v1.0.0",)
    issuer: str | None = GITHUB_ACTIONS
    legacy_issuer: str | None = None
    source_repository: str | None = "https://github.com/octo/widgets"
    source_ref: str | None = "refs/tags/v1.0.0"
    lifetime: timedelta = timedelta(minutes=10)
    usage: tuple[ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,)
    timestamps: int = 1
    timestamped_at: datetime | None = None

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """The extensions that carry this profile, with their criticality."""
        names = x509.SubjectAlternativeName([_general_name(identity) for identity in self.identities])
        return [(names, True), (x509.ExtendedKeyUsage(self.usage), False), *self._claims()]

    def _claims(self) -> list[tuple[x509.ExtensionType, bool]]:
        legacy = self.legacy_issuer if self.legacy_issuer is not None else self.issuer
        values = {
            _ISSUER: legacy.encode() if legacy is not None else None,
            _ISSUER_V2: _utf8(self.issuer),
            _SOURCE_REPOSITORY: _utf8(self.source_repository),
            _SOURCE_REF: _utf8(self.source_ref),
        }
        return [
            (x509.UnrecognizedExtension(ObjectIdentifier(_FULCIO + arc), value), False)
            for arc, value in values.items()
            if value is not None
        ]


@define
class CertificateAuthority:
    """A root that certifies an intermediate that certifies the leaves.

    Args:
        name: goes into the certificates' subjects.
        window: when the trusted root trusts this authority.
        lifetime: validity of the root and the intermediate themselves, from the window's start.
        root_usage: extended key usages of both, or None; a time-stamp authority has its own.
    """

    name: str = "sigstore.test"
    window: Window = ALWAYS
    lifetime: timedelta = _TEN_YEARS
    root_key: ec.EllipticCurvePrivateKey = field(factory=new_key)
    key: ec.EllipticCurvePrivateKey = field(factory=new_key)
    root: x509.Certificate = field(init=False)
    intermediate: x509.Certificate = field(init=False)

    def __attrs_post_init__(self) -> None:
        start = self.window.start
        root_name, name = _name(f"{self.name} root"), _name(f"{self.name} intermediate")
        root_public, public = self.root_key.public_key(), self.key.public_key()
        builder = _builder(root_name, root_name, root_public, start, self.lifetime)
        self.root = _signed(_with_ca_extensions(builder, root_public, None, 1), self.root_key)
        builder = _builder(name, root_name, public, start, self.lifetime)
        self.intermediate = _signed(_with_ca_extensions(builder, public, root_public, 0), self.root_key)

    @property
    def chain(self) -> list[x509.Certificate]:
        """The intermediate, then the root."""
        return [self.intermediate, self.root]

    def issue(
        self, key: ec.EllipticCurvePublicKey, profile: SignerProfile, ct_log: CtLog, at: datetime
    ) -> x509.Certificate:
        """A leaf certificate, logged in `ct_log`.

        Args:
            key: the signer's key.
            profile: what the certificate says of the signer.
            ct_log: where the precertificate is logged.
            at: start of the certificate's life.
        """
        builder = self._leaf_builder(key, profile, at)
        # The precertificate's body is that of the leaf without the list of timestamps, which therefore comes last.
        precertificate = _signed(builder, self.key).tbs_certificate_bytes
        moment = profile.timestamped_at or at
        issuer = spki_digest(self.key.public_key())
        timestamps = [ct_log.timestamp(precertificate, issuer, moment) for _ in range(profile.timestamps)]
        if timestamps:
            builder = builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, sct_list(timestamps)), critical=False)
        return _signed(builder, self.key)

    def certify(
        self, key: ec.EllipticCurvePublicKey, subject: str, extensions: Sequence[tuple[x509.ExtensionType, bool]]
    ) -> x509.Certificate:
        """A certificate for another service's key, valid for this authority's lifetime."""
        builder = _builder(_name(subject), self.intermediate.subject, key, self.window.start, self.lifetime)
        return _signed(_with_leaf_extensions(builder, key, self.key.public_key(), extensions), self.key)

    def as_json(self, *leaves: x509.Certificate) -> dict[str, Any]:
        """The entry of a trusted root's `certificateAuthorities` (or `timestampAuthorities`, with its leaf)."""
        certificates = [*leaves, *self.chain]
        return {
            "subject": {"organization": self.name, "commonName": self.name},
            "uri": f"https://{self.name}",
            "certChain": {"certificates": [{"rawBytes": base64_text(certificate_der(c))} for c in certificates]},
            "validFor": self.window.as_json(),
        }

    def _leaf_builder(
        self, key: ec.EllipticCurvePublicKey, profile: SignerProfile, at: datetime
    ) -> x509.CertificateBuilder:
        # Fulcio leaves the subject empty: the identity is in the alternative name alone.
        builder = _builder(x509.Name([]), self.intermediate.subject, key, at, profile.lifetime)
        return _with_leaf_extensions(builder, key, self.key.public_key(), profile.extensions())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(identity: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(identity) if "://" in identity else x509.RFC822Name(identity)


def _utf8(text: str | None) -> bytes | None:
    return None if text is None else _der.utf8_string(text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _with_ca_extensions(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePublicKey,
    issuer: ec.EllipticCurvePublicKey | None,
    path_length: int,
) -> x509.CertificateBuilder:
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if issuer is None:
        return builder
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)


def _with_leaf_extensions(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePublicKey,
    issuer: ec.EllipticCurvePublicKey,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.CertificateBuilder:
    builder = (
        builder.add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())
