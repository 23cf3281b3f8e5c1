"""Where received bytes go: into memory, or into a file while they are hashed."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Protocol

__all__ = ["FileSink", "MemorySink", "Sink"]

# Bytes hashed at a time, and how many such blocks may wait: a slow hash holds the download up, not the memory.
_BLOCK = 1 << 20
_MOST_PENDING = 3


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
    """Writes a body to a file and hashes it in the same pass, beside each other.

    The hash runs on a thread of its own, a block at a time: chunk by chunk, a busy machine would lose in switches
    what two cores win.

    Args:
        file: opened for binary writing, at its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.received = 0
        self._file = file
        self._hash = hashlib.sha256()
        self._chunks: list[bytes] = []
        self._waiting = 0
        # The thread ends with the sink, however the download ends.
        self._hasher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hephaestus-hash")
        self._pending: deque[Future[None]] = deque()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)
        self.received += len(chunk)
        self._chunks.append(chunk)
        self._waiting += len(chunk)
        if self._waiting >= _BLOCK:
            self._hand_over()

    def restart(self) -> None:
        """Empty the file and begin a new digest."""
        self._hand_over()
        self._settle(0)
        self._hash = hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()
        self.received = 0

    def sha256(self) -> str:
        """Digest of all bytes so far, 64 lower-case hexadecimal digits."""
        self._file.flush()
        self._hand_over()
        self._settle(0)
        return self._hash.hexdigest()

    def _hand_over(self) -> None:
        chunks, self._chunks, self._waiting = self._chunks, [], 0
        self._pending.append(self._hasher.submit(_update, self._hash, chunks))
        self._settle(_MOST_PENDING)

    def _settle(self, pending: int) -> None:
        while len(self._pending) > pending:
            self._pending.popleft().result()


def _update(digest: hashlib._Hash, chunks: list[bytes]) -> None:
    digest.update(b"".join(chunks))
