"""Tells a run as events, and passes it on to whoever shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from hephaestus.telemetry import emit_event
from hephaestus_guard_rails import events
from hephaestus_guard_rails._result import Result

__all__ = ["Narrator", "View"]

_LOGGER = logging.getLogger("hephaestus.guard-rails")


class View(Protocol):
    """What shows a run while it goes on."""

    def started(self, step: str, phase: str, command: tuple[str, ...]) -> None:
        """A pass begins."""

    def finished(self, result: Result) -> None:
        """A pass ended."""

    def left_out(self, result: Result) -> None:
        """A pass will not run."""

    def tick(self, running: Mapping[str, float]) -> float:
        """Passes that run now; returns the seconds until the next call is wanted."""

    def close(self) -> None:
        """Stop showing."""


class Narrator:
    """A run's listener: emits `guard-rails.step.*`, then tells the view, then `on_finished`."""

    def __init__(self, view: View, on_finished: Callable[[Result], None] = lambda _: None) -> None:
        self._view = view
        self._on_finished = on_finished

    def started(self, step: str, phase: str, command: tuple[str, ...]) -> None:
        """Emit the start of a pass."""
        emit_event(
            _LOGGER,
            events.GUARD_RAILS_STEP_START,
            message=f"{step} ({phase}) started",
            step=step,
            phase=phase,
            command=list(command),
        )
        self._view.started(step, phase, command)

    def finished(self, result: Result) -> None:
        """Emit the end of a pass."""
        emit_event(
            _LOGGER,
            events.GUARD_RAILS_STEP_COMPLETE,
            level=logging.WARNING if result.status.is_failure else logging.INFO,
            message=f"{result.step} ({result.phase}) {'kept' if result.cached else result.status}",
            step=result.step,
            phase=result.phase,
            status=str(result.status),
            returncode=result.returncode,
            duration_ms=round(result.seconds * 1000, 3),
            cached=result.cached,
            reason=result.reason or None,
            changed_files=len(result.changed) or None,
        )
        self._view.finished(result)
        self._on_finished(result)

    def left_out(self, result: Result) -> None:
        """Emit that a pass will not run."""
        emit_event(
            _LOGGER,
            events.GUARD_RAILS_STEP_SKIPPED,
            message=f"{result.step} ({result.phase}) skipped",
            step=result.step,
            phase=result.phase,
            reason=result.reason,
        )
        self._view.left_out(result)

    def tick(self, running: Mapping[str, float]) -> float:
        """Passed on to the view."""
        return self._view.tick(running)
