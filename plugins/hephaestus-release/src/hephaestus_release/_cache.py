"""Verified archives by their digest.

An entry is made only from a file that passed every check, and is hashed again while it is copied out: what is used is
what was hashed. Entries appear by a rename and vanish by an unlink, so two processes may share the folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from hephaestus_release.errors import CacheError

__all__ = ["ArchiveCache"]

_CHUNK: Final = 1024 * 1024


class ArchiveCache:
    """The folder with the entries.

    Args:
        folder: made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sha256"

    def take(self, sha256: str, target: Path) -> int | None:
        """Copy an entry to a new file.

        Args:
            sha256: 64 lower-case hexadecimal digits.
            target: must not exist; it exists afterwards only if the copy has that digest.

        Returns:
            Its size in bytes; None when there is no such entry, or it was damaged and has been dropped.
        """
        entry, digest, size = self._entry(sha256), hashlib.sha256(), 0
        try:
            source = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with open(source, "rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                writer.write(chunk)
                size += len(chunk)
        if digest.hexdigest() == sha256:
            return size
        target.unlink()
        with suppress(OSError):
            entry.unlink()
        return None

    def put(self, sha256: str, verified: Path) -> None:
        """Keep a copy of a verified file.

        Raises:
            CacheError: the folder cannot be written to.
        """
        entry = self._entry(sha256)
        if entry.is_file():
            return
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".new-", dir=entry.parent)
            try:
                with open(descriptor, "wb") as writer, verified.open("rb") as reader:
                    shutil.copyfileobj(reader, writer, _CHUNK)
                os.replace(name, entry)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CacheError(
                f"cannot write to the cache {self.folder}: {error.strerror or error}",
                hint="choose another --cache-dir, or give --no-cache",
            ) from None

    def _entry(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256
