"""The search roots of a run: resolved, refused where dangerous, without duplicates and not nested."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from attrs import frozen

from hephaestus.errors import UsageError
from hephaestus_cleanup._dangerous import danger_of
from hephaestus_cleanup._mounts import mount_points
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup.errors import CleanupRefused

__all__ = ["SearchRoot", "SearchRoots", "choose_root", "search_roots"]

# What shows that a mount is somebody's workspace (a container's volume) and not a disk with other things.
_WORKSPACE_MARKS = (".git", "pyproject.toml", "setup.py", "package.json", "Cargo.toml", "hephaestus.toml")


@frozen
class SearchRoot:
    """A folder to sweep.

    Attributes:
        path: absolute, without links.
        device, inode: identity of the folder when it was chosen.
        outside: True when it lies outside ROOT, so that it needs consent.
    """

    path: str
    device: int
    inode: int
    outside: bool = False

    def holds(self, path: str) -> bool:
        """True when `path` is this folder or lies beneath it."""
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


@frozen
class SearchRoots:
    """Where a run looks.

    Attributes:
        main: ROOT itself.
        roots: the folders to sweep; none lies within another.
        named: folders named by an option that lie within a root; they are entered even where others are not.
        extra: all extra paths, resolved.
        skipped: (path, reason) of extra paths that cannot be swept.
    """

    main: SearchRoot
    roots: tuple[SearchRoot, ...]
    named: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def choose_root(given: str | None) -> str:
    """Resolve ROOT.

    Args:
        given: as typed; None for the top level of the git repository around the current folder, else that folder.

    Returns:
        The absolute path, without links.

    Raises:
        UsageError: an empty path, a path that doesn't exist or is no folder.
    """
    if given is None:
        return os.path.realpath(_top_level(os.getcwd()) or os.getcwd())
    if not given:
        raise UsageError("ROOT is empty", hint="name a folder, or leave ROOT out (an unset variable?)")
    path = os.path.realpath(given)
    if not os.path.isdir(path):
        what = "is no folder" if os.path.lexists(path) else "does not exist"
        raise UsageError(f"ROOT {given!r} {what}", hint="name the folder to clean")
    return path


def search_roots(root: str, options: CleanupOptions, environments: Iterable[str] = ()) -> SearchRoots:
    """Turn ROOT and the extra paths into the folders to sweep.

    Args:
        root: what `choose_root` returned.
        options: extra paths, and which of them come from the workspace's configuration.
        environments: environments outside ROOT that the options ask to sweep.

    Raises:
        CleanupRefused: a root that cleanup never takes; nothing has been touched then.
        UsageError: an extra path is empty.
    """
    main = _search_root(root, outside=False, is_main=True)
    extra, skipped, found = [], [], [main]
    for given in (*options.extra_paths, *environments):
        path = _resolve(given, root, options)
        extra.append(path)
        _refuse(danger_of(path), path, is_main=False)
        reason = _unusable(path)
        if reason:
            skipped.append((path, reason))
            continue
        found.append(_search_root(path, outside=not main.holds(path)))
    chosen = [each for each in found if not any(other.holds(each.path) and other.path != each.path for other in found)]
    roots = tuple({each.path: each for each in chosen}.values())
    named = frozenset(each.path for each in found) - {each.path for each in roots}
    return SearchRoots(main, roots, named, tuple(dict.fromkeys(extra)), tuple(dict.fromkeys(skipped)))


def _resolve(given: str, root: str, options: CleanupOptions) -> str:
    if not given:
        raise UsageError("--extra-path is empty", hint="name a folder (an unset variable?)")
    path = os.path.realpath(os.path.join(root, given) if given in options.configured_paths else given)
    if given in options.configured_paths and not (path + "/").startswith(root.rstrip("/") + "/"):
        raise CleanupRefused(
            f"extra path {given!r} of the configuration lies outside {root}",
            hint="a workspace's configuration reaches no further than the workspace; use --extra-path",
        )
    return path


def _unusable(path: str) -> str | None:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return error.strerror or "cannot be read"
    return None if stat.S_ISDIR(status.st_mode) else "not a folder"


def _search_root(path: str, *, outside: bool, is_main: bool = False) -> SearchRoot:
    _refuse(danger_of(path) or _holds_current_folder(path) or _mount_danger(path), path, is_main=is_main)
    status = os.lstat(path)
    return SearchRoot(path, status.st_dev, status.st_ino, outside)


def _refuse(reason: str | None, path: str, *, is_main: bool) -> None:
    if reason:
        what = "ROOT" if is_main else "extra path"
        raise CleanupRefused(f"{what} {path} is refused: {reason}", hint="name a workspace, not what holds it")


def _holds_current_folder(path: str) -> str | None:
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:
        return None
    if not here.startswith(path + "/") or path == os.path.realpath(_top_level(here) or here):
        return None
    return "it holds the current folder and is not its repository's top level"


def _mount_danger(path: str) -> str | None:
    if path not in (mount_points() or ()):
        return None
    if any(os.path.lexists(os.path.join(path, mark)) for mark in _WORKSPACE_MARKS):
        return None
    return "it is a mount point and holds no project"


def _top_level(folder: str) -> str | None:
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
