"""Who signed is read from the certificate without guessing, and judged only after the signature is verified."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509

from hephaestus_release._certificate import signer_identity
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import IdentityError, VerificationError
from hephaestus_release.testing.sigstore import (
    BUNDLE_KINDS,
    GITHUB_ACTIONS,
    BundleKind,
    LocalSigstore,
    SignerProfile,
)

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()
URI = "https://github.com/octo/widgets/.github/workflows/release.yml@refs/tags/v1.0.0"
POLICY = IdentityPolicy.build(issuer=GITHUB_ACTIONS, identities=[URI])

every_kind = pytest.mark.parametrize("kind", BUNDLE_KINDS, ids=str)


@every_kind
@pytest.mark.parametrize(
    "profile",
    [
        SignerProfile(identities=("https://github.com/evil/widgets/.github/workflows/release.yml@refs/tags/v1.0.0",)),
        SignerProfile(identities=(URI + "x",)),
        SignerProfile(issuer="https://idp.test"),
    ],
    ids=["another owner", "longer", "another issuer"],
)
def test_a_right_signature_by_a_wrong_identity_is_refused(
    profile: SignerProfile, kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind, profile=profile)

    with pytest.raises(IdentityError):
        verify_signature(DIGEST, bundle.raw, policy=POLICY, root=root)


@every_kind
def test_a_forged_signature_is_refused_as_forged_and_not_as_a_strangers(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    profile = SignerProfile(identities=("maker@example.com",))
    bundle = LocalSigstore(ct_log=sigstore.ct_log).sign(ARTIFACT, kind=kind, profile=profile)

    with pytest.raises(VerificationError) as caught:
        verify_signature(DIGEST, bundle.raw, policy=POLICY, root=root)
    assert not isinstance(caught.value, IdentityError)


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (SignerProfile(identities=(URI, "https://github.com/evil/x")), "2 subject alternative names"),
        (SignerProfile(identities=(URI, "maker@example.com")), "2 subject alternative names"),
        (SignerProfile(issuer=None), "0 OIDC issuers"),
        (SignerProfile(legacy_issuer="https://idp.test"), "2 OIDC issuers"),
        (SignerProfile(issuer="https://idp.test\n"), "control characters"),
        (SignerProfile(source_ref="refs/tags/\u202ev1"), "control characters"),
    ],
)
def test_a_certificate_that_is_not_plain_about_its_holder_is_refused(
    profile: SignerProfile, reason: str, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    with pytest.raises(VerificationError, match=reason):
        verify_signature(DIGEST, sigstore.sign(ARTIFACT, profile=profile).raw, policy=None, root=root)


def test_a_long_claim_is_read_whole(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    ref = "refs/tags/" + "v" * 400
    bundle = sigstore.sign(ARTIFACT, profile=SignerProfile(source_ref=ref))

    assert verify_signature(DIGEST, bundle.raw, policy=None, root=root).signer.source_ref == ref


@pytest.mark.parametrize(
    "der", [b"", b"\x0c", b"\x0c\x05v1", b"\x0c\x02v12", b"\x04\x02v1", b"\x0c\x81\x02v1"], ids=repr
)
def test_a_claim_in_irregular_der_is_refused(der: bytes, sigstore: LocalSigstore) -> None:
    class OddProfile(SignerProfile):
        def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
            oid = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.14")
            return [*super().extensions(), (x509.UnrecognizedExtension(oid, der), False)]

    certificate = sigstore.sign(ARTIFACT, profile=OddProfile(source_ref=None)).certificate

    with pytest.raises(VerificationError, match="not a UTF-8 string"):
        signer_identity(certificate)


def test_a_username_as_private_instances_issue_it_is_read(sigstore: LocalSigstore) -> None:
    class Username(SignerProfile):
        def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
            name = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), b"\x0c\x05maker")
            return [(x509.SubjectAlternativeName([name]), True), *super().extensions()[1:]]

    assert signer_identity(sigstore.sign(ARTIFACT, profile=Username()).certificate).subject == "maker"


def test_a_host_name_is_no_identity(sigstore: LocalSigstore) -> None:
    class Host(SignerProfile):
        def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
            return [(x509.SubjectAlternativeName([x509.DNSName("example.com")]), True), *super().extensions()[1:]]

    with pytest.raises(VerificationError, match="in a way that Sigstore does not use"):
        signer_identity(sigstore.sign(ARTIFACT, profile=Host()).certificate)
