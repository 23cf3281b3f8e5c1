"""An event's line of the JSON log, put together from pieces of JSON text that are made as rarely as possible.

The same bytes as `JsonFormatter` gives for the event's record. Whatever is the same for all emissions of an event in a
context is kept with the context.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from json.encoder import encode_basestring as quote
from logging import Logger, getLevelName
from time import gmtime, strftime, time
from typing import TYPE_CHECKING, Any, Literal

from hephaestus._jsonable import MOST_BITS, jsonable, printable
from hephaestus._redact import MASK, may_hold_secret, redact, redact_text

if TYPE_CHECKING:
    from hephaestus._formatters import JsonFormatter
    from hephaestus._handlers import EventFileHandler
    from hephaestus.context import Context
    from hephaestus.event import TelemetryEvent

__all__ = [
    "Ends",
    "Written",
    "clock",
    "dumps",
    "dumps_anything",
    "dumps_scalars",
    "ends_of",
    "json_line",
    "timestamp",
    "written",
]

# Values that nobody can change afterwards, so that their JSON may be kept.
_FIXED = (str, int, float, bool, type(None))


def dumps_scalars(fields: Mapping[str, str | int | float]) -> bytes:
    """Return fields whose values are plain scalars as a JSON object in UTF-8, as `orjson.dumps` does.

    Args:
        fields: by names that are identifiers; the floats among them finite.

    Raises:
        ValueError: a lone surrogate, or a number that is written in another way (see `jsonable`).
    """
    text = ""
    for name, value in fields.items():
        if type(value) is str:
            text = f'{text},"{name}":{quote(value)}'
        elif type(value) is int:
            text = f'{text},"{name}":{value}'
        elif type(value) is bool:
            text = f'{text},"{name}":{"true" if value else "false"}'
        else:
            text = f'{text},"{name}":{value!r}'
    # The shortest number that is too long has 617 digits.
    if len(text) > 616 and any(type(value) is int and value.bit_length() > MOST_BITS for value in fields.values()):
        raise ValueError("no decimal number in the log")
    return f"{{{text[1:]}}}".encode()


#: Plain scalars to JSON, by the fastest that there is.
dumps: Callable[[dict[str, Any]], bytes]
try:
    from orjson import dumps
except ImportError:
    dumps = dumps_scalars


def dumps_anything(fields: Mapping[str, Any]) -> bytes:
    """Return fields of any types as a JSON object in UTF-8, with secrets masked."""
    return json.dumps(jsonable(redact(fields)), ensure_ascii=False, separators=(",", ":")).encode()


class Ends:
    """What the lines of an event have in common within a context, as long as logger and level stay the same.

    Attributes:
        logger: the logger.
        level: the level's number.
        level_name: the level's name.
        head: all between the time and the fields.
        tail: all behind the fields; empty where that is not always the same.
        before: what of the head stands before the message.
        after: what of the head stands behind the message.
        file: the handler that the last line went to; False before the first, and where the tail is not always the same.
        formatter: what that handler's lines are formatted by.
    """

    __slots__ = ("after", "before", "file", "formatter", "head", "level", "level_name", "logger", "tail")

    def __init__(self, context: Context, event: TelemetryEvent, logger: Logger, level: int, level_name: str) -> None:
        self.logger = logger
        self.level = level
        self.level_name = level_name
        self.file: EventFileHandler | Literal[False] = False
        self.formatter: JsonFormatter | None = None
        names = f'"level":{quote(printable(level_name))},"logger":{quote(printable(logger.name))}'
        self.before = f'{names},"message":'.encode()
        run = "" if context.run_id is None else f',"run_id":{quote(context.run_id)}'
        self.after = f'{run},"event":"{event.name}","payload":{{'.encode()
        text = quote(printable(redact_text(event.description))).encode()
        self.head = b"".join((self.before, text, self.after))
        # An optional field of the event may stand in for one of the context, or may not.
        fixed = written(context) is not None and context.fields.keys().isdisjoint(event.optional_fields)
        self.tail = _tail(context, event, event.required_fields) if fixed else b""


def ends_of(context: Context, event: TelemetryEvent, logger: Logger, level: int) -> Ends:
    """Return what the lines have in common, kept with the context for the next one."""
    ends = context.ends.get(event.key)
    level_name = getLevelName(level)
    if ends is None or ends.logger is not logger or ends.level_name != level_name:
        ends = context.ends[event.key] = Ends(context, event, logger, level, level_name)
    return ends


def timestamp(milliseconds: int) -> str:
    """Return whole milliseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.mmmZ`, UTC."""
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{fraction:03d}Z"


def json_line(
    ends: Ends,
    event: TelemetryEvent,
    message: str | None,
    context: Context,
    fields: dict[str, Any] | None,
    clean: bool,
) -> bytes:
    """Return the line of one emission in UTF-8, with a newline; empty where the event's record must be formatted.

    Args:
        ends: what it has in common with others.
        event: the definition.
        message: None for the event's description.
        context: what is merged under the fields.
        fields: the event's own, sensitive ones masked; None where they are not known as they are written.
        clean: True where the fields are known to be plain scalars without secrets.
    """
    if fields is None or (message is not None and not _is_plain(message)):
        return b""
    try:
        own = (dumps if clean else dumps_anything)(fields)[1:-1]
    except Exception:  # one that is written in another way
        return b""
    head = ends.head if message is None else b"".join((ends.before, quote(message).encode(), ends.after))
    tail = ends.tail or _tail(context, event, fields)
    begin, end, stamp = clock.last
    now = time()
    if now < begin or now >= end:
        stamp = clock.stamp(now)
    return b"".join((stamp, head, own, tail if own else tail.removeprefix(b",")))


class _Clock:
    """Writes the time.

    Attributes:
        last: the millisecond that was written last: when it began and when it ended, in seconds since 1970, and its
            text. A busy program emits many events within one.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = (0.0, 0.0, b"")

    def stamp(self, now: float) -> bytes:
        """The beginning of a line that is written at `now`, in seconds since 1970."""
        milliseconds = int(now * 1000)
        text = f'{{"timestamp":"{timestamp(milliseconds)}",'.encode()
        # One assignment of a tuple: another thread sees the old one or the new one.
        self.last = (milliseconds / 1000, (milliseconds + 1) / 1000, text)
        return text


clock = _Clock()


class Written:
    """A context's fields as they are written, kept with it where they cannot change.

    Attributes:
        fields: with secrets masked.
        items: as JSON, each behind a comma.
    """

    __slots__ = ("fields", "items")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self.items = _items(fields)


def written(context: Context) -> Written | None:
    """Return a context's fields as they are written; None where a value may change between two emissions."""
    if context.written is None and all(type(value) in _FIXED for value in context.fields.values()):
        clean = redact(context.fields)
        if clean.keys() == context.fields.keys():
            context.written = Written(clean)
    return context.written


def _is_plain(message: object) -> bool:
    """Say whether a message is written as it is: it holds no secret and no lone surrogate."""
    return type(message) is str and not may_hold_secret(message) and printable(message) == message


def _tail(context: Context, event: TelemetryEvent, own: Collection[str]) -> bytes:
    """What stands behind the fields: the context's, each behind a comma, without those that the event has itself."""
    kept = written(context)
    items = _items(context.fields) if kept is None else kept.items
    masked = event.sensitive_fields
    mask = quote(MASK)
    parts = [
        f",{quote(name)}:{mask}".encode() if name in masked else text for name, text in items.items() if name not in own
    ]
    return b"".join((*parts, b"}}\n"))


def _items(fields: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: b"," + dumps_anything({name: value})[1:-1] for name, value in fields.items()}
