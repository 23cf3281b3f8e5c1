"""Emitting: validate the payload, merge the context under it, hand the event to logging and to listeners."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from hephaestus._emitted import Emitted
from hephaestus._formatters import JsonFormatter
from hephaestus._handlers import LINE_HANDLERS, EventFileHandler
from hephaestus._json_line import ends_of, json_line, written
from hephaestus._redact import MASK, redact, redact_text
from hephaestus.context import current, current_context
from hephaestus.errors import EventError

if TYPE_CHECKING:
    from types import FrameType

    from hephaestus.context import Context
    from hephaestus.event import TelemetryEvent

__all__ = ["Emitted", "add_listener", "deliver", "emit_event", "level_number", "listeners"]

Listener = Callable[[Emitted], None]
OnError = Callable[[BaseException], None]

# Emitting reads a copy of it, without a lock.
listeners: list[tuple[Listener, OnError]] = []
_listening = threading.local()

# Modules whose frames lie between whoever emits and `logging`.
_EMITTING = frozenset({"hephaestus.emit", "hephaestus.event", "hephaestus._compile"})
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
    entry = (listener, _once(on_error))
    listeners.append(entry)

    def remove() -> None:
        with contextlib.suppress(ValueError):
            listeners.remove(entry)

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
    event.emit_payload(logger, level, message, payload)


def level_number(level: object) -> int:
    """Return the number of a level given by number or name, any case.

    Raises:
        EventError: an unknown level (a ValueError).
    """
    if isinstance(level, int) and not isinstance(level, bool):
        return int(level)
    names = logging.getLevelNamesMapping()
    if isinstance(level, str):
        for name in (level, level.upper()):
            if name in names:
                return names[name]
    # Whatever `logging` said of it before says less.
    raise EventError(f"unknown level {level!r}", hint=f"one of {', '.join(names)}, or a number") from None


def deliver(
    logger: logging.Logger,
    event: TelemetryEvent,
    level: int | str,
    message: str | None,
    payload: dict[str, Any],
    fields: dict[str, Any] | None,
    clean: bool,
) -> None:
    """Hand a validated event to the handlers, as `logging` would, and to the listeners.

    Handlers of our own that write JSON get the line itself; all others, and filters and loggers that somebody else has
    a say in, get one record of `logging`, made on first need.

    Args:
        logger: its level is enabled.
        event: the definition.
        level: the level's number or name.
        message: one line for people, or None for the event's description.
        payload: the event's own fields; not changed.
        fields: the same as they are written; None where that is to be found out with care.
        clean: True where the fields are known to be plain scalars without secrets.

    Raises:
        EventError: an unknown level (a ValueError).
    """
    if type(level) is not int:
        level = level_number(level)
    context = current.get() or current_context()
    if type(logger) not in _PLAIN_LOGGERS or logger.filters:
        emitted = _emitted(logger, event, level, message, payload, context, clean)
        logger.log(level, emitted.message, extra=_extra(emitted), stacklevel=_caller()[1])
        _tell(emitted)
        return
    record = line = None
    node: logging.Logger | None = logger
    while node is not None:  # as Logger.callHandlers does
        for handler in node.handlers:
            if level < handler.level:
                continue
            formatter = handler.formatter
            if type(handler) in LINE_HANDLERS and type(formatter) is JsonFormatter and not handler.filters:
                if line is None:
                    ends = ends_of(context, event, logger, level)
                    line = json_line(ends, event, message, context, fields, clean)
                if line:
                    try:
                        handler.write_line(line)  # type: ignore[attr-defined]  # one of LINE_HANDLERS
                    except Exception:
                        record = record or _record(logger, event, level, message, payload, context, clean)
                        handler.handleError(record)
                    if type(handler) is EventFileHandler and ends.tail:
                        ends.file, ends.formatter = handler, formatter
                    continue
            record = record or _record(logger, event, level, message, payload, context, clean)
            handler.handle(record)
        node = node.parent if node.propagate else None
    if not line and record is None and not logger.hasHandlers():  # the last resort of `logging`
        record = _record(logger, event, level, message, payload, context, clean)
        logger.callHandlers(record)
    if listeners:
        made = None if record is None else record.__dict__["emitted"]
        _tell(made or _emitted(logger, event, level, message, payload, context, clean))


def _emitted(
    logger: logging.Logger,
    event: TelemetryEvent,
    level: int,
    message: str | None,
    payload: dict[str, Any],
    context: Context,
    clean: bool,
) -> Emitted:
    """The emission as others see it: the event's own fields, then the context's, secrets masked."""
    known = (context.written or written(context)) if clean else None
    more = context.fields if known is None else known.fields
    merged = {**payload, **more}
    if len(merged) < len(payload) + len(more):
        merged.update(payload)  # an event's own field wins
    for name in event.sensitive_fields:
        if name in merged:
            merged[name] = MASK
    if known is None:
        merged = redact(merged)
    text = _description(event.description) if message is None else redact(message)
    return Emitted(event, merged, level, text, logger.name, context.run_id)


# Descriptions are few, and the same each time.
_description = cache(redact_text)


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
    clean: bool,
) -> logging.LogRecord:
    """The record that `logger.log` would have made, in the name of whoever emitted."""
    emitted = _emitted(logger, event, level, message, payload, context, clean)
    caller, _ = _caller()
    file, function = caller.f_code.co_filename, caller.f_code.co_name
    record = logger.makeRecord(logger.name, level, file, caller.f_lineno, emitted.message, (), None, function)
    fields = record.__dict__  # gets what `_extra` says, one by one, which takes less than half as long
    fields["event"] = event.name
    fields["payload"] = emitted.payload
    fields["run_id"] = emitted.run_id
    fields["emitted"] = emitted
    return record


def _caller() -> tuple[FrameType, int]:
    """Whoever emitted, and how many calls lie between it and the caller of this function, as `logging` counts them."""
    frame, level = sys._getframe(2), 2
    while frame.f_globals.get("__name__") in _EMITTING and frame.f_back is not None:
        frame = frame.f_back
        level += 1
    return frame, level


def _tell(emitted: Emitted) -> None:
    # An event that a listener emits is logged but told to nobody: it cannot loop.
    if getattr(_listening, "busy", False):
        return
    _listening.busy = True
    try:
        for listener, on_error in tuple(listeners):
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
