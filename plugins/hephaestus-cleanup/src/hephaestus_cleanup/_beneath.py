"""Opening folders strictly beneath a descriptor: no links, no `..`, no other file system.

Where the kernel has `openat2`, it enforces all of it in one call; elsewhere each component is opened by itself and its
mount is compared.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import re
import sys
from typing import Protocol

__all__ = ["OpenFolder", "open_by_components", "open_by_kernel", "pick_opener"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# The same number on every architecture that Linux has had since the call was added.
_SYS_OPENAT2 = 437
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
# Below PATH_MAX, with room for the last component.
_PIECE = 3072
_RETRIES = 64


class OpenFolder(Protocol):
    """Opens a folder beneath a descriptor."""

    def __call__(self, handle: int, relative: str) -> int:
        """Open `relative` beneath the folder `handle`.

        Args:
            handle: descriptor of a folder.
            relative: components separated by slashes; no `.`, `..` or empty one.

        Returns:
            A new descriptor, which the caller closes.

        Raises:
            OSError: a component is a link (ELOOP or ENOTDIR), another file system (EXDEV), or cannot be opened.
        """


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_HOW = _OpenHow(_FLAGS, 0, _RESOLVE)
_HOW_SIZE = ctypes.sizeof(_OpenHow)


@functools.cache
def _syscall() -> ctypes._NamedFuncPointer:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_OpenHow), ctypes.c_size_t)
    call.restype = ctypes.c_long
    return call


def open_by_kernel(handle: int, relative: str) -> int:
    """`OpenFolder` by openat2(2)."""
    name = os.fsencode(relative)
    if len(name) <= _PIECE:
        return _openat2(handle, name)
    opened = os.dup(handle)
    for piece in _pieces(name):
        above = opened
        try:
            opened = _openat2(above, piece)
        finally:
            os.close(above)
    return opened


def _openat2(handle: int, name: bytes) -> int:
    for _ in range(_RETRIES):
        opened: int = _syscall()(_SYS_OPENAT2, handle, name, _HOW, _HOW_SIZE)
        if opened >= 0:
            return opened
        number = ctypes.get_errno()
        # EAGAIN: something was renamed during the look-up and the kernel could not tell whether it stayed beneath.
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number), os.fsdecode(name))


def open_by_components(handle: int, relative: str) -> int:
    """`OpenFolder` for kernels without openat2: one component at a time, each on the same mount."""
    mount = _mount_of(handle)
    opened = os.dup(handle)
    for name in relative.split("/"):
        if name in ("", ".", ".."):
            os.close(opened)
            raise OSError(errno.EXDEV, "not beneath the root", relative)
        above = opened
        try:
            opened = os.open(name, _FLAGS, dir_fd=above)
        finally:
            os.close(above)
        if _mount_of(opened) != mount:
            os.close(opened)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), relative)
    return opened


def _mount_of(handle: int) -> tuple[int, bytes]:
    """The device, and on Linux the mount's id, which differs for a bind mount of the same device."""
    device = os.fstat(handle).st_dev
    try:
        with open(f"/proc/self/fdinfo/{handle}", "rb") as file:
            found = re.search(rb"^mnt_id:\s*(\d+)", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return device, found[1] if found else b""


def _pieces(name: bytes) -> list[bytes]:
    pieces = [b""]
    for component in name.split(b"/"):
        if pieces[-1] and len(pieces[-1]) + len(component) >= _PIECE:
            pieces.append(b"")
        pieces[-1] += b"/" + component if pieces[-1] else component
    return pieces


@functools.cache
def pick_opener() -> OpenFolder:
    """The best opener that this kernel offers; tried once."""
    if sys.platform != "linux":
        return open_by_components
    handle = os.open("/", _FLAGS)
    try:
        os.close(_openat2(handle, b"proc"))
    except OSError as error:
        # A mount point answers EXDEV: the call is there, which is all that was asked.
        return open_by_kernel if error.errno in (errno.EXDEV, errno.ENOENT) else open_by_components
    finally:
        os.close(handle)
    return open_by_kernel
