"""Where the manifests of runs are kept: the platform's folder for state, outside every workspace."""

from __future__ import annotations

import os
import sys

__all__ = ["make_runs_folder", "runs_folder"]


def runs_folder() -> str:
    """The folder of recorded runs; it need not exist."""
    return os.path.join(_state_home(), "hephaestus", "cleanup", "runs")


def make_runs_folder() -> str:
    """The same, created (mode 0700) if it is missing.

    Raises:
        OSError: it cannot be created.
    """
    folder = runs_folder()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def _state_home() -> str:
    given = os.environ.get("XDG_STATE_HOME")
    # The XDG specification: a relative path is to be ignored.
    if given and os.path.isabs(given):
        return given
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support")
    return os.path.join(home, ".local", "state")
