"""What went wrong with a plugin, in one line that names the distribution and the mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Problem", "Report", "log_problem", "one_line"]


class Problem(NamedTuple):
    """One thing that a plugin did wrong.

    Attributes:
        plugin: the plugin's name.
        distribution: what to upgrade or uninstall.
        reason: what happened.
        mend: what the reader can do about it.
    """

    plugin: str
    distribution: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.distribution}): {self.reason}; {self.mend}"


Report = Callable[[Problem], None]


def log_problem(problem: Problem) -> None:
    """Report through `logging`, for programs that use the host as a library."""
    import logging

    logging.getLogger("hephaestus.plugins").warning("%s", problem)


def one_line(error: BaseException) -> str:
    """Describe an exception in one line: its type, and its message where it has one."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    name = type(error).__name__
    return f"{name}: {text}" if text else name
