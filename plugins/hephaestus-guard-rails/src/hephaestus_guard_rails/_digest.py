"""Digests of contents, by blake2b."""

from __future__ import annotations

try:
    # Where hashlib has it from; that also loads OpenSSL, which takes as long as to start five small gates.
    from _blake2 import blake2b
except ImportError:  # an interpreter that is made of other parts
    from hashlib import blake2b

__all__ = ["digest"]


def digest(data: bytes, size: int = 16) -> str:
    """The digest of `size` bytes, in hex."""
    return blake2b(data, digest_size=size).hexdigest()
