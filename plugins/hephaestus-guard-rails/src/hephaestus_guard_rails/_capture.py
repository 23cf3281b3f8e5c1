"""Output of a step in memory, bounded: the beginning and the end are what people need."""

from __future__ import annotations

__all__ = ["Capture"]

DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024


class Capture:
    """Keeps up to `limit` bytes: the first half and the last half of what came."""

    def __init__(self, limit: int = DEFAULT_LIMIT_BYTES) -> None:
        self.limit = limit
        self.left_out = 0
        self._head = bytearray()
        self._tail = bytearray()

    def append(self, chunk: bytes) -> None:
        """Add what was read."""
        half = self.limit // 2
        room = half - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._tail += chunk
        # Trimmed in big bites only: deleting the front of a bytearray for each chunk would cost a copy each time.
        if len(self._tail) > 2 * half:
            self._trim(half)

    def _trim(self, keep: int) -> None:
        surplus = len(self._tail) - keep
        if surplus > 0:
            del self._tail[:surplus]
            self.left_out += surplus

    def value(self) -> bytes:
        """All that was kept, with a line that says how much was left out."""
        self._trim(self.limit // 2)
        if not self.left_out:
            return bytes(self._head + self._tail)
        note = f"\n[... {self.left_out} bytes left out ...]\n".encode()
        return bytes(self._head) + note + bytes(self._tail)
