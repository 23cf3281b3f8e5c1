"""The Merkle tree of RFC 6962, section 2.1: root hash and inclusion path."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["inclusion_path", "leaf_hash", "root_hash"]


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry of the log."""
    return hashlib.sha256(b"\x00" + entry).digest()


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Root over the leaf hashes, of which there must be one at least."""
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root_hash(leaves[:split]), root_hash(leaves[split:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Sibling hashes from the leaf at `index` up to the root."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(index, leaves[:split]), root_hash(leaves[split:])]
    return [*inclusion_path(index - split, leaves[split:]), root_hash(leaves[:split])]


def _split(size: int) -> int:
    # The largest power of two that is smaller than the size.
    return 1 << ((size - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
