"""Nothing tampered is accepted: every part of every kind of bundle, altered, dropped, or taken from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import VerificationError
from hephaestus_release.testing.sigstore import (
    BUNDLE_KINDS,
    SIGNED_AT,
    BundleKind,
    CertificateAuthority,
    CtLog,
    LocalBundle,
    LocalSigstore,
    RekorV1,
    RekorV2,
    SignerProfile,
    TimestampAuthority,
)

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()
ENTRY = "verificationMaterial.tlogEntries.0"
PROOF = f"{ENTRY}.inclusionProof"
PROMISE = f"{ENTRY}.inclusionPromise.signedEntryTimestamp"
STAMPS = "verificationMaterial.timestampVerificationData"
STAMP = f"{STAMPS}.rfc3161Timestamps.0.signedTimestamp"
SIGNATURES = {"message": "messageSignature.signature", "dsse": "dsseEnvelope.signatures.0.sig"}

every_kind = pytest.mark.parametrize("kind", BUNDLE_KINDS, ids=str)
promised_kinds = pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.rekor == 1], ids=str)
stamped_kinds = pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.timestamped], ids=str)
envelope_kinds = pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.content == "dsse"], ids=str)


def refused(bundle: LocalBundle, root: TrustedRoot, digest: bytes = DIGEST) -> str:
    """The one line with which the bundle is refused."""
    with pytest.raises(VerificationError) as caught:
        verify_signature(digest, bundle.raw, policy=None, root=root)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every text in a bundle, with its dotted path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield from leaves(member, (*path, str(key)))
    if isinstance(value, str):
        yield ".".join(path), value


def members(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted path of every member of every object in a bundle."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        if isinstance(value, dict):
            yield ".".join((*path, str(key)))
        yield from members(member, (*path, str(key)))


def is_base64(text: str) -> bool:
    return len(text) > 20 and text.isascii() and " " not in text and "\n" not in text and "/vnd." not in text


def alterations(bundle: LocalBundle) -> Iterator[tuple[str, LocalBundle]]:
    """The bundle with each of its texts altered in several ways."""
    for path, text in leaves(bundle.data):
        yield f"{path} emptied", bundle.replaced(path, "")
        yield f"{path} lengthened", bundle.replaced(path, text + "A")
        if text.isdigit():
            for step in (-1, 1, 2, 1 << 20, 1 << 62):
                yield f"{path} by {step}", bundle.replaced(path, str(int(text) + step))
        elif is_base64(text):
            size = len(base64.b64decode(text))
            # CMS signs neither its version numbers nor the name of its algorithm; a stamp is flipped where it matters.
            places = (size // 4, size // 3, -1) if path == STAMP else (0, size // 3, size // 2, 2 * size // 3, -1)
            for place in places:
                yield f"{path} flipped at {place}", bundle.flipped(path, place)
            yield f"{path} with a stray sign", bundle.replaced(path, f"{text[:8]}\n{text[8:]}")


@every_kind
def test_no_text_in_a_bundle_can_be_altered(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    accepted = []
    for name, altered in alterations(bundle):
        try:
            verify_signature(DIGEST, altered.raw, policy=None, root=root)
        except VerificationError:
            continue
        accepted.append(name)

    assert accepted == []


@every_kind
def test_no_member_can_be_dropped_but_those_that_the_format_makes_optional(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    accepted = set()
    for path in members(bundle.data):
        try:
            verify_signature(DIGEST, bundle.without(path).raw, policy=None, root=root)
        except VerificationError:
            continue
        accepted.add(path)

    optional = {"messageSignature.messageDigest"} if kind.content == "message" else set()
    if kind.timestamped and kind.rekor == 1:
        # The log's promise is a source of time by itself: without the stamp it is an ordinary bundle.
        optional |= {STAMPS, f"{STAMPS}.rfc3161Timestamps"}
    assert accepted == optional


@every_kind
def test_every_character_of_the_checkpoint_counts(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    text = bundle.value(f"{PROOF}.checkpoint.envelope")
    accepted = []
    for place, character in enumerate(text):
        other = text[:place] + ("B" if character == "A" else "A") + text[place + 1 :]
        try:
            verify_signature(DIGEST, bundle.replaced(f"{PROOF}.checkpoint.envelope", other).raw, policy=None, root=root)
        except VerificationError:
            continue
        accepted.append((place, character))

    assert accepted == []


@every_kind
def test_a_bundle_of_another_artifact_is_refused(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    other = hashlib.sha256(b"another artifact").digest()

    assert other.hex() in refused(sigstore.sign(ARTIFACT, kind=kind), root, digest=other)


@every_kind
def test_a_log_entry_of_another_signature_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    other = sigstore.sign(b"another artifact", kind=kind)
    again = sigstore.sign(ARTIFACT, kind=kind)
    bundle = sigstore.sign(ARTIFACT, kind=kind)

    refused(bundle.replaced(ENTRY, other.value(ENTRY)), root)
    refused(bundle.replaced(ENTRY, again.value(ENTRY)), root)


@every_kind
def test_a_signature_by_another_key_is_refused(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    other = sigstore.sign(ARTIFACT, kind=kind)
    path = SIGNATURES[kind.content]

    refused(sigstore.sign(ARTIFACT, kind=kind).replaced(path, other.value(path)), root)


@every_kind
def test_a_certificate_of_another_signer_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    other = sigstore.sign(ARTIFACT, kind=kind)
    path = "verificationMaterial." + ("certificate" if kind.version == "0.3" else "x509CertificateChain")

    refused(sigstore.sign(ARTIFACT, kind=kind).replaced(path, other.value(path)), root)


def _rogue_authority(good: LocalSigstore) -> LocalSigstore:
    # The same names as the genuine authority: only the keys tell them apart.
    return good.with_services(authority=CertificateAuthority(name=good.authority.name))


def _rogue_ct_log(good: LocalSigstore) -> LocalSigstore:
    return good.with_services(ct_log=CtLog())


def _rogue_rekor(good: LocalSigstore) -> LocalSigstore:
    return good.with_services(rekor_v1=RekorV1(), rekor_v2=RekorV2())


@every_kind
@pytest.mark.parametrize("rogue", [_rogue_authority, _rogue_ct_log, _rogue_rekor])
def test_a_bundle_by_services_that_the_root_does_not_name_is_refused(
    rogue: Callable[[LocalSigstore], LocalSigstore], kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    refused(rogue(sigstore).sign(ARTIFACT, kind=kind), root)


@every_kind
def test_a_log_that_borrows_the_id_of_a_trusted_one_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    genuine = sigstore.sign(ARTIFACT, kind=kind).value(f"{ENTRY}.logId.keyId")
    forged = _rogue_rekor(sigstore).sign(ARTIFACT, kind=kind)

    refused(forged.replaced(f"{ENTRY}.logId.keyId", genuine), root)


@every_kind
@pytest.mark.parametrize("timestamps", [0, 2])
def test_a_certificate_without_exactly_one_sct_is_refused(
    timestamps: int, kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind, profile=SignerProfile(timestamps=timestamps))

    assert "SCT" in refused(bundle, root)


@every_kind
def test_a_certificate_that_is_not_for_signing_code_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    profile = SignerProfile(usage=(ExtendedKeyUsageOID.CLIENT_AUTH,))

    refused(sigstore.sign(ARTIFACT, kind=kind, profile=profile), root)


@promised_kinds
def test_the_promise_of_another_entry_is_refused(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    other = sigstore.sign(ARTIFACT, kind=kind).value(PROMISE)

    assert "SET" in refused(sigstore.sign(ARTIFACT, kind=kind).replaced(PROMISE, other), root)


@promised_kinds
def test_a_promise_without_a_time_and_a_time_without_a_promise_are_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)

    refused(bundle.replaced(f"{ENTRY}.integratedTime", "0"), root)
    refused(bundle.without(f"{ENTRY}.integratedTime"), root)
    refused(bundle.without(f"{ENTRY}.inclusionPromise"), root)


@stamped_kinds
def test_a_time_stamp_over_another_signature_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    other = sigstore.sign(ARTIFACT, kind=kind).value(STAMP)

    assert "time stamp" in refused(sigstore.sign(ARTIFACT, kind=kind).replaced(STAMP, other), root)


@stamped_kinds
def test_a_time_stamp_by_an_unknown_authority_is_refused_even_beside_a_promise(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    rogue = sigstore.with_services(timestamps=TimestampAuthority())

    assert "time stamp" in refused(rogue.sign(ARTIFACT, kind=kind), root)


@stamped_kinds
def test_a_forged_time_stamp_beside_a_genuine_one_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    genuine = bundle.value(f"{STAMPS}.rfc3161Timestamps")
    stranger = {"signedTimestamp": base64.b64encode(TimestampAuthority().stamp(b"", SIGNED_AT)).decode()}

    for extra in (stranger, genuine[0]):
        refused(bundle.replaced(f"{STAMPS}.rfc3161Timestamps", [*genuine, extra]), root)


@every_kind
def test_an_inclusion_proof_for_another_size_of_tree_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    size = int(bundle.value(f"{PROOF}.treeSize"))

    for other in range(1, size * 2 + 2):
        if other != size:
            refused(bundle.replaced(f"{PROOF}.treeSize", str(other)), root)


def test_a_size_of_tree_that_leads_to_the_same_path_is_refused(sigstore: LocalSigstore) -> None:
    own = sigstore.with_services(rekor_v1=RekorV1(later=4))
    root = TrustedRoot("own", json.dumps(own.trusted_root()).encode())
    bundle = own.sign(ARTIFACT)

    # Entry 5 of 10: the path is the same for every tree of 9 to 16 entries.
    assert (bundle.value(f"{PROOF}.logIndex"), bundle.value(f"{PROOF}.treeSize")) == ("5", "10")
    assert verify_signature(DIGEST, bundle.raw, policy=None, root=root).log_index == 1005
    assert "another size" in refused(bundle.replaced(f"{PROOF}.treeSize", "11"), root)


def test_spare_bits_in_a_checkpoints_base64_are_refused(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind(rekor=2, timestamped=True))
    head, last = bundle.value(f"{PROOF}.checkpoint.envelope").removesuffix("=\n")[:-1], "="
    for letter in "BCD":
        # Of A, B, C and D, which differ in their two spare bits alone, only A is regular.
        altered = bundle.replaced(f"{PROOF}.checkpoint.envelope", f"{head}{letter}{last}\n")
        assert "irregular Base64" in refused(altered, root)


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_stray_certificate_in_a_chain_is_refused(version: Any, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind(version=version))
    stray = CertificateAuthority().as_json()["certChain"]["certificates"]
    path = "verificationMaterial.x509CertificateChain.certificates"

    assert "not in the trusted root" in refused(bundle.replaced(path, [*bundle.value(path), *stray]), root)


@pytest.mark.parametrize("algorithm", ["SHA2_512", "SHA3_256"])
def test_a_digest_under_another_algorithms_name_is_refused(
    algorithm: str, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    refused(sigstore.sign(ARTIFACT).replaced("messageSignature.messageDigest.algorithm", algorithm), root)


@envelope_kinds
def test_a_second_signature_in_an_envelope_is_refused(
    kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind)
    signatures = bundle.value("dsseEnvelope.signatures")

    refused(bundle.replaced("dsseEnvelope.signatures", [*signatures, *signatures]), root)


def test_a_bundle_with_two_log_entries_is_refused(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT)
    entries = bundle.value("verificationMaterial.tlogEntries")

    refused(bundle.replaced("verificationMaterial.tlogEntries", [*entries, *entries]), root)


def test_a_bundle_without_a_log_entry_is_refused_in_plain_words(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT)

    assert "no transparency-log entry" in refused(bundle.without("verificationMaterial.tlogEntries"), root)
    assert "no transparency-log entry" in refused(bundle.replaced("verificationMaterial.tlogEntries", []), root)


def test_a_bundle_with_a_bare_key_is_refused_in_plain_words(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT).without("verificationMaterial.certificate")

    assert "bare key" in refused(bundle.replaced("verificationMaterial.publicKey", {"hint": "mine"}), root)


def test_a_self_signed_certificate_is_refused(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    authority = CertificateAuthority(name=sigstore.authority.name)
    authority.intermediate = authority.root
    authority.key = authority.root_key

    assert "does not chain" in refused(sigstore.with_services(authority=authority).sign(ARTIFACT), root)
