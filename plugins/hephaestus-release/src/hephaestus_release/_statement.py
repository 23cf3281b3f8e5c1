"""The in-toto statement inside a DSSE envelope: that it is one, that it is about this artifact, and what it says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hephaestus_release._strict_json import strict_object
from hephaestus_release._text import one_line
from hephaestus_release.errors import VerificationError

__all__ = ["ENDORSEMENTS", "check_statement"]

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT_TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})

ENDORSEMENTS = frozenset(
    {
        "https://slsa.dev/provenance/v0.2",
        "https://slsa.dev/provenance/v1",
        "https://in-toto.io/attestation/release/v0.1",
        "https://in-toto.io/attestation/release/v0.2",
        "https://sigstore.dev/cosign/sign/v1",
    }
)
"""Predicate types by which a signer says "I built, released or signed this".

A genuine statement of another type may say the opposite, such as that a scan of the artifact failed.
"""


def check_statement(payload_type: str, payload: bytes, digest: bytes, predicate_types: Collection[str]) -> str:
    """Refuse a payload that does not endorse the artifact.

    Args:
        payload_type: of the verified envelope.
        payload: of the verified envelope.
        digest: the artifact's SHA-256.
        predicate_types: those that count as an endorsement.

    Returns:
        the statement's predicate type.

    Raises:
        VerificationError: not an in-toto statement, about something else, or of another predicate type.
    """
    if payload_type != _PAYLOAD_TYPE:
        raise VerificationError(f"the signed payload is of type {one_line(payload_type)!r}, not an in-toto statement")
    statement = _parsed(payload)
    if statement.get("_type") not in _STATEMENT_TYPES:
        raise VerificationError("the signed payload is not an in-toto statement of version 0.1 or 1")
    if digest.hex() not in _subjects(statement):
        raise VerificationError(
            f"the signed statement is not about sha256:{digest.hex()}", hint="is the bundle that of another artifact?"
        )
    predicate_type = statement.get("predicateType")
    if not isinstance(predicate_type, str) or predicate_type not in predicate_types:
        raise VerificationError(
            f"the signed statement is a {one_line(predicate_type)!r}, which does not endorse the artifact",
            hint="accepted are: " + ", ".join(sorted(predicate_types)),
        )
    return predicate_type


def _parsed(payload: bytes) -> dict[str, Any]:
    try:
        return strict_object(payload)
    except ValueError as error:
        raise VerificationError(f"the signed statement is no JSON object: {one_line(error)}") from error


def _subjects(statement: dict[str, Any]) -> set[str]:
    subjects = statement.get("subject")
    digests = [one.get("digest") for one in subjects if isinstance(one, dict)] if isinstance(subjects, list) else []
    values = [digest.get("sha256") for digest in digests if isinstance(digest, dict)]
    return {value for value in values if isinstance(value, str)}
