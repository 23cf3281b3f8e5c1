"""A search root, opened and locked: one run at a time, and every removal relative to this descriptor."""

from __future__ import annotations

import errno
import os

from hephaestus_cleanup._roots import SearchRoot
from hephaestus_cleanup.errors import CleanupRefused, RootBusyError

__all__ = ["open_root"]


def open_root(root: SearchRoot, *, lock: bool) -> int:
    """Open a root, make sure that it is still the folder that was chosen, and lock it.

    The lock is the kernel's, on the folder itself: no file is left behind, and it goes with the process.

    Args:
        root: the root.
        lock: take the lock.

    Returns:
        A descriptor, which the caller closes; closing it gives the lock back.

    Raises:
        CleanupRefused: another folder is there now.
        RootBusyError: another run holds it; says which process.
        OSError: it cannot be opened.
    """
    handle = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if (status.st_dev, status.st_ino) != (root.device, root.inode) or not _lies_at(handle, root.path):
            raise CleanupRefused(f"{root.path} was replaced while the run began", hint="run again")
        if lock:
            _lock(handle, root.path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _lies_at(handle: int, path: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{handle}") == path
    except OSError:
        return True  # no /proc: device and inode have been compared


def _lock(handle: int, path: str) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return  # a file system without locks (some network ones) is no reason not to clean
        holder = _holder(handle)
        who = f"process {holder}" if holder else "another process"
        raise RootBusyError(f"{path} is being cleaned by {who}", hint="wait until it has ended") from None


def _holder(handle: int) -> int | None:
    """The process that holds the lock, from /proc/locks: `1: FLOCK ADVISORY WRITE pid major:minor:inode start end`."""
    status = os.fstat(handle)
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii") as file:
            for line in file:
                fields = line.split()
                if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == place:
                    return int(fields[4])
    except (OSError, ValueError):
        pass
    return None
