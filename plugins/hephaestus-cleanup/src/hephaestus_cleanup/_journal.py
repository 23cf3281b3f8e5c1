"""The audit manifest while a run goes on: JSON lines, each written before or right after what it tells.

The plan is on disk before the first removal. Each item is said to begin before it is touched and said to be removed (or
not) after; so whenever the process dies, an item without `begin` was not touched, one with an end is settled, and one
between is in doubt. At the end the file is replaced, atomically, by one JSON document with the same content.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from hephaestus_cleanup._plan import Note, Plan
from hephaestus_cleanup._state import sync_folder
from hephaestus_cleanup.errors import ManifestError

__all__ = ["FORMAT", "Journal", "create_journal"]

FORMAT = "hephaestus-cleanup-manifest"
_VERSION = 1
_ENCODER = json.JSONEncoder(separators=(",", ":"))
# Lines written at a time.
_PIECE = 1024


@define
class Journal:
    """An open manifest.

    Attributes:
        path: where it lies.
    """

    path: str
    _handle: int
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _length: int = field(default=0, init=False)

    def header(self, **facts: Any) -> None:
        """Write the first line: format, version and what the run was asked to do."""
        self._write(_line({"format": FORMAT, "version": _VERSION, **facts}))

    def plan(self, plan: Plan) -> None:
        """Write the whole plan and wait until it is on disk.

        Raises:
            ManifestError: it cannot be; nothing may be removed then.
        """
        items: Iterator[dict[str, Any]] = (
            {
                "plan": item.index,
                "root": item.root.path,
                "relative": item.relative,
                "kind": "folder" if item.is_folder else "file",
                "rule": item.rule,
                "evidence": item.evidence,
                "device": item.device,
                "inode": item.inode,
            }
            for item in plan.items
        )
        skips = ({"skipped": each.path, "reason": each.reason} for each in plan.skips)
        errors = ({"failed": each.path, "reason": each.reason} for each in plan.errors)
        lines = itertools.chain(items, skips, errors)
        # In pieces, so that a plan of 200,000 paths isn't in memory twice.
        while piece := "".join(map(_line, itertools.islice(lines, _PIECE))):
            self._write(piece)
        self._write(_line({"planned": len(plan.items)}))
        self.sync()

    def begin(self, index: int) -> None:
        """Say that an item is about to be touched."""
        self._write(f'{{"begin":{index}}}\n')

    def removed(self, index: int, size: int, entries: int, *, approximate: bool, quarantined: str | None) -> None:
        """Say that an item is gone."""
        # Written out: this is said of each of 200,000 paths, and a general encoder takes ten times as long.
        more = ',"approximate":true' if approximate else ""
        if quarantined is not None:
            more += f',"quarantined":{json.dumps(quarantined)}'
        self._write(f'{{"removed":{index},"size":{size},"entries":{entries}{more}}}\n')

    def kept(self, index: int, notes: Iterable[Note], *, partly: bool) -> None:
        """Say that an item is not gone, or only in part, and why."""
        told = [{"path": each.path, "reason": each.reason} for each in notes]
        self._write(_line({"kept": index, "partly": partly, "problems": told}))

    def failed(self, note: Note) -> None:
        """Say of an error that belongs to no item."""
        self._write(_line({"failed": note.path, "reason": note.reason}))

    def end(self, **facts: Any) -> None:
        """Write the last line and wait until everything is on disk."""
        self._write(_line({"end": True, **facts}))
        self.sync()

    def sync(self) -> None:
        """Wait until everything written is on disk."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def replace(self, document: Iterable[str]) -> None:
        """Put the finished document, as pieces of text, in the journal's place.

        On failure the journal stays, which says the same.
        """
        temporary = f"{self.path}.{os.getpid()}.tmp"
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with open(handle, "w", encoding="ascii") as file:
                file.writelines(document)
                file.flush()
                os.fsync(handle)
            os.replace(temporary, self.path)
        except (OSError, ValueError, LookupError):  # a full disk, or a journal that somebody else has written to
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def discard(self) -> None:
        """Take away a manifest whose plan could not be written: nothing was removed, so it has nothing to say."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def _write(self, text: str) -> None:
        data = text.encode("ascii")
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._handle, data) :]
            except OSError as error:
                self._tear_off()
                raise _unwritable(self.path, error) from error
            self._length = os.lseek(self._handle, 0, os.SEEK_CUR)

    def _tear_off(self) -> None:
        """Take away a line that was written in part: what is written later, when there is room, begins a new one."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, self._length)


def _line(values: dict[str, Any]) -> str:
    return _ENCODER.encode(values) + "\n"


def create_journal(path: str) -> Journal:
    """Create a manifest where nothing is yet.

    Raises:
        ManifestError: something is there already, or it cannot be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        handle = os.open(path, flags, 0o600)
    except FileExistsError:
        raise ManifestError(
            f"the audit manifest {path} exists already", hint="choose another path; nothing was removed"
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    journal = Journal(path, handle)
    try:
        sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        journal.discard()
        journal.close()
        raise _unwritable(path, error) from error
    return journal


def _unwritable(path: str, error: OSError) -> ManifestError:
    return ManifestError(
        f"the audit manifest {path} cannot be written: {error.strerror}",
        hint="make room or choose another place with --audit-manifest; without a manifest nothing is removed",
    )
