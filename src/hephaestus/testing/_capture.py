"""Capturing events in a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hephaestus.emit import Emitted, add_listener
from hephaestus.event import TelemetryEvent

__all__ = ["CapturedEvents", "capture_events"]


class CapturedEvents(list[Emitted]):
    """The events emitted while capturing, in order."""

    @property
    def names(self) -> list[str]:
        """The events' names, in order."""
        return [emitted.event.name for emitted in self]

    def of(self, event: TelemetryEvent) -> list[Emitted]:
        """Return the emissions of one event, in order."""
        return [emitted for emitted in self if emitted.event == event]

    def assert_emitted(self, event: TelemetryEvent, /, **subset: Any) -> Emitted:
        """Return the first emission of `event` whose payload has all of `subset`.

        Raises:
            AssertionError: there is none; what was emitted instead is shown.
        """
        found = self.of(event)
        for emitted in found:
            if all(name in emitted.payload and emitted.payload[name] == value for name, value in subset.items()):
                return emitted
        if found:
            shown = "\n  ".join(repr(emitted.payload) for emitted in found)
            raise AssertionError(f"{event.name} was emitted, but never with {subset!r}; payloads:\n  {shown}")
        raise AssertionError(f"{event.name} was not emitted; emitted: {', '.join(self.names) or 'nothing'}")


@contextmanager
def capture_events(level: int = logging.DEBUG) -> Iterator[CapturedEvents]:
    """Capture what is emitted inside the `with` block, in every thread.

    Args:
        level: the root logger's level inside the block, so that events are emitted whatever logging is set to.
    """
    captured = CapturedEvents()
    errors: list[BaseException] = []
    root = logging.getLogger()
    before = root.level
    remove = add_listener(captured.append, errors.append)
    root.setLevel(level)
    try:
        yield captured
    finally:
        root.setLevel(before)
        remove()
