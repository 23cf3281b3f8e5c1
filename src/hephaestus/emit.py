"""Emitting: validate the payload, merge the context under it, hand the event to logging and to listeners."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hephaestus._emitted import Emitted
from hephaestus._formatters import JsonFormatter
from hephaestus._handlers import LINE_HANDLERS
from hephaestus._json_line import is_plain, json_line
from hephaestus._redact import MASK, redact
from hephaestus.context import current, current_context
from hephaestus.errors import EventError

if TYPE_CHECKING:
    from hephaestus.context import Context
    from hephaestus.event import TelemetryEvent

__all__ = ["Emitted", "add_listener", "deliver", "emit_event", "level_number"]

Listener = Callable[[Emitted], None]
OnError = Callable[[BaseException], None]

# Replaced as a whole, never changed in place: emitting reads it without a lock.
_listeners: tuple[tuple[Listener, OnError], ...] = ()
_registration = threading.Lock()
_listening = threading.local()

# Whoever derives from Logger may have changed any of its methods, so all of them are called.
_PLAIN_LOGGERS = (logging.Logger, logging.RootLogger)


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
    """Emit an event.

    The payload is validated first, even where the level is off. Fields of the context are merged under it.

    Args:
        logger: whose level and handlers apply.
        event: the definition.
        level: a level's number or name; an event that declares a field `level` gets the level's name in its payload.
        message: one line for people; the event's description by default.
        **payload: the event's fields.

    Raises:
        MissingFieldsError, UnexpectedFieldError, FieldTypeError: the payload does not fit the event (ValueErrors).
        EventError: an unknown level (a ValueError).
    """
    if type(level) is not int or event.declares_level:
        level = level_number(level)
        if event.declares_level:
            payload["level"] = logging.getLevelName(level)
    if not logger.isEnabledFor(level):
        event.check(payload)
        return
    fields = event.render(payload)
    if fields is None:
        event.check(payload)
    deliver(logger, event, level, message, payload, fields)


def level_number(level: object) -> int:
    """Return the number of a level given by number or name, any case.

    Raises:
        EventError: an unknown level (a ValueError).
    """
    if isinstance(level, int) and not isinstance(level, bool):
        return int(level)
    names = logging.getLevelNamesMapping()
    if isinstance(level, str) and level.upper() in names:
        return names[level.upper()]
    raise EventError(f"unknown level {level!r}", hint=f"one of {', '.join(names)}, or a number")


def deliver(
    logger: logging.Logger,
    event: TelemetryEvent,
    level: int,
    message: str | None,
    payload: dict[str, Any],
    fields: bytes | None,
    depth: int = 0,
) -> None:
    """Hand a validated event to the handlers, as `logging` would, and to the listeners.

    Handlers of our own that write JSON get the line itself; all others, and filters and loggers that somebody else has
    a say in, get one record of `logging`, made on first need.

    Args:
        logger: its level is enabled.
        event: the definition.
        level: the level's number.
        message: one line for people, or None for the event's description.
        payload: the event's own fields.
        fields: the same as JSON; None where that is to be found out with care.
        depth: how many calls lie between the one that is to be named as the emitter and this one's caller.
    """
    context = current.get() or current_context()
    record = line = None
    if type(logger) not in _PLAIN_LOGGERS or logger.filters:
        emitted = _emitted(logger, event, level, message, payload, context)
        logger.log(level, "%s", emitted.message, extra=_extra(emitted), stacklevel=3 + depth)
        _tell(emitted)
        return
    if message is not None and (type(message) is not str or not is_plain(message)):
        fields = None
    node: logging.Logger | None = logger
    while node is not None:  # as Logger.callHandlers does
        for handler in node.handlers:
            if level < handler.level:
                continue
            if (
                fields is not None
                and type(handler) in LINE_HANDLERS
                and type(handler.formatter) is JsonFormatter
                and not handler.filters
            ):
                if line is None:
                    line = json_line(logger.name, event, level, message, context, payload, fields)
                try:
                    handler.write_line(line)  # type: ignore[attr-defined]  # one of LINE_HANDLERS
                except Exception:
                    record = record or _record(logger, event, level, message, payload, context, depth)
                    handler.handleError(record)
            else:
                record = record or _record(logger, event, level, message, payload, context, depth)
                handler.handle(record)
        node = node.parent if node.propagate else None
    if line is None and record is None and not logger.hasHandlers():  # the last resort of `logging`
        record = _record(logger, event, level, message, payload, context, depth)
        logger.callHandlers(record)
    if _listeners:
        made = None if record is None else record.__dict__["emitted"]
        _tell(made or _emitted(logger, event, level, message, payload, context))


def _emitted(
    logger: logging.Logger,
    event: TelemetryEvent,
    level: int,
    message: str | None,
    payload: dict[str, Any],
    context: Context,
) -> Emitted:
    """The emission as others see it: own fields in the definition's order, then the context's, secrets masked."""
    merged = {name: payload[name] for name in event.types if name in payload}
    for name, value in context.fields.items():
        merged.setdefault(name, value)
    merged = redact(merged)
    for name in event.sensitive_fields & merged.keys():
        merged[name] = MASK
    text = redact(event.description if message is None else message)
    return Emitted(event, merged, level, text, logger.name, context.run_id)


def _extra(emitted: Emitted) -> dict[str, Any]:
    return {
        "event": emitted.event.name,
        "payload": emitted.payload,
        "run_id": emitted.run_id,
        "emitted": emitted,
    }


def _record(
    logger: logging.Logger,
    event: TelemetryEvent,
    level: int,
    message: str | None,
    payload: dict[str, Any],
    context: Context,
    depth: int,
) -> logging.LogRecord:
    """The record that `logger.log` would have made, in the name of whoever emitted."""
    emitted = _emitted(logger, event, level, message, payload, context)
    caller = sys._getframe(3 + depth)
    file, function = caller.f_code.co_filename, caller.f_code.co_name
    record = logger.makeRecord(logger.name, level, file, caller.f_lineno, "%s", (emitted.message,), None, function)
    record.__dict__.update(_extra(emitted))
    return record


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
