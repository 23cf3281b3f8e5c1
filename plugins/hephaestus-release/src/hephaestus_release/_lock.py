"""The lock file: what earlier runs saw of a repository, so that a later run cannot be talked into less."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from packaging.version import InvalidVersion, Version

from hephaestus_release._levels import Level
from hephaestus_release.errors import LockError

__all__ = ["Sighting", "check_sighting", "record_sighting"]

_SCHEMA: Final = 1
_LARGEST: Final = 16 * 1024 * 1024
_HINT: Final = "if the change is known to be right, give --accept-change once"


@frozen
class Sighting:
    """What a run saw of a release.

    Attributes:
        key: origin of the API and repository, e.g. `https://api.github.com owner/repo`.
        tag: the resolved tag.
        newest: whether the forge chose the tag, being asked for the newest release.
        asset: the archive's name.
        sha256: the archive's digest.
        level: how far it was verified.
        issuer: OIDC issuer of the signer; None when unsigned.
        signer: source repository of the signer, else its subject; None when unsigned.
    """

    key: str
    tag: str
    newest: bool
    asset: str
    sha256: str
    level: Level
    issuer: str | None = None
    signer: str | None = None


def check_sighting(path: Path, seen: Sighting) -> None:
    """Compare with the entry of the repository; a repository without one is accepted.

    Raises:
        LockError: verified to a lower level than before, signed by somebody else, another archive under the same
            tag, a newest release older than one seen before, or a lock file that cannot be read.
    """
    entry = _read(path)["repositories"].get(seen.key)
    if entry is None:
        return
    level = _level(entry, path)
    if seen.level < level:
        raise LockError(
            f"{seen.key}: verified to level {seen.level.label!r}, but {level.label!r} was reached before", hint=_HINT
        )
    for what in ("issuer", "signer"):
        found, before = getattr(seen, what), entry.get(what)
        if before is not None and found != before:
            raise LockError(f"{seen.key}: the {what} is {found!r}, but was {before!r} before", hint=_HINT)
    before = entry["tags"].get(seen.tag, {}).get(seen.asset)
    if before is not None and before != seen.sha256:
        raise LockError(f"{seen.key}: {seen.asset!r} of {seen.tag!r} is not the archive seen before", hint=_HINT)
    if seen.newest and _is_older(seen.tag, str(entry.get("newest"))):
        raise LockError(f"{seen.key}: the newest release is said to be {seen.tag!r}, older than one seen", hint=_HINT)


def record_sighting(path: Path, seen: Sighting) -> None:
    """Write what was seen; other repositories' entries stay.

    Raises:
        LockError: the file cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _exclusive(path):
            document = _read(path)
            before = document["repositories"].get(seen.key, {"tags": {}})
            tags = {**before["tags"], seen.tag: {**before["tags"].get(seen.tag, {}), seen.asset: seen.sha256}}
            entry = {
                "level": seen.level.label,
                "issuer": seen.issuer,
                "signer": seen.signer,
                "newest": seen.tag if seen.newest else before.get("newest"),
                "tags": tags,
            }
            document["repositories"][seen.key] = entry
            _write(path, document)
    except OSError as error:
        raise LockError(
            f"cannot write the lock file {path}: {error.strerror or error}", hint="choose another --lock-file"
        ) from None


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One writer at a time; the lock is on a file of its own, since the lock file itself is replaced."""
    with path.with_name(f".{path.name}.writer").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> dict[str, Any]:
    """The document; an empty one when there is no file."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        return {"schema": _SCHEMA, "repositories": {}}
    except (OSError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA or not _is_sound(document):
        raise LockError(f"the lock file {path} cannot be read", hint="restore it, or move it away to start afresh")
    return document


def _is_sound(document: dict[str, Any]) -> bool:
    repositories = document.get("repositories")
    return isinstance(repositories, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("tags"), dict)
        and all(isinstance(assets, dict) for assets in entry["tags"].values())
        for entry in repositories.values()
    )


def _level(entry: dict[str, Any], path: Path) -> Level:
    known = {level.label: level for level in Level}
    if entry.get("level") not in known:
        raise LockError(f"the lock file {path} has an unknown level", hint="restore it, or move it away")
    return known[entry["level"]]


def _write(path: Path, document: dict[str, Any]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".lock-", delete=False, encoding="utf-8") as file:
        json.dump(document, file, indent=2, sort_keys=True)
        file.write("\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def _is_older(tag: str, other: str) -> bool:
    """Whether both tags are versions and the first is older."""
    try:
        return Version(tag) < Version(other)
    except InvalidVersion:
        return False
