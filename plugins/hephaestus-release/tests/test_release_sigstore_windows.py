"""Keys, authorities and certificates count only within their windows, and only at the time of signing."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

import pytest

from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import TrustError, VerificationError
from hephaestus_release.testing.sigstore import (
    BUNDLE_KINDS,
    SIGNED_AT,
    BundleKind,
    CertificateAuthority,
    LocalSigstore,
    SignerProfile,
    TimestampAuthority,
    Window,
)

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()
DAY = timedelta(days=1)
EARLY = Window(SIGNED_AT - 100 * DAY, SIGNED_AT - DAY)
LATE = Window(SIGNED_AT + DAY, None)
AROUND = Window(SIGNED_AT - DAY, SIGNED_AT + DAY)

every_kind = pytest.mark.parametrize("kind", BUNDLE_KINDS, ids=str)
outside = pytest.mark.parametrize("window", [EARLY, LATE], ids=["ended before", "not begun"])


@pytest.fixture
def own() -> LocalSigstore:
    """A local Sigstore whose windows a test may alter."""
    return LocalSigstore()


def verified(own: LocalSigstore, kind: BundleKind, **signing: datetime | SignerProfile) -> None:
    """Sign, and verify against the same Sigstore's root as it is now."""
    bundle = own.sign(ARTIFACT, kind=kind, **signing)  # type: ignore[arg-type]
    root = TrustedRoot("own", json.dumps(own.trusted_root()).encode())
    verify_signature(DIGEST, bundle.raw, policy=None, root=root)


@every_kind
def test_services_that_have_ended_since_are_trusted_for_what_they_did_in_their_time(
    kind: BundleKind, own: LocalSigstore
) -> None:
    for service in (own.rekor_v1, own.rekor_v2, own.ct_log, own.authority, own.timestamps):
        service.window = AROUND

    verified(own, kind)


@every_kind
@outside
def test_a_log_key_is_refused_outside_its_window(kind: BundleKind, window: Window, own: LocalSigstore) -> None:
    own.rekor_v1.window = own.rekor_v2.window = window

    with pytest.raises(VerificationError, match="the transparency log's key at the time of signing"):
        verified(own, kind)


@every_kind
@outside
def test_a_ct_key_is_refused_outside_its_window(kind: BundleKind, window: Window, own: LocalSigstore) -> None:
    own.ct_log.window = window

    with pytest.raises(VerificationError, match="the certificate-transparency log's key at the time of signing"):
        verified(own, kind)


@every_kind
@outside
def test_a_certificate_authority_is_refused_outside_its_window(
    kind: BundleKind, window: Window, own: LocalSigstore
) -> None:
    own.authority.window = window

    with pytest.raises(VerificationError, match="a certificate authority at the time of signing"):
        verified(own, kind)


@pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.timestamped], ids=str)
@outside
def test_a_timestamp_authority_is_refused_outside_its_window(
    kind: BundleKind, window: Window, own: LocalSigstore
) -> None:
    own.timestamps.window = window

    with pytest.raises(VerificationError, match="a time stamp is not by an authority that was trusted at that time"):
        verified(own, kind)


@every_kind
def test_an_authority_whose_own_certificates_had_expired_is_refused(kind: BundleKind) -> None:
    authority = CertificateAuthority(lifetime=DAY)

    with pytest.raises(VerificationError, match="every certificate authority had expired"):
        verified(LocalSigstore(authority=authority), kind)


@pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.timestamped], ids=str)
def test_a_timestamp_authority_whose_own_certificates_had_expired_is_refused(kind: BundleKind) -> None:
    timestamps = TimestampAuthority(authority=CertificateAuthority(lifetime=DAY))

    with pytest.raises(VerificationError):
        verified(LocalSigstore(timestamps=timestamps), kind)


@every_kind
@pytest.mark.parametrize("shift", [-DAY, -timedelta(minutes=1), timedelta(minutes=11), DAY], ids=str)
def test_a_signature_outside_the_certificates_life_is_refused(
    kind: BundleKind, shift: timedelta, own: LocalSigstore
) -> None:
    with pytest.raises(VerificationError):
        verified(own, kind, logged_at=SIGNED_AT + shift)


@every_kind
@pytest.mark.parametrize("shift", [-DAY, DAY], ids=str)
def test_a_certificate_that_was_logged_outside_its_life_is_refused(
    kind: BundleKind, shift: timedelta, own: LocalSigstore
) -> None:
    with pytest.raises(VerificationError, match="logged outside the time that it was valid"):
        verified(own, kind, profile=SignerProfile(timestamped_at=SIGNED_AT + shift))


def test_a_window_holds_its_first_and_its_last_moment(own: LocalSigstore) -> None:
    own.rekor_v1.window = Window(SIGNED_AT, SIGNED_AT)

    verified(own, BundleKind())


def test_a_log_key_without_a_window_is_always_trusted(own: LocalSigstore) -> None:
    document = own.trusted_root()
    for log in document["tlogs"]:
        del log["publicKey"]["validFor"]
    root = TrustedRoot("own", json.dumps(document).encode())

    assert verify_signature(DIGEST, own.sign(ARTIFACT).raw, policy=None, root=root).log_index > 0


@pytest.mark.parametrize(
    "path", ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"], ids=["rekor", "ct", "ca", "tsa"]
)
@pytest.mark.parametrize("value", [[{}], ["text"], [None], {}], ids=repr)
def test_a_malformed_trusted_root_is_refused_as_such(path: str, value: object, own: LocalSigstore) -> None:
    bundle = own.sign(ARTIFACT, kind=BundleKind(rekor=2, timestamped=True))
    raw = json.dumps({**own.trusted_root(), path: value}).encode()

    with pytest.raises((TrustError, VerificationError)):
        verify_signature(DIGEST, bundle.raw, policy=None, root=TrustedRoot("own", raw))


def test_an_unknown_log_is_refused_with_the_mend(own: LocalSigstore) -> None:
    with pytest.raises(VerificationError, match="is not in the trusted root") as caught:
        verify_signature(DIGEST, own.sign(ARTIFACT).raw, policy=None)

    assert "trusted root" in str(caught.value.hint)
