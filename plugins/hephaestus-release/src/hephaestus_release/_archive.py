"""Unpacking a wheelhouse: regular files with safe names, within budgets, into a new folder.

The standard library's extraction filters have been bypassed more than once by chains of links. A wheelhouse needs no
links, so nothing here knows how to make one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from hephaestus_release._decompress import format_of, open_stream
from hephaestus_release._members import Member, NameBook, Read, safe_parts
from hephaestus_release._tar import BLOCK, is_tar_header, read_tar
from hephaestus_release._zip import read_zip
from hephaestus_release.errors import ArchiveError

__all__ = ["Budget", "Unpacked", "unpack"]

_CHUNK: Final = 256 * 1024
# Below this, a high ratio is harmless and common (a text file of one repeated line).
_RATIO_FREE: Final = 1024 * 1024
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@frozen
class Budget:
    """How much an archive may unpack to.

    Attributes:
        size: bytes of content in all.
        members: entries, folders included.
        ratio: bytes of content for each byte of the archive, beyond the first MiB.
    """

    size: int = 8 * 1024**3
    members: int = 10_000
    ratio: int = 200


@frozen
class Unpacked:
    """A file that came out of an archive.

    Attributes:
        path: relative, with `/`.
        size: in bytes.
        sha256: 64 lower-case hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


def unpack(archive: Path, folder: Path, budget: Budget) -> list[Unpacked]:
    """Unpack a tar (plain, gzip, bzip2, xz, zstd) or zip file into a folder that does not exist yet.

    Args:
        archive: recognised by its content, not by its name.
        folder: created here; removed again when the archive is refused.
        budget: most bytes, members and growth to accept.

    Returns:
        The files, in the archive's order.

    Raises:
        ArchiveError: hostile, damaged, empty, of an unknown kind, or over the budget.
        FileExistsError: the folder is there already.
    """
    folder.mkdir(mode=0o755)
    try:
        root = os.open(folder, _FOLDER)
        try:
            files = _unpack_into(root, archive, budget)
        finally:
            os.close(root)
        if not files:
            raise ArchiveError("the archive is empty")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return files


def _unpack_into(root: int, archive: Path, budget: Budget) -> list[Unpacked]:
    meter = _Meter(budget, archive.stat().st_size)
    names = NameBook()
    files = []
    with _members(archive, meter) as members:
        for member in members:
            meter.count_member()
            parts = safe_parts(member.name)
            if member.kind not in {"file", "directory"}:
                raise ArchiveError(f"the archive has a {member.kind}, which is refused: {member.name!a}")
            is_file = member.kind == "file"
            if is_file and not parts:
                raise ArchiveError("the archive has a file without a name")
            names.add(parts, is_file=is_file)
            if is_file:
                files.append(_write(root, parts, member))
    return files


@contextmanager
def _members(archive: Path, meter: _Meter) -> Iterator[Iterator[Member]]:
    """The members of the archive, whatever its format."""
    if format_of(archive) == "zip":
        found = read_zip(archive, most_members=meter.budget.members)
        yield (evolve(member, read=meter.metered(member.read)) for member in found)
        return
    with open_stream(archive) as read:
        head = _first_block(read)
        if not is_tar_header(head):
            raise ArchiveError("the file is no archive of a known kind", hint="choose another one with --asset-pattern")
        yield read_tar(meter.metered(_Joined(head, read).read))


def _first_block(read: Read) -> bytes:
    head = b""
    while len(head) < BLOCK and (chunk := read(BLOCK - len(head))):
        head += chunk
    return head


class _Joined:
    """A stream whose first bytes have been read already."""

    def __init__(self, head: bytes, read: Read) -> None:
        self._head = head
        self._read = read

    def read(self, most: int) -> bytes:
        if self._head:
            chunk, self._head = self._head[:most], self._head[most:]
            return chunk
        return self._read(most)


class _Meter:
    """Counts members and bytes against the budget."""

    def __init__(self, budget: Budget, archive_size: int) -> None:
        self.budget = budget
        self._most = min(budget.size, max(_RATIO_FREE, archive_size * budget.ratio))
        self._bytes = 0
        self._members = 0

    def count_member(self) -> None:
        self._members += 1
        if self._members > self.budget.members:
            raise ArchiveError(f"the archive has more than {self.budget.members} members")

    def count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._most:
            raise ArchiveError(f"the archive unpacks to more than {self._most} bytes, which is refused")

    def metered(self, read: Read) -> Read:
        """The stream, its bytes counted: a bomb may also hide in padding and headers."""

        def counted(most: int) -> bytes:
            chunk = read(most)
            self.count(len(chunk))
            return chunk

        return counted


def _write(root: int, parts: tuple[str, ...], member: Member) -> Unpacked:
    """Create the file below the folder's descriptor, through no link."""
    digest, size = hashlib.sha256(), 0
    with _parent(root, parts[:-1]) as parent:
        descriptor = os.open(parts[-1], _NEW_FILE, 0o644, dir_fd=parent)
        with open(descriptor, "wb") as file:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                digest.update(chunk)
                file.write(chunk)
    return Unpacked("/".join(parts), size, digest.hexdigest())


@contextmanager
def _parent(root: int, parts: tuple[str, ...]) -> Iterator[int]:
    """Descriptor of the folder that holds the file, made where it is missing."""
    current = os.dup(root)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=current)
            deeper = os.open(part, _FOLDER, dir_fd=current)
            os.close(current)
            current = deeper
        yield current
    finally:
        os.close(current)
