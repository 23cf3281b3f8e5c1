"""Names from outside: what may become a file name, and how an asset's name is made into one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["is_invisible", "is_reserved", "sanitise"]

# 255 bytes is what file systems allow; the rest is room for our own suffixes.
LONGEST_NAME: Final = 200
_LONGEST_SUFFIX: Final = 40

_RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"]
)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')


def is_invisible(character: str) -> bool:
    """Whether the character is a control, format (bidi, zero width), surrogate, private or unassigned one."""
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"


def is_reserved(name: str) -> bool:
    """Whether Windows takes the name for a device, with or without a suffix: ``NUL``, ``com1.txt``."""
    return name.split(".", 1)[0].rstrip(" ").casefold() in _RESERVED


def sanitise(name: str) -> str:
    """One path component that is safe on every file system, made from an asset's name.

    The last component is kept, invisible characters are dropped, characters that a file system refuses become ``_``,
    leading dots and dashes go, and a long name is cut before its suffix. Sanitising twice changes nothing more.

    Args:
        name: the asset's name as the forge reports it: any string.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    # Normalising last but cutting after it keeps the result stable under a second pass.
    cleaned = unicodedata.normalize("NFC", "".join(c for c in last if not is_invisible(c)))
    cleaned = _FORBIDDEN.sub("_", cleaned).strip(" .")
    cleaned = cleaned.lstrip(" .-")
    cleaned = _cut(cleaned) or "asset"
    return f"_{cleaned}" if is_reserved(cleaned) else cleaned


def _cut(name: str) -> str:
    """The name in at most `LONGEST_NAME` bytes of UTF-8, with its suffixes where they are short."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    suffix = re.search(r"(?:\.[A-Za-z0-9]{1,12}){1,3}\Z", name)
    tail = suffix.group() if suffix and len(suffix.group()) <= _LONGEST_SUFFIX else ""
    head = name[: len(name) - len(tail)] if tail else name
    kept = head.encode()[: LONGEST_NAME - len(tail)].decode("utf-8", "ignore")
    return unicodedata.normalize("NFC", (kept + tail).strip(" ."))
