"""Where other file systems (and bind mounts of the same one) begin, as the kernel tells it."""

from __future__ import annotations

import re

__all__ = ["mount_points"]

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def mount_points(mountinfo: str = "/proc/self/mountinfo") -> frozenset[str] | None:
    """All mount points that this process sees.

    Args:
        mountinfo: the file to read, in the format of proc(5).

    Returns:
        Absolute paths; None where the system doesn't tell (not Linux), so that the caller compares devices instead.
    """
    try:
        with open(mountinfo, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    fields = (line.split(b" ") for line in lines)
    # The kernel writes blanks, newlines and backslashes of a path as octal escapes.
    return frozenset(_decode(each[4]) for each in fields if len(each) > 4)


def _decode(path: bytes) -> str:
    import os

    return os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), path))
