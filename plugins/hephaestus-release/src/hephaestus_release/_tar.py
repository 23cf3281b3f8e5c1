"""A reader of tar streams that knows only what a wheelhouse needs.

`tarfile` follows every extension of the format; this reader knows regular files, folders and the two ways to spell a
long name, bounds what it keeps in memory, and names everything else so that it can be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hephaestus_release._members import Member, Read
from hephaestus_release.errors import ArchiveError

__all__ = ["BLOCK", "is_tar_header", "read_tar"]

BLOCK: Final = 512
_LARGEST_EXTENSION: Final = 64 * 1024
_KINDS: Final = {
    b"0": "file",
    b"\0": "file",
    b"5": "directory",
    b"1": "hard link",
    b"2": "symbolic link",
    b"3": "character device",
    b"4": "block device",
    b"6": "named pipe",
    b"7": "contiguous file",
    b"S": "sparse file",
}


def read_tar(read: Read) -> Iterator[Member]:
    """The members of an uncompressed tar stream, in order. Read each member's content before the next one.

    Args:
        read: returns at most so many next bytes of the stream, and none at its end.

    Raises:
        ArchiveError: damaged, truncated, or with data after its end.
    """
    overrides: dict[str, str] = {}
    while (header := _exactly(read, BLOCK)) != bytes(BLOCK):
        if not is_tar_header(header):
            raise ArchiveError("the archive is damaged: a tar header has a wrong checksum")
        size = _number(header[124:136])
        typeflag = header[156:157]
        if typeflag in b"xL" and typeflag:
            overrides |= _extension(typeflag, _padded(read, size))
            continue
        content = _Content(read, _size_of(overrides, size))
        yield Member(overrides.get("path", "") or _name(header), _kind(header, overrides), content.left, content.read)
        overrides = {}
        content.skip()
    while rest := read(BLOCK * 128):
        if rest.strip(b"\0"):
            raise ArchiveError("the archive has data after its end")


def is_tar_header(header: bytes) -> bool:
    """Whether the block is a tar header: its checksum is right."""
    if len(header) < BLOCK or header == bytes(BLOCK):
        return False
    block = header[:148] + b" " * 8 + header[156:BLOCK]
    signed = sum(byte - 256 if byte > 127 else byte for byte in block)
    try:
        return _number(header[148:156]) in {sum(block), signed}
    except ArchiveError:
        return False


class _Content:
    """The content of one member, which lies in the stream between two headers."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.left = size
        self._padding = -size % BLOCK

    def read(self, most: int) -> bytes:
        if self.left == 0:
            return b""
        chunk = self._read(min(most, self.left))
        if not chunk:
            raise ArchiveError("the archive is truncated")
        self.left -= len(chunk)
        return chunk

    def skip(self) -> None:
        while self.read(BLOCK * 128):
            pass
        _exactly(self._read, self._padding)


def _exactly(read: Read, size: int) -> bytes:
    """So many bytes."""
    parts = []
    while size:
        chunk = read(size)
        if not chunk:
            raise ArchiveError("the archive is truncated")
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)


def _padded(read: Read, size: int) -> bytes:
    """The content of an extension header."""
    if size > _LARGEST_EXTENSION:
        raise ArchiveError("the archive has an oversized extension header")
    content = _exactly(read, size)
    _exactly(read, -size % BLOCK)
    return content


def _number(field: bytes) -> int:
    """A number: octal digits, or binary when the first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise ArchiveError("the archive is damaged: a tar header has a malformed number")
    return int(digits, 8)


def _kind(header: bytes, overrides: dict[str, str]) -> str:
    """What the member is, in words."""
    if any(key.startswith("GNU.sparse") for key in overrides):
        return "sparse file"
    kind = _KINDS.get(header[156:157], f"member of type {header[156:157].decode('latin-1')!a}")
    # Tar files older than the type flag mark a folder by a slash.
    return "directory" if kind == "file" and _name(header).endswith("/") else kind


def _name(header: bytes) -> str:
    """The name of a plain header, with the prefix of the ustar form."""
    name = _text(header[:100].split(b"\0", 1)[0])
    prefix = _text(header[345:500].split(b"\0", 1)[0]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveError(f"the archive has a member whose name is not UTF-8: {raw[:80]!r}") from None


def _size_of(overrides: dict[str, str], size: int) -> int:
    """The member's size, which a pax header may override."""
    text = overrides.get("size", str(size))
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ArchiveError("the archive has a member of malformed size")
    return int(text)


def _extension(typeflag: bytes, raw: bytes) -> dict[str, str]:
    """What a pax header or a GNU long name says about the next member."""
    if typeflag == b"L":
        return {"path": _text(raw.removesuffix(b"\0"))}
    records = {}
    while raw:
        length, _, rest = raw.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 8 else 0
        key, equals, value = raw[len(length) + 1 : size].partition(b"=")
        if not rest or not equals or not value.endswith(b"\n") or size > len(raw):
            raise ArchiveError("the archive has a malformed pax header")
        if key in {b"path", b"size"} or key.startswith(b"GNU.sparse"):
            records[_text(key)] = _text(value[:-1])
        raw = raw[size:]
    return records
