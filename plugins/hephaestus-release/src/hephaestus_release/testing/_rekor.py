"""Two transparency logs: Rekor v1 (promises its entries) and Rekor v2 (a tiled log that signs no time)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, ClassVar

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from hephaestus_release.testing._keys import ALWAYS, Window, base64_text, new_key, sign, spki, spki_digest
from hephaestus_release.testing._merkle import inclusion_path, leaf_hash, root_hash

__all__ = ["RekorV1", "RekorV2", "canonical_json"]

_SHARD_OFFSET = 1000


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: RFC 8785 for the plain values that a log entry holds."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _prefilled() -> list[bytes]:
    # Protobuf's JSON leaves out a zero, and verifiers then miss the log index: index 0 must never be handed out.
    return [leaf_hash(b"an older entry %d" % number) for number in range(5)]


@frozen
class _Inclusion:
    """Where an entry ended up, and what the log says of its tree."""

    index: int
    size: int
    root: bytes
    path: list[bytes]

    def as_json(self, checkpoint: str) -> dict[str, Any]:
        return {
            "logIndex": str(self.index),
            "rootHash": base64_text(self.root),
            "treeSize": str(self.size),
            "hashes": [base64_text(item) for item in self.path],
            "checkpoint": {"envelope": checkpoint},
        }


@define
class _Log:
    """What both versions share: leaves and a window of trust."""

    window: Window = field(default=ALWAYS, kw_only=True)
    leaves: list[bytes] = field(factory=_prefilled, kw_only=True)
    later: int = field(default=0, kw_only=True)

    def _append(self, body: bytes) -> _Inclusion:
        index = len(self.leaves)
        self.leaves.append(leaf_hash(body))
        self.leaves.extend(leaf_hash(b"a later entry %d" % number) for number in range(self.later))
        return _Inclusion(index, len(self.leaves), root_hash(self.leaves), inclusion_path(index, self.leaves))


def _checkpoint(origin: str, name: str, hint: bytes, signature: bytes, inclusion: _Inclusion) -> str:
    # The name takes no space, and the four bytes before the signature are the start of the log's id.
    return f"{_note(origin, inclusion)}\n\u2014 {name} {base64_text(hint[:4] + signature)}\n"


def _note(origin: str, inclusion: _Inclusion) -> str:
    return f"{origin}\n{inclusion.size}\n{base64_text(inclusion.root)}\n"


def _instance_json(base_url: str, key: bytes, details: str, window: Window, log_id: bytes) -> dict[str, Any]:
    return {
        "baseUrl": base_url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": base64_text(key), "keyDetails": details, "validFor": window.as_json()},
        "logId": {"keyId": base64_text(log_id)},
    }


@define
class RekorV1(_Log):
    """The first version: the entry's time and place are promised by a signature (the SET).

    Args:
        key: signs checkpoints and promises.
        window: when the trusted root trusts that key.
        leaves: hashes of the entries so far.
        later: how many more entries come in before the checkpoint is signed.
    """

    name: ClassVar[str] = "rekor.sigstore.test"
    key: ec.EllipticCurvePrivateKey = field(factory=new_key)

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the log's public key."""
        return spki_digest(self.key.public_key())

    def entry(self, kind: str, body: bytes, at: datetime) -> dict[str, Any]:
        """Log `body` and return the bundle's `tlogEntries` item.

        Args:
            kind: "hashedrekord" or "dsse".
            body: the canonical entry.
            at: the integrated time.
        """
        inclusion = self._append(body)
        origin = f"{self.name} - 1193050959916656506"
        signature = sign(self.key, _note(origin, inclusion).encode())
        # A log of several shards counts entries over all of them: its index differs from that within the tree.
        index, moment = inclusion.index + _SHARD_OFFSET, int(at.timestamp())
        return {
            "logIndex": str(index),
            "logId": {"keyId": base64_text(self.log_id)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(moment),
            "inclusionPromise": {"signedEntryTimestamp": base64_text(self.promise(body, index, moment))},
            "inclusionProof": inclusion.as_json(_checkpoint(origin, self.name, self.log_id, signature, inclusion)),
            "canonicalizedBody": base64_text(body),
        }

    def promise(self, body: bytes, index: int, moment: int) -> bytes:
        """The signature over an entry's body, index and integrated time (Unix seconds)."""
        promised = {
            "body": base64_text(body),
            "integratedTime": moment,
            "logID": self.log_id.hex(),
            "logIndex": index,
        }
        return sign(self.key, canonical_json(promised))

    def as_json(self) -> dict[str, Any]:
        """The entry of a trusted root's `tlogs`."""
        key = spki(self.key.public_key())
        return _instance_json(f"https://{self.name}", key, "PKIX_ECDSA_P256_SHA_256", self.window, self.log_id)


@define
class RekorV2(_Log):
    """The second version: proof and checkpoint only; the time comes from a time-stamp authority.

    Args:
        key: signs checkpoints.
        window: when the trusted root trusts that key.
        leaves: hashes of the entries so far.
        later: how many more entries come in before the checkpoint is signed.
    """

    name: ClassVar[str] = "log2025.rekor.sigstore.test"
    key: ed25519.Ed25519PrivateKey = field(factory=ed25519.Ed25519PrivateKey.generate)

    @property
    def log_id(self) -> bytes:
        """The id of a signed note's Ed25519 key: SHA-256 of name, newline, algorithm 1, key."""
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.key.public_key().public_bytes_raw()).digest()

    def entry(self, kind: str, body: bytes) -> dict[str, Any]:
        """Log `body` and return the bundle's `tlogEntries` item."""
        inclusion = self._append(body)
        signature = self.key.sign(_note(self.name, inclusion).encode())
        return {
            "logIndex": str(inclusion.index),
            "logId": {"keyId": base64_text(self.log_id)},
            "kindVersion": {"kind": kind, "version": "0.0.2"},
            "inclusionProof": inclusion.as_json(_checkpoint(self.name, self.name, self.log_id, signature, inclusion)),
            "canonicalizedBody": base64_text(body),
        }

    def as_json(self) -> dict[str, Any]:
        """The entry of a trusted root's `tlogs`."""
        key = spki(self.key.public_key())
        return _instance_json(f"https://{self.name}", key, "PKIX_ED25519", self.window, self.log_id)
