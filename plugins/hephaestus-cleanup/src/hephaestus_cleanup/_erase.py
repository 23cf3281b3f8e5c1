"""Erasing one planned path: by descriptor, without recursion, and only if it is still what was planned."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from attrs import define, field

from hephaestus_cleanup._beneath import OpenFolder
from hephaestus_cleanup._rulebook import IGNORE_FILE, REPOSITORY_NAMES

__all__ = ["Changed", "Eraser", "Stopped", "Tally"]

_REFUSED = (errno.EACCES, errno.EPERM)
# Descriptors of the outermost and of the innermost folders stay open; those between are opened again on the way back.
_OUTER, _INNER = 32, 64
# One file in so many is measured in a large folder, unless exact sizes are asked for.
_SAMPLE, _MEASURED = 8, 256
# A folder that holds one of these is somebody's work, whatever lies above it.
_KEPT = REPOSITORY_NAMES | {IGNORE_FILE}


class Changed(Exception):
    """What lies there now is not what was planned."""


class Stopped(Exception):
    """The run was interrupted within this path."""


@define
class Tally:
    """What erasing one path amounted to.

    Attributes:
        entries: files and folders removed, the path itself included.
        size: bytes that this freed: contents of files without further hard links.
        approximate: True when large folders were sampled.
        problems: (absolute path, reason) of what could not be removed.
        seen: how many files have been measured or passed over; a share of a folder goes on where the last one ended.
    """

    entries: int = 0
    size: int = 0
    approximate: bool = False
    problems: list[tuple[str, str]] = field(factory=list)
    seen: int = 0

    def add(self, other: Tally) -> None:
        """Count another tally into this one."""
        self.entries += other.entries
        self.size += other.size
        self.approximate |= other.approximate
        self.problems += other.problems

    def measure(self, handle: int, name: str, weight: int = 1) -> None:
        """Count a file's size before it goes, for as many files as it stands for."""
        self.approximate |= weight > 1
        try:
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except OSError:
            return
        self.weigh(status, weight)

    def weigh(self, status: os.stat_result, weight: int = 1) -> None:
        """Count a file's size; one with further hard links frees nothing."""
        if status.st_nlink == 1:
            self.size += status.st_size * weight


@define
class _Frame:
    name: str
    handle: int | None
    device: int
    inode: int
    folders: list[str]
    whole: bool = True


@define
class Eraser:
    """Erases folders beneath a descriptor.

    Args:
        open_folder: how folders are opened.
        exact: measure every file.
        stopped: asked at each folder; True ends the work.

    Attributes:
        seen: `Tally.seen` of the last share, from which the next goes on: alone, most are too small to be sampled.
    """

    open_folder: OpenFolder
    exact: bool = False
    stopped: Callable[[], bool] = bool
    seen: int = field(default=0, init=False)

    def file(self, handle: int, name: str, status: os.stat_result, tally: Tally) -> None:
        """Unlink what is no folder: never opened, never followed.

        Args:
            handle: descriptor of the folder that it lies in.
            name: its name there.
            status: what it is.
            tally: gets counts.

        Raises:
            OSError: it cannot be unlinked.
        """
        tally.weigh(status)
        os.unlink(name, dir_fd=handle)
        tally.entries += 1

    def folder(self, parent: int, name: str, shown: str, tally: Tally, identity: tuple[int, int] | None = None) -> bool:
        """Erase a folder and all beneath it.

        Args:
            parent: descriptor of the folder that it lies in.
            name: its name there.
            shown: its absolute path, for problems.
            tally: gets counts and problems.
            identity: (device, inode) that it must have; None to take what is there.

        Returns:
            True when it is gone altogether.

        Raises:
            Changed: it is not the planned folder.
            OSError: it cannot be opened.
            Stopped: the run was interrupted.
        """
        frames = [self._open(parent, name, identity)]
        try:
            self._empty(frames[0], shown, tally)
            while frames:
                frame = frames[-1]
                if frame.folders:
                    self._descend(frames, frame.folders.pop(), shown, tally)
                else:
                    self._leave(frames, parent, shown, tally)
            return frame.whole
        finally:
            for each in frames:
                if each.handle is not None:
                    os.close(each.handle)

    def _open(self, parent: int, name: str, identity: tuple[int, int] | None = None) -> _Frame:
        try:
            handle = self.open_folder(parent, name)
        except OSError as error:
            if error.errno not in _REFUSED or not _open_up(parent, name, identity):
                raise
            handle = self.open_folder(parent, name)
        status = os.fstat(handle)
        if identity is not None and (status.st_dev, status.st_ino) != identity:
            os.close(handle)
            raise Changed
        return _Frame(name, handle, status.st_dev, status.st_ino, [])

    def _empty(self, frame: _Frame, shown: str, tally: Tally) -> None:
        """Unlink all files of a folder and note its folders; one that is kept stops it at once."""
        if self.stopped():
            raise Stopped
        assert frame.handle is not None
        files, folders = list_entries(frame.handle)
        reason = kept_reason(files, folders)
        if reason is not None:
            tally.problems.append((shown, reason))
            frame.whole = False
            return
        frame.folders += folders
        self._unlink(frame, files, shown, tally)

    def _unlink(self, frame: _Frame, names: list[str], shown: str, tally: Tally) -> None:
        handle, exact = frame.handle, self.exact
        assert handle is not None
        for name in names:
            try:
                tally.seen += 1
                if exact or tally.seen <= _MEASURED:
                    tally.measure(handle, name)
                elif not tally.seen % _SAMPLE:
                    tally.measure(handle, name, weight=_SAMPLE)
                try:
                    os.unlink(name, dir_fd=handle)
                except PermissionError:
                    if not _open_up_handle(handle):
                        raise
                    os.unlink(name, dir_fd=handle)
                tally.entries += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                frame.whole = False
                tally.problems.append((f"{shown}/{name}", reason_of(error)))

    def _descend(self, frames: list[_Frame], name: str, shown: str, tally: Tally) -> None:
        above = frames[-1]
        assert above.handle is not None
        path = "/".join((shown, *(each.name for each in frames[1:]), name))
        try:
            frame = self._open(above.handle, name)
        except FileNotFoundError:
            return
        except OSError as error:
            above.whole = False
            tally.problems.append((path, reason_of(error)))
            return
        frames.append(frame)
        if len(frames) > _OUTER + _INNER:
            middle = frames[-1 - _INNER]
            if middle.handle is not None:
                os.close(middle.handle)
                middle.handle = None
        try:
            self._empty(frame, path, tally)
        except OSError as error:
            frame.whole = False
            tally.problems.append((path, reason_of(error)))

    def _leave(self, frames: list[_Frame], parent: int, shown: str, tally: Tally) -> None:
        """Remove an emptied folder, and come back to the one above it."""
        frame = frames[-1]
        if frame.handle is not None:
            os.close(frame.handle)
            frame.handle = None
        if len(frames) > 1:
            self._reopen(frames[:-1], shown)
        above = frames[-2].handle if len(frames) > 1 else parent
        assert above is not None
        if frame.whole:
            try:
                self._rmdir(above, frame.name, within=len(frames) > 1)
                tally.entries += 1
            except OSError as error:
                frame.whole = False
                path = "/".join((shown, *(each.name for each in frames[1:])))
                tally.problems.append((path, reason_of(error)))
        if not frame.whole and len(frames) > 1:
            frames[-2].whole = False
        frames.pop()

    @staticmethod
    def _rmdir(above: int, name: str, *, within: bool) -> None:
        try:
            os.rmdir(name, dir_fd=above)
        except FileNotFoundError:
            return
        except PermissionError:
            # The folder that the match lies in is no part of the match: its permissions are somebody's decision.
            if not within or not _open_up_handle(above):
                raise
            os.rmdir(name, dir_fd=above)

    def _reopen(self, frames: list[_Frame], shown: str) -> None:
        """Open the innermost folder again if its descriptor was given up, and those above it that fit the window."""
        if frames[-1].handle is not None:
            return
        start = max(number for number, each in enumerate(frames) if each.handle is not None)
        for number in range(start + 1, len(frames)):
            above = frames[number - 1]
            assert above.handle is not None
            try:
                found = self._open(above.handle, frames[number].name, (frames[number].device, frames[number].inode))
            except Changed:
                raise OSError(errno.ESTALE, "changed while it was erased", shown) from None
            frames[number].handle = found.handle
            if start < number - 1 < len(frames) - _INNER:
                os.close(above.handle)
                above.handle = None


def list_entries(handle: int) -> tuple[list[str], list[str]]:
    """The names of files (whatever is no folder), and of folders; an unknown type is asked for, never guessed."""
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(handle) as listing:
        for each in listing:
            (folders if each.is_dir(follow_symlinks=False) else files).append(each.name)
    return files, folders


def kept_reason(files: list[str], folders: list[str]) -> str | None:
    """Why a folder with these entries stays although what holds it goes; None when it may go."""
    if _KEPT.isdisjoint(files) and _KEPT.isdisjoint(folders):
        return None
    checkout = not REPOSITORY_NAMES.isdisjoint((*files, *folders))
    return "kept: holds a nested repository" if checkout else f"kept: holds {IGNORE_FILE}"


def reason_of(error: OSError) -> str:
    """The operating system's words for an error, without a path."""
    return error.strerror or str(error)


def _open_up_handle(handle: int) -> bool:
    """Give ourselves rwx on an open folder that we own; False when it isn't ours or has them already."""
    status = os.fstat(handle)
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid() or mode & 0o700 == 0o700:
        return False
    os.fchmod(handle, mode | 0o700)
    return True


def _open_up(parent: int, name: str, identity: tuple[int, int] | None) -> bool:
    """The same for a folder that we may not open; through O_PATH, so that it is this folder and no other."""
    if not hasattr(os, "O_PATH"):
        return False
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
    try:
        status = os.fstat(handle)
        mode = stat.S_IMODE(status.st_mode)
        if status.st_uid != os.geteuid() or mode & 0o700 == 0o700:
            return False
        if identity is not None and (status.st_dev, status.st_ino) != identity:
            return False
        os.chmod(f"/proc/self/fd/{handle}", mode | 0o700)
        return True
    finally:
        os.close(handle)
