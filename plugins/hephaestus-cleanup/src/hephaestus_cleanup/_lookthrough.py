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
    reaching = keep.beneath(path) if keep.patterns else keep
    if tool_owned and not reaching.patterns and len(path) < _LONGEST:
        return _reason_at_top(path)
    pending = [path]
    while pending:
        folder = pending.pop()
        try:
            entries = list_folder(folder)
            below = [f"{folder}/{each.name}" for each in entries if each.is_dir(follow_symlinks=False)]
        except OSError:
            return "cannot be looked through"
        reason = _reason_of({each.name for each in entries})
        if reason is None and reaching.patterns:
            reason = _reason_to_keep(reaching, folder, entries)
        if reason:
            return reason
        pending += below
    return None


def _reason_to_keep(keep: KeepSet, folder: str, entries: list[os.DirEntry[str]]) -> str | None:
    for entry in entries:
        reason = keep.reason(f"{folder}/{entry.name}", is_folder=entry.is_dir(follow_symlinks=False))
        if reason:
            return reason
    return None


def _reason_of(names: set[str]) -> str | None:
    if not names.isdisjoint(REPOSITORY_NAMES) or {"HEAD", "objects", "refs"} <= names:
        return "nested repository"
    if IGNORE_FILE in names:
        return f"kept by {IGNORE_FILE}"
    return None if names.isdisjoint(ENVIRONMENT_NAMES) else "environment"


def _reason_at_top(path: str) -> str | None:
    for name in _AT_TOP:
        # access() answers without building an exception, which matters for thousands of caches.
        if os.access(f"{path}/{name}", os.F_OK, follow_symlinks=False):
            return _reason_of({name})
    return None
