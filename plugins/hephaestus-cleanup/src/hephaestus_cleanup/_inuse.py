"""What is in use just now: the running interpreter and its imports, and every process's folder and program."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator

from attrs import define, field

__all__ = ["InUse"]


@define
class InUse:
    """Paths that must not lose the folder they lie in.

    Args:
        more: further paths with the reason to give, e.g. the manifest that is being written.
        processes: look at the working folders and programs of other processes too (Linux).
    """

    more: Iterable[tuple[str, str]] = ()
    processes: bool = True
    _reasons: dict[str, str] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        found = dict(self.more)
        for path, reason in (*_own(), *(_others() if self.processes else ())):
            found.setdefault(path, reason)
        for path, reason in sorted(found.items()):
            # Each folder above is in use as well, and asked for far more often than these are made.
            above = path
            while above not in self._reasons:
                self._reasons[above] = reason
                above = os.path.dirname(above)

    def reason(self, path: str) -> str | None:
        """Why a path must stay: it is one of these, or holds one. None when it may go."""
        return self._reasons.get(path)


def _own() -> Iterator[tuple[str, str]]:
    environment = os.environ.get("VIRTUAL_ENV")
    places = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.executable, sys.argv[0], __file__, environment]
    for place in filter(None, (*places, *sys.path, *_open_files())):
        for path in {os.path.abspath(str(place)), os.path.realpath(str(place))}:
            if os.path.lexists(path):
                yield path, "in use by this program"
    try:
        yield os.path.realpath(os.getcwd()), "holds the current folder"
    except OSError:
        return


def _open_files() -> Iterator[str]:
    """The plain files that this process has open, the log file among them; nothing where the system doesn't tell."""
    try:
        handles = os.listdir("/proc/self/fd")
    except OSError:
        return
    for handle in handles:
        try:
            if stat.S_ISREG(os.fstat(int(handle)).st_mode):
                yield os.readlink(f"/proc/self/fd/{handle}")
        except OSError:
            continue  # the listing's own, closed by now


def _others() -> Iterator[tuple[str, str]]:
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return
    for process in processes:
        for link in ("cwd", "exe"):
            try:
                target = os.readlink(f"/proc/{process}/{link}")
            except OSError:
                continue  # ended meanwhile, or another user's
            yield target, f"in use by process {process}"
