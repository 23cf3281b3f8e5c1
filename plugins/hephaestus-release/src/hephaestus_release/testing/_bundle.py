"""A signed bundle that tests can write to disk, and alter one value at a time."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any, Literal

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

__all__ = ["BUNDLE_KINDS", "BundleKind", "LocalBundle"]

_MEDIA_TYPES = {
    "0.1": "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "0.2": "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "0.3": "application/vnd.dev.sigstore.bundle.v0.3+json",
}


@frozen
class BundleKind:
    """Which of the shapes in the field a bundle takes.

    Args:
        content: a signature over the artifact, or a DSSE envelope around an in-toto statement about it.
        version: of the bundle format; before 0.3 the certificate is the first of a chain.
        rekor: version of the log; version 2 needs a time stamp.
        timestamped: whether a time-stamp authority vouches for the signature.
    """

    content: Literal["message", "dsse"] = "message"
    version: Literal["0.1", "0.2", "0.3"] = "0.3"
    rekor: Literal[1, 2] = 1
    timestamped: bool = False

    @property
    def media_type(self) -> str:
        """The bundle's `mediaType`."""
        return _MEDIA_TYPES[self.version]

    def __str__(self) -> str:
        return f"{self.content}-{self.version}-rekor{self.rekor}{'-tsa' if self.timestamped else ''}"


_LOGGED: tuple[tuple[Literal["0.1", "0.2", "0.3"], Literal[1, 2], bool], ...] = (
    ("0.1", 1, False),
    ("0.2", 1, False),
    ("0.3", 1, False),
    ("0.3", 1, True),
    ("0.3", 2, True),
)

_CONTENTS: tuple[Literal["message", "dsse"], ...] = ("message", "dsse")

BUNDLE_KINDS: tuple[BundleKind, ...] = tuple(
    BundleKind(content, *logged) for content in _CONTENTS for logged in _LOGGED
)
"""Every kind of bundle that signers make: both contents in each format, log and source of time."""


@frozen
class LocalBundle:
    """A bundle made by a local Sigstore.

    Args:
        data: the bundle's JSON.
        kind: the shape that it was made in.
        certificate: the signer's leaf certificate.
        key: the signer's key, for tests that forge.
    """

    data: dict[str, Any]
    kind: BundleKind
    certificate: Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def raw(self) -> bytes:
        """The bundle as it would lie in a file."""
        return json.dumps(self.data).encode()

    def write(self, path: Path) -> Path:
        """Write the bundle to `path` and return it."""
        path.write_bytes(self.raw)
        return path

    def value(self, path: str) -> Any:
        """The value at a dotted path, e.g. "verificationMaterial.tlogEntries.0.logIndex"."""
        value: Any = self.data
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    def replaced(self, path: str, value: Any) -> LocalBundle:
        """A copy with another value at `path`; a key that was absent is added."""
        changed, holder, last = self._holder(path)
        holder[int(last) if isinstance(holder, list) else last] = value
        return changed

    def without(self, path: str) -> LocalBundle:
        """A copy without the value at `path`, which must be there."""
        changed, holder, last = self._holder(path)
        del holder[int(last) if isinstance(holder, list) else last]
        return changed

    def flipped(self, path: str, byte: int = -1) -> LocalBundle:
        """A copy in which the lowest bit of one byte of the Base64 value at `path` is the other way round."""
        octets = bytearray(base64.b64decode(self.value(path)))
        octets[byte] ^= 1
        return self.replaced(path, base64.b64encode(octets).decode())

    def _holder(self, path: str) -> tuple[LocalBundle, Any, str]:
        parent, _, last = path.rpartition(".")
        changed = LocalBundle(copy.deepcopy(self.data), self.kind, self.certificate, self.key)
        return changed, changed.value(parent) if parent else changed.data, last
