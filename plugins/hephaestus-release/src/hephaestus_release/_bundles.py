"""The file around a Sigstore bundle: its size, its JSON, and the two things that cannot be verified at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hephaestus_release._files import read_limited
from hephaestus_release._strict_json import strict_object
from hephaestus_release._text import one_line
from hephaestus_release.errors import BundleError

__all__ = ["LARGEST_BUNDLE", "bundle_document", "read_bundle"]

LARGEST_BUNDLE = 8 * 1024 * 1024
"""Most bytes of a bundle; a provenance with thousands of subjects stays below."""


def read_bundle(path: Path) -> bytes:
    """The bytes of a bundle file.

    Raises:
        UsageError: the file is not there or cannot be read.
        BundleError: it is larger than `LARGEST_BUNDLE`.
    """
    raw = read_limited(path, LARGEST_BUNDLE, "Sigstore bundle")
    if raw is None:
        raise BundleError(f"Sigstore bundle {path.name!r} is larger than {LARGEST_BUNDLE} bytes")
    return raw


def bundle_document(raw: bytes) -> dict[str, Any]:
    """The bundle's JSON object, with a reason in plain words where no verifier could go on.

    Raises:
        BundleError: too large, not JSON, a key given twice, no log entry, or signed by a bare key.
    """
    if len(raw) > LARGEST_BUNDLE:
        raise BundleError(f"the Sigstore bundle is larger than {LARGEST_BUNDLE} bytes")
    document = _parsed(raw)
    material = document.get("verificationMaterial", document.get("verification_material"))
    if not isinstance(material, dict):
        raise BundleError("the Sigstore bundle has no verification material", hint=_HINT)
    if not material.get("tlogEntries", material.get("tlog_entries")):
        raise BundleError(
            "the Sigstore bundle has no transparency-log entry, and cannot be verified without one",
            hint="ask the publisher for a bundle that was logged when it was signed",
        )
    if material.get("publicKey", material.get("public_key")) is not None:
        raise BundleError(
            "the Sigstore bundle was signed with a bare key, which says nothing of who signed",
            hint="ask the publisher for a bundle with a certificate",
        )
    return document


_HINT = "is it a Sigstore bundle (*.sigstore.json), whole and undamaged?"


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        return strict_object(raw)
    except ValueError as error:
        raise BundleError(f"the Sigstore bundle is no JSON object: {one_line(error)}", hint=_HINT) from error
