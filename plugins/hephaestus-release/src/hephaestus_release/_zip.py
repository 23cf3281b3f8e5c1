"""A reader of zip files that refuses what a wheelhouse does not need."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final

from hephaestus_release._members import Member
from hephaestus_release._text import one_line
from hephaestus_release.errors import ArchiveError

__all__ = ["read_zip"]

_END: Final = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT: Final = 0xFFFF
_LARGEST_DIRECTORY: Final = 16 * 1024 * 1024
_ENCRYPTED: Final = 0x1
_LOCAL_HEADER: Final = 30


def read_zip(path: Path, *, most_members: int) -> Iterator[Member]:
    """The members of a zip file, in the order of its directory. Read each member's content before the next one.

    Args:
        path: the zip file.
        most_members: refuse files with more, before their directory is read into memory.

    Raises:
        ArchiveError: damaged, encrypted, overlapping, or over the budget.
    """
    _check_directory(path, most_members)
    with _damage(), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        _check_overlaps(infos, path.stat().st_size)
        for info in infos:
            _check_encoding(info)
            with archive.open(info) as content:
                # `filename` is cut at a NUL; the original name shows that there was one.
                yield Member(info.orig_filename, _kind(info), info.file_size, partial(_read, content))


@contextmanager
def _damage() -> Iterator[None]:
    """Turn whatever the library raises on damaged data into one kind of error."""
    try:
        yield
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, zlib.error, OSError) as error:
        raise ArchiveError(f"the archive is damaged: {one_line(error)}") from None


def _read(content: IO[bytes], most: int) -> bytes:
    # Called by whoever takes the members, outside of the generator and its handler.
    with _damage():
        return content.read(most)


def _check_encoding(info: zipfile.ZipInfo) -> None:
    """Refuse encryption, and compression whose steps have no bound in memory."""
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"the archive has an encrypted member: {info.filename!a}")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ArchiveError(f"the archive has a member that is neither stored nor deflated: {info.filename!a}")


def _check_directory(path: Path, most_members: int) -> None:
    """Bound the directory by what the file's end says, as `zipfile` will read it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
        tail = file.read()
    start = tail.rfind(b"PK\5\6")
    if start < 0 or len(tail) - start < _END.size:
        raise ArchiveError("the archive is damaged: a zip file without an end")
    _, _, _, _, members, directory, _, _ = _END.unpack_from(tail, start)
    if members > most_members or directory > _LARGEST_DIRECTORY:
        raise ArchiveError(f"the archive has more than {most_members} members")


def _check_overlaps(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse members that share bytes: that is how small files unpack to enormous ones."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [size]
    for info, end in zip(ordered, ends, strict=True):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > end:
            raise ArchiveError(f"the archive has members that overlap: {info.filename!a}")


def _kind(info: zipfile.ZipInfo) -> str:
    """What the member is, in words."""
    mode = info.external_attr >> 16
    kinds = {0: "file", stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link"}
    kind = kinds.get(stat.S_IFMT(mode), "special file")
    return "directory" if kind == "file" and info.orig_filename.endswith("/") else kind
