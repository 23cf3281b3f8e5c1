"""Reading local files that the user named: with a limit, and with an error that says what is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hephaestus.errors import UsageError

__all__ = ["read_limited", "sha256_of"]


def read_limited(path: Path, limit: int, what: str) -> bytes | None:
    """The file's bytes, or None when there are more than `limit`.

    Args:
        path: file to read.
        limit: most bytes to accept.
        what: what the file is, for the error.

    Raises:
        UsageError: the file is not there or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from error
    return raw if len(raw) <= limit else None


def sha256_of(path: Path, what: str) -> bytes:
    """The SHA-256 of a file's bytes, read in pieces.

    Args:
        path: file to read.
        what: what the file is, for the error.

    Raises:
        UsageError: the file is not there or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from error


def _unreadable(path: Path, what: str, error: OSError | ValueError) -> UsageError:
    # ValueError: a NUL in the path.
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UsageError(f"{what} {str(path)!r} cannot be read: {reason}", hint="check the path")
