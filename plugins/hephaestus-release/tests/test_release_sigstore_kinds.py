"""Every kind of bundle that signers make is verified, and its evidence is that of the signature."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.models import TrustedRoot as LibraryRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._levels import Level
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.testing.sigstore import (
    BUNDLE_KINDS,
    GITHUB_ACTIONS,
    SIGNED_AT,
    BundleKind,
    LocalSigstore,
    SignerProfile,
)

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()
SUBJECT = SignerProfile().identities[0]

every_kind = pytest.mark.parametrize("kind", BUNDLE_KINDS, ids=str)


@every_kind
def test_a_genuine_bundle_is_verified(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    evidence = verify_signature(DIGEST, sigstore.sign(ARTIFACT, kind=kind).raw, policy=None, root=root)

    assert evidence.level is Level.SIGSTORE
    assert evidence.matched == ()


@every_kind
def test_the_library_alone_verifies_the_local_sigstores_bundles_too(
    kind: BundleKind, sigstore: LocalSigstore, tmp_path: Path
) -> None:
    verifier = Verifier(trusted_root=LibraryRoot.from_file(str(sigstore.write_trusted_root(tmp_path / "root.json"))))
    bundle = Bundle.from_json(sigstore.sign(ARTIFACT, kind=kind).raw)
    policy = Identity(identity=SUBJECT, issuer=GITHUB_ACTIONS)

    if kind.content == "message":
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=DIGEST), bundle, policy)
    else:
        assert verifier.verify_dsse(bundle, policy)[0] == "application/vnd.in-toto+json"


@every_kind
def test_the_evidence_says_who_signed_what_and_when(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    policy = IdentityPolicy.build(issuer=GITHUB_ACTIONS, identities=[SUBJECT], signer_repository="octo/widgets")
    evidence = verify_signature(DIGEST, bundle.raw, policy=policy, root=root)
    entry = bundle.value("verificationMaterial.tlogEntries.0")

    assert evidence.level is Level.SIGSTORE_IDENTITY
    assert evidence.digest == f"sha256:{DIGEST.hex()}"
    assert evidence.subject == SUBJECT
    assert evidence.issuer == GITHUB_ACTIONS
    assert evidence.identities == evidence.matched == (SUBJECT, "https://github.com/octo/widgets")
    assert evidence.signer.source_ref == "refs/tags/v1.0.0"
    assert str(evidence.log_index) == entry["logIndex"]
    assert {one.time for one in evidence.times} == {SIGNED_AT}
    assert {one.source for one in evidence.times} == _sources(kind)
    assert evidence.certificate_sha256 == hashlib.sha256(bundle.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert evidence.bundle_sha256 == hashlib.sha256(bundle.raw).hexdigest()
    assert evidence.trusted_root_sha256 == hashlib.sha256(root.raw).hexdigest()
    assert evidence.as_json()["level"] == "sigstore+identity"
    assert evidence.as_json()["times"][0]["time"] == "2025-06-01T12:00:00+00:00"


def _sources(kind: BundleKind) -> set[str]:
    sources = {"time-stamp authority"} if kind.timestamped else set()
    return sources | {"transparency log"} if kind.rekor == 1 else sources


def test_an_email_signer_without_a_repository_has_one_identity(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    profile = SignerProfile(identities=("maker@example.com",), issuer="https://idp.test", source_repository=None)
    evidence = verify_signature(DIGEST, sigstore.sign(ARTIFACT, profile=profile).raw, policy=None, root=root)

    assert evidence.identities == ("maker@example.com",)


def test_an_intermediate_that_the_root_knows_may_ride_along_in_an_old_chain(
    sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind(version="0.1"))
    chain = bundle.value("verificationMaterial.x509CertificateChain.certificates")
    known = sigstore.authority.as_json()["certChain"]["certificates"][0]
    longer = bundle.replaced("verificationMaterial.x509CertificateChain.certificates", [*chain, known])

    assert verify_signature(DIGEST, longer.raw, policy=None, root=root).subject == SUBJECT


def test_members_that_are_null_are_members_that_are_absent(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT).replaced("verificationMaterial.timestampVerificationData", None)

    assert verify_signature(DIGEST, bundle.raw, policy=None, root=root).subject == SUBJECT


def test_a_file_is_signed_like_its_bytes(sigstore: LocalSigstore, root: TrustedRoot, tmp_path: Path) -> None:
    path = tmp_path / "artifact.bin"
    path.write_bytes(ARTIFACT)

    assert verify_signature(DIGEST, sigstore.sign(path).raw, policy=None, root=root).subject == SUBJECT
