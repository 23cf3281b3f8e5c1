"""Finding processes that left their step's process group, by a mark in their environment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["MARK_VARIABLE", "kill_marked", "marked"]

# Not HEPHAESTUS_…: variables of that prefix are configuration, and a nested run would refuse this one.
MARK_VARIABLE = "_GUARD_RAILS_MARK"
_ROUNDS = 20


def marked(mark: str, environment: Mapping[str, str]) -> str:
    """The variable's value for a child: the marks of outer runs are kept, so that they find it too."""
    outer = environment.get(MARK_VARIABLE, "")
    return f"{outer},{mark}" if outer else mark


def _carriers(mark: str) -> list[int]:
    needle = mark.encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as stream:
                if needle in stream.read():
                    found.append(int(name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


def kill_marked(mark: str) -> int:
    """KILL every process that carries the mark, until none is left; returns how many there were.

    Only where `/proc` shows environments (Linux); elsewhere returns 0.
    """
    if not os.path.isdir("/proc/self"):
        return 0
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        pids = _carriers(mark)
        if not pids:
            break
        for pid in pids:
            killed.add(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    return len(killed)
