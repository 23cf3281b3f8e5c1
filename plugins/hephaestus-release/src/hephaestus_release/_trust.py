"""Whom to trust: Sigstore's own trusted root as it was packaged, or the user's, by explicit path.

The cache that Sigstore's tools keep in the user's folder is never read: whoever can write a file there would decide
who is trusted. The libraries accept keys and authorities outside the windows that the trusted root gives them;
`TrustedRoot.narrowed` leaves only those that were trusted when the signature was made: no others can confirm it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import field, frozen

from hephaestus_release._claims import Claims
from hephaestus_release._files import read_limited
from hephaestus_release._strict_json import strict_object
from hephaestus_release._text import one_line
from hephaestus_release.errors import TrustError, VerificationError

__all__ = ["TrustedRoot"]

_LARGEST = 8 * 1024 * 1024
_PACKAGED = ("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_KINDS = ("tlogs", "ctlogs", "certificateAuthorities")
_HINT = "give a trusted_root.json of Sigstore's format, version 0.1"


@frozen
class TrustedRoot:
    """A trusted root that was read, but not yet narrowed to one signature.

    Args:
        origin: where it came from, for messages and receipts: a path, or "packaged".
        raw: its bytes.
    """

    origin: str
    raw: bytes = field(repr=False)
    _document: dict[str, Any] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_document", _parsed(self.raw, self.origin))

    @classmethod
    def packaged(cls) -> TrustedRoot:
        """The public-good root that comes inside the installed sigstore package.

        Raises:
            TrustError: the installed package has none.
        """
        # find_spec locates the package without importing it, which would cost most of a second.
        spec = importlib.util.find_spec("sigstore")
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder, *_PACKAGED)
            if path.is_file():
                return cls("packaged", path.read_bytes())
        raise TrustError("the installed sigstore package has no trusted root", hint="reinstall sigstore, or give one")

    @classmethod
    def from_file(cls, path: Path) -> TrustedRoot:
        """The user's own root.

        Raises:
            UsageError: the file cannot be read.
            TrustError: it is no trusted root.
        """
        raw = read_limited(path, _LARGEST, "trusted root")
        if raw is None:
            raise TrustError(f"trusted root {str(path)!r} is larger than {_LARGEST} bytes", hint=_HINT)
        return cls(str(path), raw)

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def authority_certificates(self) -> set[bytes]:
        """Every certificate (DER) of its certificate authorities.

        Raises:
            TrustError: the root is malformed.
        """
        with self._well_formed():
            authorities = self._document["certificateAuthorities"]
            certificates = [one for authority in authorities for one in authority["certChain"]["certificates"]]
            return {base64.b64decode(one["rawBytes"]) for one in certificates}

    def narrowed(self, claims: Claims) -> dict[str, Any]:
        """The root's document with only those whom the claims call upon, each within its window.

        Raises:
            VerificationError: the root does not know a log, or trusted nobody of a kind at that time.
            TrustError: the root is malformed.
        """
        with self._well_formed():
            return {
                **self._document,
                "tlogs": self._logs("tlogs", "transparency log", claims.log_id, claims.times),
                "ctlogs": self._logs("ctlogs", "certificate-transparency log", claims.ct_log_id, (claims.ct_time,)),
                "certificateAuthorities": self._authorities(claims.times),
                "timestampAuthorities": self._timestamp_authorities(claims.times),
            }

    @contextmanager
    def _well_formed(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrustError(f"the trusted root ({self.origin}) is malformed", hint=_HINT) from error

    def _logs(self, kind: str, name: str, log_id: bytes, times: Sequence[datetime]) -> list[dict[str, Any]]:
        known = [log for log in self._document[kind] if log_id in _log_ids(log)]
        if not known:
            raise VerificationError(
                f"the {name} {log_id.hex()[:16]} is not in the trusted root ({self.origin})",
                hint="was it signed with another Sigstore? then give that one's trusted root",
            )
        trusted = [log for log in known if _covers(log["publicKey"].get("validFor"), times)]
        return _some(trusted, f"the {name}'s key", times)

    def _authorities(self, times: Sequence[datetime]) -> list[dict[str, Any]]:
        every = self._document["certificateAuthorities"]
        return _some([one for one in every if _covers(one["validFor"], times)], "a certificate authority", times)

    def _timestamp_authorities(self, times: Sequence[datetime]) -> list[dict[str, Any]]:
        return [one for one in self._document.get("timestampAuthorities", []) if _covers(one["validFor"], times)]


def _some(found: list[dict[str, Any]], what: str, times: Sequence[datetime]) -> list[dict[str, Any]]:
    if not found:
        moments = ", ".join(sorted({moment.isoformat() for moment in times}))
        raise VerificationError(
            f"the trusted root does not trust {what} at the time of signing ({moments})",
            hint="the key or certificate was not valid yet, or not any more, when this was signed",
        )
    return found


def _log_ids(log: dict[str, Any]) -> set[bytes]:
    named = [log["logId"], log.get("checkpointKeyId")]
    return {base64.b64decode(entry["keyId"]) for entry in named if entry is not None}


def _covers(window: dict[str, str] | None, times: Sequence[datetime]) -> bool:
    if window is None:
        return True
    start, end = _moment(window["start"]), window.get("end")
    return all(start <= moment and (end is None or moment <= _moment(end)) for moment in times)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(raw: bytes, origin: str) -> dict[str, Any]:
    try:
        document = strict_object(raw)
    except ValueError as error:
        raise TrustError(f"the trusted root ({origin}) is no JSON object: {one_line(error)}", hint=_HINT) from error
    if not all(isinstance(document.get(kind), list) for kind in _KINDS):
        raise TrustError(f"the trusted root ({origin}) names no logs or authorities", hint=_HINT)
    return document
