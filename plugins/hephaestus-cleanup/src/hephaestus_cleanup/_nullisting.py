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
        self._offsets = offsets
        self._keys = [data[start : data.find(b"\0", start)] for start in offsets]

    def holds(self, path: bytes) -> bool:
        """True when the listing has a path, or anything beneath it."""
        first = self.first_from(path)
        beneath = path + b"/"
        if first == path or first.startswith(beneath):
            return True
        # Names such as `build-x` sort between `build` and `build/`: only then is a second look needed.
        return bool(first) and first < beneath and self.first_from(beneath).startswith(beneath)

    def first_from(self, key: bytes) -> bytes:
        """The first path that is not less than `key`; empty when there is none."""
        data = self.data
        block = max(0, bisect_right(self._keys, key) - 1)
        low = self._offsets[block]
        high = self._offsets[block + 1] if block + 1 < len(self._offsets) else len(data)
        while low < high:
            start = data.rfind(b"\0", low, (low + high) // 2) + 1 or low
            end = data.find(b"\0", start)
            if data[start:end] < key:
                low = end + 1
            else:
                high = start
        return data[low : data.find(b"\0", low)] if low < len(data) else b""
