"""A sorted, NUL-separated listing of paths, searched where it lies.

Splitting 200,000 names into objects costs more memory than all the rest of a scan, so only one name in some kilobytes
is taken out, as an index.
"""

from __future__ import annotations

from bisect import bisect_right

from attrs import define, field

__all__ = ["Listing"]

_STRIDE = 2048


@define
class Listing:
    """Paths, each ended by a NUL byte, sorted by bytes.

    Args:
        data: as `git ls-files -z` prints it.
    """

    data: bytes
    _keys: list[bytes] = field(init=False)
    _offsets: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        data, offsets = self.data, [0]
        for place in range(_STRIDE, len(data), _STRIDE):
            start = data.find(b"\0", place) + 1
            if offsets[-1] < start < len(data):
                offsets.append(start)
        self._keys = [data[start : data.find(b"\0", start)] for start in offsets]
        self._offsets = [*offsets, len(data)]

    def holds(self, path: bytes) -> bool:
        """True when the listing has a path, or anything beneath it."""
        # Two questions, because names such as `build-x` sort between `build` and `build/`.
        beneath = path + b"/"
        return self._has(path, path + b"\0") or self._has(beneath, beneath)

    def _has(self, key: bytes, beginning: bytes) -> bool:
        """True when a path begins like this; of all that do, none sorts before `key`."""
        data, block = self.data, bisect_right(self._keys, key)
        # The first that doesn't sort before `key` lies in the block that begins at or before it, or begins the next.
        low, high = self._offsets[max(0, block - 1)], self._offsets[block]
        return (
            data.startswith(beginning, low)
            or data.startswith(beginning, high)
            or data.find(b"\0" + beginning, low, high) >= 0
        )
