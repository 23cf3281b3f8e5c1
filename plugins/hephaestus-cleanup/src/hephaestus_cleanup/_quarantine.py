"""The quarantine of a root: removed paths, moved aside on the same file system until they expire or are restored."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
import time

from hephaestus_cleanup._beneath import OpenFolder
from hephaestus_cleanup._listing import list_folder
from hephaestus_cleanup._rulebook import QUARANTINE_NAME
from hephaestus_cleanup._state import file_name_of
from hephaestus_cleanup.errors import CleanupRefused

__all__ = [
    "EXPIRED",
    "expired_runs",
    "move_without_overwriting",
    "open_quarantine",
    "quarantined_runs",
]

EXPIRED = "expired-quarantine"
"""The rule of quarantined runs whose time is over; these are deleted for good."""

_RENAME_NOREPLACE = 1


def open_quarantine(root: int, run: str, open_folder: OpenFolder) -> int:
    """Make and open the folder of a run within the quarantine of a root.

    The quarantine keeps itself out of git by a `.gitignore` of its own.

    Args:
        root: descriptor of the root.
        run: the run's id.
        open_folder: how folders are opened.

    Raises:
        CleanupRefused: the quarantine is another user's, who could read or replace what is moved there.
        OSError: it cannot be made, or is a link.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(QUARANTINE_NAME, 0o700, dir_fd=root)
    handle = open_folder(root, QUARANTINE_NAME)
    try:
        _make_private(root, handle)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            ignore = os.open(".gitignore", flags, 0o600, dir_fd=handle)
        except FileExistsError:
            pass
        else:
            os.write(ignore, b"*\n")
            os.close(ignore)
        name = file_name_of(run)
        os.mkdir(name, 0o700, dir_fd=handle)
        return open_folder(handle, name)
    finally:
        os.close(handle)


def _make_private(root: int, quarantine: int) -> None:
    status = os.fstat(quarantine)
    if status.st_uid not in (os.geteuid(), os.fstat(root).st_uid):
        raise CleanupRefused(f"{QUARANTINE_NAME} belongs to another user", hint="move it aside; nothing was removed")
    if status.st_mode & 0o077:
        os.fchmod(quarantine, 0o700)


def move_without_overwriting(source: int, name: str, target: int, new_name: str) -> None:
    """Rename between two open folders; whatever already has the new name stays.

    Raises:
        FileExistsError: the new name is taken.
        OSError: EXDEV for another file system (nothing is ever copied), or another failure.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if hasattr(library, "renameat2"):
            names = os.fsencode(name), os.fsencode(new_name)
            if library.renameat2(source, names[0], target, names[1], _RENAME_NOREPLACE) == 0:
                return
            number = ctypes.get_errno()
            if number not in (errno.EINVAL, errno.ENOSYS):
                raise OSError(number, os.strerror(number), new_name)
    try:
        os.stat(new_name, dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)


def quarantined_runs(root: str) -> list[tuple[float, str]]:
    """The folders of the runs in a root's quarantine: (when last changed, in seconds since 1970; absolute path)."""
    path = os.path.join(root, QUARANTINE_NAME)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        with os.scandir(handle) as listing:
            folders = [each for each in listing if each.is_dir(follow_symlinks=False)]
            return [(each.stat(follow_symlinks=False).st_mtime, f"{path}/{each.name}") for each in folders]
    except OSError:
        return []
    finally:
        os.close(handle)


def expired_runs(root: str, *, days: float, max_bytes: int | None) -> list[str]:
    """The folders of runs older than `days`, and of the oldest of the rest until they hold no more than `max_bytes`.

    Args:
        root: the search root.
        days: how long a run stays.
        max_bytes: how much all runs may hold; None for any amount.
    """
    horizon = time.time() - days * 86400
    expired, held = [], 0
    for when, folder in sorted(quarantined_runs(root), reverse=True):
        if max_bytes is not None:
            held += _size(folder)
        if when < horizon or (max_bytes is not None and held > max_bytes):
            expired.append(folder)
    return expired


def _size(folder: str) -> int:
    total, pending = 0, [folder]
    while pending:
        below = pending.pop()
        try:
            for entry in list_folder(below):
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{below}/{entry.name}")
                else:
                    total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total
