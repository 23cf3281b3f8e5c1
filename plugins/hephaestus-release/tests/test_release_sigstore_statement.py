"""A DSSE envelope counts only if it holds an in-toto statement that endorses this very artifact."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from hephaestus_release._statement import ENDORSEMENTS
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import VerificationError
from hephaestus_release.testing.sigstore import BUNDLE_KINDS, BundleKind, LocalSigstore, provenance

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()

envelope_kinds = pytest.mark.parametrize("kind", [kind for kind in BUNDLE_KINDS if kind.content == "dsse"], ids=str)


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in provenance(DIGEST).items() if name != key}


def _with(**members: Any) -> dict[str, Any]:
    return {**provenance(DIGEST), **members}


OTHER = hashlib.sha256(b"another").hexdigest()
REFUSED: dict[str, dict[str, Any] | bytes] = {
    "another artifact": provenance(hashlib.sha256(b"another").digest()),
    "no subject": _without("subject"),
    "empty subject": _with(subject=[]),
    "subject that is no list": _with(subject={"digest": {"sha256": DIGEST.hex()}}),
    "subject without digest": _with(subject=[{"name": "artifact"}]),
    "subject of odd shape": _with(subject=["artifact", None, {"digest": "sha256"}, {"digest": {"sha256": 1}}]),
    "digest under another algorithm": _with(subject=[{"name": "artifact", "digest": {"sha512": DIGEST.hex()}}]),
    "digest cut short": _with(subject=[{"name": "artifact", "digest": {"sha256": DIGEST.hex()[:32]}}]),
    "no statement type": _without("_type"),
    "unknown statement type": _with(_type="https://in-toto.io/Statement/v9"),
    "statement type of odd shape": _with(_type=7),
    "no predicate type": _without("predicateType"),
    "predicate type of odd shape": _with(predicateType=["https://slsa.dev/provenance/v1"]),
    "a failed scan": _with(predicateType="https://in-toto.io/attestation/test-result/v0.1"),
    "a summary of a verification": _with(predicateType="https://slsa.dev/verification_summary/v1"),
    "not JSON": b"{",
    "not UTF-8": b'{"_type": "\xff"}',
    "a list": b"[]",
    "nested too deeply": b"[" * 100_000,
    "a key twice": json.dumps(_with(subject=[])).encode()[:-1]
    + b', "subject": '
    + json.dumps(provenance(DIGEST)["subject"]).encode()
    + b"}",
    "empty object": b"{}",
}


@envelope_kinds
@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_a_genuine_signature_on_a_statement_that_does_not_endorse_the_artifact_is_refused(
    statement: dict[str, Any] | bytes, kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind, statement=statement)

    with pytest.raises(VerificationError) as caught:
        verify_signature(DIGEST, bundle.raw, policy=None, root=root)
    assert "\n" not in str(caught.value)


@envelope_kinds
def test_a_payload_of_another_type_is_refused(kind: BundleKind, sigstore: LocalSigstore, root: TrustedRoot) -> None:
    bundle = sigstore.sign(ARTIFACT, kind=kind, payload_type="application/json")

    with pytest.raises(VerificationError, match="not an in-toto statement"):
        verify_signature(DIGEST, bundle.raw, policy=None, root=root)


@pytest.mark.parametrize("predicate_type", sorted(ENDORSEMENTS))
@pytest.mark.parametrize("version", ["v0.1", "v1"])
def test_each_endorsement_is_accepted_in_both_versions_of_statements(
    predicate_type: str, version: str, sigstore: LocalSigstore, root: TrustedRoot
) -> None:
    statement = _with(predicateType=predicate_type, _type=f"https://in-toto.io/Statement/{version}")
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind("dsse"), statement=statement)

    assert verify_signature(DIGEST, bundle.raw, policy=None, root=root).predicate_type == predicate_type


def test_the_artifact_may_be_any_of_several_subjects(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    subjects = [{"name": "other", "digest": {"sha256": OTHER}}, *provenance(DIGEST)["subject"]]
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind("dsse"), statement=_with(subject=subjects))

    assert verify_signature(DIGEST, bundle.raw, policy=None, root=root).content == "DSSE"


def test_the_caller_decides_which_statements_endorse(sigstore: LocalSigstore, root: TrustedRoot) -> None:
    own = "https://example.test/published/v1"
    bundle = sigstore.sign(ARTIFACT, kind=BundleKind("dsse"), statement=_with(predicateType=own))

    evidence = verify_signature(DIGEST, bundle.raw, policy=None, root=root, predicate_types={own})
    assert evidence.predicate_type == own
