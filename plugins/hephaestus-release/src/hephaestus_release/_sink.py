"""Where received bytes go: into memory, or into a file while they are hashed."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Protocol

__all__ = ["FileSink", "MemorySink", "Sink"]


class Sink(Protocol):
    """Takes the bytes of one body, in order, and can start over."""

    received: int

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def restart(self) -> None:
        """Forget everything: the body will be sent again from its first byte."""


class MemorySink:
    """Keeps a small body in memory."""

    def __init__(self) -> None:
        self.received = 0
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._chunks.append(chunk)
        self.received += len(chunk)

    def restart(self) -> None:
        """Forget everything."""
        self._chunks.clear()
        self.received = 0

    def content(self) -> bytes:
        """All bytes so far."""
        return b"".join(self._chunks)


class FileSink:
    """Writes a body to a file and hashes it in the same pass.

    A thread for the hash was measured: what it wins on an idle machine, it loses in switches on a busy one.

    Args:
        file: opened for binary writing, at its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.received = 0
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.received += len(chunk)

    def restart(self) -> None:
        """Empty the file and begin a new digest."""
        self._hash = hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()
        self.received = 0

    def sha256(self) -> str:
        """Digest of all bytes so far, 64 lower-case hexadecimal digits."""
        self._file.flush()
        return self._hash.hexdigest()
