"""One emission of an event: what listeners and tests see, and what a log record of an event carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent

__all__ = ["Emitted"]


class Emitted:
    """One emission of an event, as listeners and tests see it; a record of `logging` has it as `record.emitted`.

    Attributes:
        event: the definition.
        payload: field name to value, the event's own fields first and then the context's; secrets are masked.
        level: the level's number, as in `logging`.
        message: one line for people.
        logger: name of the logger.
        run_id: the run's id, or None.
    """

    __slots__ = ("event", "level", "logger", "message", "payload", "run_id")

    def __init__(
        self, event: TelemetryEvent, payload: dict[str, Any], level: int, message: str, logger: str, run_id: str | None
    ) -> None:
        self.event = event
        self.payload = payload
        self.level = level
        self.message = message
        self.logger = logger
        self.run_id = run_id

    def __repr__(self) -> str:
        return f"<Emitted {self.event.name} {self.payload!r}>"
