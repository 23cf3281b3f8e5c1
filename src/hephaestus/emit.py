"""Emitting: validate the payload, merge the context under it, hand the event to logging and to listeners."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from hephaestus._redact import MASK, redact
from hephaestus.context import current_context
from hephaestus.errors import EventError
from hephaestus.event import TelemetryEvent

__all__ = ["Emitted", "add_listener", "emit_event"]


class Emitted:
    """One emission of an event, as listeners and tests see it.

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


Listener = Callable[[Emitted], None]
OnError = Callable[[BaseException], None]

# Replaced as a whole, never changed in place: emitting reads it without a lock.
_listeners: tuple[tuple[Listener, OnError], ...] = ()
_registration = threading.Lock()
_listening = threading.local()


def add_listener(listener: Listener, on_error: OnError) -> Callable[[], None]:
    """Call `listener` for each event emitted at an enabled level, in every thread, until the result is called.

    Args:
        listener: gets the `Emitted`; what it emits itself reaches no listener.
        on_error: gets the first exception of the listener; later ones pass in silence, and none reaches the emitter.

    Returns:
        A function that takes the listener away.
    """
    global _listeners
    entry = (listener, _once(on_error))
    with _registration:
        _listeners = (*_listeners, entry)

    def remove() -> None:
        global _listeners
        with _registration:
            _listeners = tuple(each for each in _listeners if each is not entry)

    return remove


def emit_event(
    logger: logging.Logger,
    event: TelemetryEvent,
    /,
    *,
    level: int | str = logging.INFO,
    message: str | None = None,
    **payload: Any,
) -> None:
    """Emit an event: validated always, logged at an enabled level with the context merged under its own fields.

    Args:
        logger: whose handlers get the record.
        event: the definition.
        level: a number or a name of `logging`. An event that declares a field `level` gets the name in its payload.
        message: one line for people; the event's description by default.
        **payload: the event's fields.

    Raises:
        MissingFieldsError, UnexpectedFieldError, FieldTypeError: the payload does not fit the event (ValueErrors).
        EventError: an unknown level (a ValueError).
    """
    number = level if type(level) is int else _level_number(level)
    if "level" in event.types:
        payload["level"] = logging.getLevelName(number)
    event.check(payload)
    if not logger.isEnabledFor(number):
        return
    context = current_context()
    for name, value in context.fields.items():
        payload.setdefault(name, value)
    payload = redact(payload)
    for name in event.sensitive_fields & payload.keys():
        payload[name] = MASK
    text = event.description if message is None else redact(message)
    extra = {"event": event.name, "payload": payload, "run_id": context.run_id, "telemetry_event": event}
    logger.log(number, "%s", text, extra=extra, stacklevel=2)
    if _listeners:
        _tell(Emitted(event, payload, number, text, logger.name, context.run_id))


def _level_number(level: object) -> int:
    if isinstance(level, int) and not isinstance(level, bool):
        return int(level)
    names = logging.getLevelNamesMapping()
    if isinstance(level, str) and level.upper() in names:
        return names[level.upper()]
    raise EventError(f"unknown level {level!r}", hint=f"one of {', '.join(names)}, or a number")


def _tell(emitted: Emitted) -> None:
    # An event that a listener emits is logged but told to nobody: it cannot loop.
    if getattr(_listening, "busy", False):
        return
    _listening.busy = True
    try:
        for listener, on_error in _listeners:
            try:
                listener(emitted)
            except (Exception, SystemExit) as error:
                on_error(error)
    finally:
        _listening.busy = False


def _once(on_error: OnError) -> OnError:
    told = False

    def tell(error: BaseException) -> None:
        nonlocal told
        if not told:
            told = True
            # Reporting may fail, too (a closed stderr); the emitter has nothing to do with it.
            with contextlib.suppress(Exception):
                on_error(error)

    return tell
