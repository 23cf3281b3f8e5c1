"""How long manifests are kept: nightly runs over many workspaces share one folder, which must not fill a disk."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import fields_dict

from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._record import read_record
from hephaestus_cleanup._rulebook import QUARANTINE_NAME
from hephaestus_cleanup._state import file_name_of, runs_folder
from hephaestus_cleanup.errors import ManifestError

__all__ = ["Retention", "prune_records", "retention_of"]

_DAY = 86400.0
_MARK = ".pruned"


class Retention(NamedTuple):
    """How long manifests are kept.

    Attributes:
        days: at least so long, unless there are too many.
        max_bytes: when all together are larger, the oldest go sooner.
    """

    days: float
    max_bytes: int


def retention_of(config: CleanupConfig, environment: Mapping[str, str] = os.environ) -> Retention:
    """What the configuration allows.

    The folder is shared by all workspaces of a user, so the file of one of them may ask to keep manifests for longer
    than by default, and only the environment for a shorter time.
    """
    values: dict[str, Any] = {}
    for name in ("manifest_days", "manifest_max_bytes"):
        value, default = getattr(config, name), fields_dict(CleanupConfig)[name].default
        values[name] = value if f"HEPHAESTUS_CLEANUP_{name.upper()}" in environment else max(value, default)
    return Retention(values["manifest_days"], values["manifest_max_bytes"])


def prune_records(retention: Retention) -> int:
    """Remove manifests whose time is over; looks at most once a day, whichever run comes first.

    Kept whatever their age: those of the last day, and those of runs that can still be undone. A manifest that was
    written elsewhere is left where it is, only the pointer to it goes.

    Returns:
        How many were removed.
    """
    folder, now = runs_folder(), time.time()
    mark = os.path.join(folder, _MARK)
    with contextlib.suppress(OSError):
        if now - os.stat(mark).st_mtime < _DAY:
            return 0
    removed = held = 0
    try:
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.utime(mark)
        for when, size, path in _newest_first(folder):
            held += size
            kept = now - when < retention.days * _DAY and held <= retention.max_bytes
            if not kept and now - when >= _DAY and not _can_be_undone(path, now - when):
                os.unlink(path)
                removed += 1
                held -= size
    except OSError:
        return removed  # not today, then: the run itself is done and recorded
    return removed


def _newest_first(folder: str) -> list[tuple[float, int, str]]:
    with os.scandir(folder) as listing:
        # Documents that a dead run had begun to write end otherwise than manifests.
        entries = [each for each in listing if each.name.endswith((".json", ".tmp"))]
        found = ((each.stat(follow_symlinks=False), each.path) for each in entries)
        return sorted(((status.st_mtime, status.st_size, path) for status, path in found), reverse=True)


def _can_be_undone(path: str, age: float) -> bool:
    try:
        record = read_record(path)
        if not record["quarantine"]:
            return False
        shelf = f"{QUARANTINE_NAME}/{file_name_of(record['run'])}"
        # A workspace that is not there may come back, on a disk that is not mounted just now.
        promised = age < record["options"]["quarantine_days"] * _DAY
        return any(
            os.path.lexists(f"{root}/{shelf}") if os.path.isdir(root) else promised for root in record["search_roots"]
        )
    except (ManifestError, KeyError, TypeError):
        return False
