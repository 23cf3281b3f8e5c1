"""A look through a matched folder for what must not go with it."""

from __future__ import annotations

import os

from hephaestus_cleanup._keep import KeepSet
from hephaestus_cleanup._listing import list_folder
from hephaestus_cleanup._rulebook import ENVIRONMENT_NAMES, IGNORE_FILE, REPOSITORY_NAMES

__all__ = ["reason_within"]

_AT_TOP = (".git", "pyvenv.cfg", IGNORE_FILE)
# Longer paths are beyond what access() takes, which would answer as if nothing were there.
_LONGEST = 1000


def reason_within(path: str, keep: KeepSet, *, tool_owned: bool) -> str | None:
    """Why a folder must stay because of what it holds.

    Args:
        path: the matched folder, absolute.
        keep: the protections that hold at its place.
        tool_owned: True for caches: only the folder's own level is looked at, unless a protection reaches into it. A
            repository or a `.hephaestusignore` deeper down is still kept by the removal itself, which stops at each.

    Returns:
        "nested repository", "environment", "kept by …", "cannot be looked through", or None when all may go.
    """
    reaching = keep.beneath(path)
    if tool_owned and not reaching and len(path) < _LONGEST:
        return _reason_of({each for each in _AT_TOP if _is_there(f"{path}/{each}")})
    pending = [path]
    while pending:
        folder = pending.pop()
        try:
            entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in list_folder(folder)]
        except OSError:
            return "cannot be looked through"
        reason = _reason_of({name for name, _ in entries})
        if reason:
            return reason
        for name, is_folder in entries:
            below = f"{folder}/{name}"
            kept = reaching.reason(below, is_folder=is_folder) if reaching else None
            if kept:
                return kept
            if is_folder:
                pending.append(below)
    return None


def _reason_of(names: set[str]) -> str | None:
    if not names.isdisjoint(REPOSITORY_NAMES) or {"HEAD", "objects", "refs"} <= names:
        return "nested repository"
    if IGNORE_FILE in names:
        return f"kept by {IGNORE_FILE}"
    return None if names.isdisjoint(ENVIRONMENT_NAMES) else "environment"


def _is_there(path: str) -> bool:
    # access() answers without building an exception, which matters for thousands of caches.
    return os.access(path, os.F_OK, follow_symlinks=False)
