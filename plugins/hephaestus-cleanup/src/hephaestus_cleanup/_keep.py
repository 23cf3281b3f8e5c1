"""Patterns of what is never removed: configuration's `keep` and `.hephaestusignore` files.

The syntax is .gitignore's without `!`: these patterns only protect, so there is nothing to take back. A pattern without
a slash (other than a last one) fits at any depth, one with a slash from the folder that it was written in; `**` spans
folders; a last slash asks for a folder.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from functools import cached_property

from attrs import field, frozen

from hephaestus.errors import ConfigError

__all__ = ["KeepPattern", "KeepSet", "parse_ignore_file"]

_MAX_BYTES = 1 << 20


@frozen(slots=False)
class KeepPattern:
    """One pattern.

    Args:
        text: as written, without the newline.
        base: the absolute folder that it is relative to.
        source: where it was written, for the reason of a skip: "configuration" or ".hephaestusignore".

    Raises:
        ConfigError: a negated, empty or unreadable pattern.
    """

    text: str
    base: str
    source: str = "configuration"
    folder_only: bool = field(init=False)
    parts: tuple[str, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        text = self.text
        if text.startswith("!"):
            raise ConfigError(
                f"{self.source}: pattern {text!r} is negated", hint="these patterns only protect; remove the line"
            )
        stripped = text.strip("/")
        parts = tuple(stripped.split("/"))
        if not stripped or ".." in parts or "." in parts or "\0" in text:
            raise ConfigError(f"{self.source}: {text!r} is no pattern", hint='write e.g. "data/" or "*.keep"')
        anchored = "/" in text.rstrip("/")
        object.__setattr__(self, "folder_only", text.endswith("/"))
        object.__setattr__(self, "parts", parts if anchored else ("**", *parts))
        try:
            _ = self._full
        except re.error:
            raise ConfigError(f"{self.source}: {text!r} is no pattern", hint="mend its [...]") from None

    @cached_property
    def _full(self) -> re.Pattern[str]:
        return re.compile(_expression(self.parts), re.DOTALL)

    def fits(self, path: str, *, is_folder: bool) -> bool:
        """True when a path itself fits."""
        relative = self._relative(path)
        return bool(relative) and (is_folder or not self.folder_only) and self._full.fullmatch(relative) is not None

    def may_fit_beneath(self, folder: str) -> bool:
        """False when nothing beneath a folder can fit; True when something might."""
        if self.base == folder or self.base.startswith(folder + "/"):
            return True
        relative = self._relative(folder)
        if not relative:
            return False
        above = relative.split("/")
        for part, name in zip(self.parts, above, strict=False):
            if part == "**":
                return True
            if not re.fullmatch(_component(part), name, re.DOTALL):
                return False
        return len(self.parts) > len(above)

    def _relative(self, path: str) -> str:
        return path[len(self.base) + 1 :] if path.startswith(self.base + "/") else ""


@frozen
class KeepSet:
    """All patterns in force at some place of the tree."""

    patterns: tuple[KeepPattern, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def reason(self, path: str, *, is_folder: bool) -> str | None:
        """Why a path is kept, or None."""
        for pattern in self.patterns:
            if pattern.fits(path, is_folder=is_folder):
                return f"kept by {pattern.source}"
        return None

    def beneath(self, folder: str) -> KeepSet:
        """The patterns that could fit something beneath a folder."""
        return KeepSet(tuple(each for each in self.patterns if each.may_fit_beneath(folder)))

    def plus(self, patterns: Iterable[KeepPattern]) -> KeepSet:
        """These patterns and more."""
        return KeepSet((*self.patterns, *patterns))


def parse_ignore_file(path: str) -> list[KeepPattern]:
    """Read a `.hephaestusignore`.

    Raises:
        ConfigError: a line that is no pattern, naming file and line; a file that cannot be read or is no plain file.
    """
    base = os.path.dirname(path)
    patterns = []
    for number, line in enumerate(_lines(path), start=1):
        text = line.rstrip("\r \t")
        if not text or text.startswith("#"):
            continue
        try:
            patterns.append(KeepPattern(text, base, ".hephaestusignore"))
        except ConfigError as error:
            raise ConfigError(f"{path}, line {number}: {error.message}", hint=error.hint) from None
    return patterns


def _lines(path: str) -> list[str]:
    # O_NONBLOCK: a FIFO of that name must not hang the run. A file that can't be read might protect anything.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            data = file.read(_MAX_BYTES + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="mend or remove the file") from error
    if data is None or len(data) > _MAX_BYTES:
        raise ConfigError(f"{path} is no list of patterns", hint="mend or remove the file")
    return os.fsdecode(data).split("\n")


def _expression(parts: tuple[str, ...]) -> str:
    pieces = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            pieces.append(".+" if last else "(?:[^/]+/)*")
        else:
            pieces.append(_component(part) + ("" if last else "/"))
    return "".join(pieces)


def _component(part: str) -> str:
    pieces, index = [], 0
    while index < len(part):
        character = part[index]
        if character == "*":
            pieces.append("[^/]*")
        elif character == "?":
            pieces.append("[^/]")
        elif character == "\\" and index + 1 < len(part):
            index += 1
            pieces.append(re.escape(part[index]))
        elif character == "[" and (end := part.find("]", index + 2)) > 0:
            body = part[index + 1 : end]
            negated = body[0] in "!^"
            inner = (body[1:] if negated else body).replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            pieces.append(f"(?!/)[{'^' if negated else ''}{inner}]")
            index = end
        else:
            pieces.append(re.escape(character))
        index += 1
    return "".join(pieces)
