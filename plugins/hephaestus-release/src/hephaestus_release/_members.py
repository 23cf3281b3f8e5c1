"""Members of an archive: their kinds, which names are safe, and which cannot stand side by side."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

from attrs import field, frozen

from hephaestus_release._names import is_invisible, is_reserved
from hephaestus_release.errors import ArchiveError

__all__ = ["Member", "NameBook", "Read", "safe_parts"]

_LONGEST_PART: Final = 255
_LONGEST_PATH: Final = 1024
_DEEPEST: Final = 16

Read = Callable[[int], bytes]


@frozen
class Member:
    """One entry of an archive.

    Attributes:
        name: as the archive has it.
        kind: `file`, `directory`, or what else it is, e.g. `symbolic link`.
        size: in bytes, as declared.
        read: returns at most so many next bytes of the content, and none at its end.
    """

    name: str
    kind: str
    size: int
    read: Read = field(repr=False)


def safe_parts(name: str) -> tuple[str, ...]:
    """The components of a member's name.

    Raises:
        ArchiveError: the name is absolute, climbs, is too long or deep, or has a component that some file system or
            terminal would take for something else.
    """
    trimmed = name[:-1] if name.endswith("/") else name
    parts = tuple(trimmed.removeprefix("./").split("/")) if trimmed not in {".", ""} else ()
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_PATH or len(parts) > _DEEPEST:
        raise ArchiveError("the archive has a member whose path is too long or too deep")
    for part in parts:
        if (wrong := _wrong_with(part)) is not None:
            raise ArchiveError(f"the archive has a member with an unsafe name: {name!a} ({wrong})")
    return parts


def _wrong_with(part: str) -> str | None:
    """Why a component is unsafe; None when it is safe."""
    if part == "":
        return "absolute, or with an empty component"
    if part in {".", ".."}:
        return "climbs"
    if "\\" in part or ":" in part:
        return "has a backslash or a colon"
    if any(is_invisible(character) for character in part):
        return "has invisible characters"
    if part[-1] in " .":
        return "ends in a dot or a space"
    if is_reserved(part):
        return "is reserved on Windows"
    return "is too long" if len(part.encode()) > _LONGEST_PART else None


class NameBook:
    """Remembers the names of one archive, and refuses those that would meet on some file system."""

    def __init__(self) -> None:
        self._files: set[tuple[str, ...]] = set()
        self._folders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, parts: tuple[str, ...], *, is_file: bool) -> None:
        """Take a member's name.

        Raises:
            ArchiveError: the same file twice, also when only case or Unicode form differ, or a file as a folder.
        """
        key = tuple(unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold()) for part in parts)
        for depth in range(1, len(parts) + (0 if is_file else 1)):
            if key[:depth] in self._files or self._folders.setdefault(key[:depth], parts[:depth]) != parts[:depth]:
                raise ArchiveError(f"the archive has members that collide: {'/'.join(parts)!a}")
        if is_file:
            if key in self._files or key in self._folders:
                raise ArchiveError(f"the archive has members that collide: {'/'.join(parts)!a}")
            self._files.add(key)
