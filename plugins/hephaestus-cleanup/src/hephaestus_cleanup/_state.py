"""Where the manifests of runs are kept: the platform's folder for state, outside every workspace."""

from __future__ import annotations

import contextlib
import os
import sys

__all__ = ["file_name_of", "make_runs_folder", "runs_folder", "sync_folder"]


def runs_folder() -> str:
    """The folder of recorded runs; it need not exist."""
    return os.path.join(_state_home(), "hephaestus", "cleanup", "runs")


def make_runs_folder() -> str:
    """The same, created (mode 0700, and on disk) if it is missing.

    Raises:
        OSError: it cannot be created.
    """
    folder = runs_folder()
    _make(folder)
    return folder


def file_name_of(run: str) -> str:
    """A run's id as one component of a path: an id may hold slashes, and dots where they would mean something."""
    name = run.replace("/", "%2F")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def sync_folder(folder: str) -> None:
    """Wait until the entries of a folder are on disk.

    Raises:
        OSError: they cannot be written.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make(folder: str) -> None:
    if os.path.isdir(folder):
        return
    above = os.path.dirname(folder)
    _make(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    sync_folder(above)


def _state_home() -> str:
    given = os.environ.get("XDG_STATE_HOME")
    # The XDG specification: a relative path is to be ignored.
    if given and os.path.isabs(given):
        return given
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support")
    return os.path.join(home, ".local", "state")
