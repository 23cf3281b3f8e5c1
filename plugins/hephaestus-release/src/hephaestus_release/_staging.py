"""A private folder inside the destination: nothing gets its final name before everything is verified."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from hephaestus.errors import UsageError
from hephaestus_release.errors import AssetError

__all__ = ["MARKER", "Staging", "digest_tree", "publish_file", "publish_tree"]

MARKER: Final = ".hephaestus-release.json"
_MEND: Final = "give --overwrite, or choose another --destination"
_LARGEST_MARKER: Final = 4 * 1024 * 1024


class Staging:
    """Makes the folder, and takes it away again with whatever is still in it. Use it as a context manager.

    Args:
        destination: made where it is missing, and removed again if it stays empty.

    Raises:
        UsageError: the destination cannot be made or written to.
    """

    def __init__(self, destination: Path) -> None:
        # A path reached through a link must stay what it is now, whatever the link is turned to later.
        self.destination = Path(os.path.realpath(destination))
        self._made = [p for p in (self.destination, *self.destination.parents) if not p.exists()]

    def __enter__(self) -> Staging:
        try:
            self.destination.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=".hephaestus-", dir=self.destination))
        except OSError as error:
            self._remove_made()
            raise UsageError(
                f"cannot write to {self.destination}: {error.strerror or error}", hint="choose another --destination"
            ) from None
        return self

    def __exit__(self, *_exc: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._remove_made()

    def part(self, name: str) -> Path:
        """Where the file of that name waits for its verdict."""
        return self.folder / f"{name}.part"

    def _remove_made(self) -> None:
        # rmdir refuses what is not empty: then the run left something there on purpose.
        with suppress(OSError):
            for path in self._made:
                path.rmdir()


def publish_file(part: Path, final: Path, *, overwrite: bool) -> None:
    """Give a verified file its name; a file of the same content stays as it is.

    Raises:
        AssetError: something else has the name, and may not be replaced.
    """
    if not overwrite or final.is_symlink() or (final.exists() and not final.is_file()):
        try:
            # Unlike a rename, a link never replaces what another process put there meanwhile.
            os.link(part, final, follow_symlinks=False)
        except FileExistsError:
            if final.is_symlink() or not final.is_file() or _sha256(final) != _sha256(part):
                raise AssetError(
                    f"{final} is there already, with other content",
                    hint="give --overwrite, or choose another --destination",
                ) from None
        part.unlink()
    else:
        os.replace(part, final)


def publish_tree(tree: Path, final: Path, *, overwrite: bool, aside: Path) -> None:
    """Give an unpacked folder its name; a folder of the same content stays as it is.

    Args:
        tree: the new folder, on the same file system.
        final: its place.
        overwrite: replace a folder of other content, if it was made here and holds nothing else.
        aside: a free name to which a folder that is replaced is moved.

    Raises:
        AssetError: something else has the name, and may not be replaced.
    """
    digests = digest_tree(tree)
    (tree / MARKER).write_text(json.dumps({"schema": 1, "files": digests}, indent=1), encoding="utf-8")
    if _renamed(tree, final) or _is_ours(final, digests):
        return
    if not overwrite:
        raise AssetError(f"{final} is there already, with other content", hint=_MEND)
    if not _is_ours(final, None):
        raise AssetError(
            f"{final} holds files that were not unpacked there by Hephaestus, and is not replaced",
            hint="move it away, or choose another --destination",
        )
    os.rename(final, aside)
    os.rename(tree, final)


def _renamed(tree: Path, final: Path) -> bool:
    """Whether the folder could take the name, nothing but an empty folder having it."""
    try:
        os.rename(tree, final)
    except (FileExistsError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def digest_tree(folder: Path) -> dict[str, str]:
    """SHA-256 of each file by its path below the folder; the marker is left out."""
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: "" if path.is_symlink() else _sha256(path) for name, path in sorted(found.items()) if name != MARKER}


def _is_ours(folder: Path, expected: Mapping[str, str] | None) -> bool:
    """Whether the folder holds exactly what its marker lists, and exactly what is expected."""
    marker = folder / MARKER
    if folder.is_symlink() or not folder.is_dir() or not marker.is_file() or marker.stat().st_size > _LARGEST_MARKER:
        return False
    try:
        listed = json.loads(marker.read_bytes())["files"]
    except (ValueError, KeyError, TypeError, OSError):
        return False
    found = digest_tree(folder)
    return found == listed and (expected is None or found == expected)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
