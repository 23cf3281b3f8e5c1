"""The entries of a folder, whose path may be longer than one system call takes."""

from __future__ import annotations

import contextlib
import errno
import os

__all__ = ["list_folder"]

# PATH_MAX is 4096 bytes on Linux, less elsewhere.
_LONGEST = 1000


def list_folder(path: str) -> list[os.DirEntry[str]]:
    """All entries of a folder.

    Args:
        path: absolute, of any length.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        with os.scandir(path) as listing:
            return list(listing)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    handle = _open_in_pieces(path)
    try:
        return _entries_of(handle)
    finally:
        os.close(handle)


def _entries_of(handle: int) -> list[os.DirEntry[str]]:
    entries = []
    with os.scandir(handle) as listing:
        for entry in listing:
            # An entry asks by the descriptor, and remembers; once that is closed, it could be told of another folder's.
            with contextlib.suppress(FileNotFoundError):
                entry.stat(follow_symlinks=False)
                entries.append(entry)
    return entries


def _open_in_pieces(path: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    piece, rest = _split(path)
    handle = os.open(piece, flags)
    while rest:
        piece, rest = _split(rest)
        try:
            opened = os.open(piece, flags, dir_fd=handle)
        finally:
            os.close(handle)
        handle = opened
    return handle


def _split(path: str) -> tuple[str, str]:
    # A name has at most 255 bytes, so that a cut is always found within a piece of this length.
    if len(path) <= _LONGEST:
        return path, ""
    cut = path.rindex("/", 1, _LONGEST)
    return path[:cut], path[cut + 1 :]
