"""How long each step took before: the longest begin first."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hephaestus_guard_rails._store import Store

__all__ = ["History"]

_TABLE = "durations"
# Weight of the newest run: an outlier fades within a few runs, a lasting change is believed as soon.
_NEWEST = 0.5
# What a step of a group takes before any run is known; what is of no known kind begins first, as it may be the longest.
_PRIOR_SECONDS = {"tests": 60.0, "types": 20.0, "security": 10.0, "lint": 1.0, "format": 1.0}


class History:
    """Seconds by step, smoothed over runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        loaded = store.load(_TABLE)
        self._seconds = {key: float(value) for key, value in loaded.items() if isinstance(value, int | float)}

    def expected(self, step: str, group: str = "") -> float:
        """Seconds that the step is likely to take; guessed by its group when it never ran, else infinite."""
        known = self._seconds.get(step)
        return _PRIOR_SECONDS.get(group, math.inf) if known is None else known

    def record(self, seconds: Mapping[str, float]) -> None:
        """Take in the durations of one run and save them."""
        if not seconds:
            return
        for step, newest in seconds.items():
            known = self._seconds.get(step, newest)
            self._seconds[step] = known + _NEWEST * (newest - known)
        self._store.save(_TABLE, dict(self._seconds))
