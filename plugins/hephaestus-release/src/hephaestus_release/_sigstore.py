"""Sigstore verification: the only module that imports sigstore, and only reached when there is a bundle to verify.

The library verifies signature, certificate, SCT, log entry and time. This module chooses what it may trust
(`TrustedRoot.narrowed`), checks what it leaves open, and turns whatever goes wrong into a refusal of one line: a
bundle comes from a stranger, so any exception at all means refused.

Left open by sigstore 4.5, and closed here: keys and authorities outside their windows; a claimed log id that no key
has; a promise without a time or a time without a promise; an unpromised log index; the checkpoint's size; time stamps
beside another source of time; stray certificates in a chain; the digest's algorithm; and the meaning of a DSSE payload.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from sigstore.errors import CertValidationError
from sigstore.hashes import Hashed
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier
from sigstore_models.bundle.v1 import Bundle as BundleModel
from sigstore_models.common.v1 import HashAlgorithm
from sigstore_models.rekor.v1 import TransparencyLogEntry

from hephaestus.errors import HephaestusError
from hephaestus_release._bundles import bundle_document
from hephaestus_release._certificate import certificate_timestamp, chain_covers, signer_identity
from hephaestus_release._checkpoint import check_checkpoint
from hephaestus_release._claims import Claims
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._levels import Level
from hephaestus_release._signature_evidence import SignatureEvidence, VerifiedTime
from hephaestus_release._statement import check_statement
from hephaestus_release._text import one_line
from hephaestus_release._timestamps import check_timestamps, claimed_times
from hephaestus_release._trust import TrustedRoot
from hephaestus_release.errors import BundleError, TrustError, VerificationError

__all__ = ["verify_bundle"]


@frozen
class _Parts:
    """A bundle as it was read: by the library, and as the plain model whose fields are public."""

    bundle: Bundle
    model: BundleModel
    stamps: tuple[bytes, ...]

    @property
    def entry(self) -> TransparencyLogEntry:
        return self.model.verification_material.tlog_entries[0]

    @property
    def leaf(self) -> Certificate:
        return self.bundle.signing_certificate


class _AnySigner:
    """The library's policy, which is asked too early: who signed is judged once everything else is verified."""

    def verify(self, cert: Certificate) -> None:
        """Accept."""


def verify_bundle(
    raw: bytes,
    digest: bytes,
    root: TrustedRoot,
    policy: IdentityPolicy | None,
    predicate_types: Collection[str],
) -> SignatureEvidence:
    """Verify that a bundle signs an artifact.

    Args:
        raw: the bundle's bytes.
        digest: the artifact's SHA-256.
        root: whom to trust.
        policy: who must have signed; None to accept anybody, which is worth the lower level.
        predicate_types: of in-toto statements that endorse an artifact.

    Raises:
        VerificationError: refused; `BundleError` when the bundle cannot be read, `IdentityError` when the signature
            is genuine but another's.
        TrustError: the trusted root is malformed.
    """
    document = bundle_document(raw)
    with _refusing("the Sigstore bundle cannot be read", BundleError):
        parts = _read(raw, document)
    with _refusing("the Sigstore bundle is refused", VerificationError):
        times = _claimed(parts)
        narrowed = _narrowed(parts, root, [one.time for one in times])
        _check_loose_ends(parts, digest, narrowed, root)
        predicate_type = _verified(parts, digest, narrowed, predicate_types)
        signer = signer_identity(parts.leaf)
    matched = () if policy is None else policy.check(signer)
    return SignatureEvidence(
        digest=f"sha256:{digest.hex()}",
        level=Level.SIGSTORE if policy is None else Level.SIGSTORE_IDENTITY,
        signer=signer,
        matched=matched,
        content="message signature" if predicate_type is None else "DSSE",
        predicate_type=predicate_type,
        bundle_type=parts.model.media_type,
        log_id=parts.entry.log_id.key_id.hex(),
        log_index=parts.entry.log_index,
        times=times,
        certificate_sha256=hashlib.sha256(parts.leaf.public_bytes(Encoding.DER)).hexdigest(),
        bundle_sha256=hashlib.sha256(raw).hexdigest(),
        trusted_root=root.origin,
        trusted_root_sha256=root.sha256,
    )


@contextmanager
def _refusing(what: str, kind: type[VerificationError]) -> Iterator[None]:
    try:
        yield
    except HephaestusError:
        raise
    except CertValidationError as error:
        reason = "the signer's certificate does not chain to an authority that was trusted when it signed"
        raise kind(f"{what}: {reason}") from error
    except BaseException as error:
        # A panic in the Rust that parses certificates derives from BaseException, as Ctrl-C does.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise kind(f"{what}: {one_line(error) or type(error).__name__}") from error


def _read(raw: bytes, document: dict[str, Any]) -> _Parts:
    model = BundleModel.from_json(raw)
    # The library passes over stray characters in Base64 and takes two spellings of each key; signers write neither.
    if model.to_dict() != _without_nulls(document):
        raise BundleError("the Sigstore bundle is irregular: stray characters, or unusual spelling of keys or numbers")
    data = model.verification_material.timestamp_verification_data
    stamps = tuple(one.signed_timestamp for one in data.rfc3161_timestamps) if data else ()
    return _Parts(Bundle.from_json(raw), model, stamps)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _claimed(parts: _Parts) -> tuple[VerifiedTime, ...]:
    entry = parts.entry
    # The library verifies a promise only if there is a time, and takes no notice of a time without a promise.
    if (entry.inclusion_promise is None) != (not entry.integrated_time):
        raise VerificationError("the log entry has a time without the log's promise, or a promise without a time")
    times = [VerifiedTime("time-stamp authority", moment.astimezone(UTC)) for moment in claimed_times(parts.stamps)]
    if entry.integrated_time:
        times.append(VerifiedTime("transparency log", datetime.fromtimestamp(entry.integrated_time, UTC)))
    if not times:
        raise VerificationError("nothing in the bundle says when it was signed")
    return tuple(times)


def _narrowed(parts: _Parts, root: TrustedRoot, times: Sequence[datetime]) -> dict[str, Any]:
    ct_log_id, ct_time = certificate_timestamp(parts.leaf)
    narrowed = root.narrowed(Claims(parts.entry.log_id.key_id, tuple(times), ct_log_id, ct_time))
    authorities = [one for one in narrowed["certificateAuthorities"] if chain_covers(one, times)]
    if not authorities:
        raise VerificationError("every certificate authority had expired, or was not valid yet, when this was signed")
    return {**narrowed, "certificateAuthorities": authorities}


def _check_loose_ends(parts: _Parts, digest: bytes, narrowed: dict[str, Any], root: TrustedRoot) -> None:
    entry, proof = parts.entry, parts.entry.inclusion_proof
    if entry.inclusion_promise is None and entry.log_index != proof.log_index:
        raise VerificationError("the log entry's index is not that of its inclusion proof")
    if proof.checkpoint is None:
        raise VerificationError("the log entry has no checkpoint")
    check_checkpoint(proof.checkpoint.envelope, proof.tree_size, entry.log_id.key_id)
    check_timestamps(parts.stamps, parts.bundle.signature, narrowed["timestampAuthorities"])
    chain = parts.model.verification_material.x509_certificate_chain
    if chain and not {one.raw_bytes for one in chain.certificates[1:]} <= root.authority_certificates:
        raise VerificationError("the bundle's chain has a certificate that is not in the trusted root")
    message = parts.model.message_signature
    stated = message.message_digest if message else None
    if stated and (stated.algorithm, stated.digest) != (HashAlgorithm.SHA2_256, digest):
        raise VerificationError(
            f"the bundle signs {stated.algorithm.value}:{stated.digest.hex()[:128]}, not sha256:{digest.hex()}",
            hint="is the bundle that of another artifact, or is the artifact damaged?",
        )


def _verified(parts: _Parts, digest: bytes, narrowed: dict[str, Any], predicate_types: Collection[str]) -> str | None:
    verifier = _verifier(narrowed)
    if parts.model.message_signature is not None:
        artifact = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest)
        verifier.verify_artifact(artifact, parts.bundle, _AnySigner())
        return None
    payload_type, payload = verifier.verify_dsse(parts.bundle, _AnySigner())
    return check_statement(payload_type, payload, digest, predicate_types)


def _verifier(narrowed: dict[str, Any]) -> Verifier:
    # A client configuration is the public way to load a root that is not in a file; its signing half stays empty.
    configuration = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": narrowed,
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    try:
        return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(configuration)).trusted_root)
    except Exception as error:
        raise TrustError(f"the trusted root is malformed: {one_line(error)}") from error
