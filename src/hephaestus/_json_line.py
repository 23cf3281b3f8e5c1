"""An event's line of the JSON log, put together from pieces of JSON text that are made as rarely as possible.

The same bytes as `JsonFormatter` gives for the event's record. What is the same for all events of a context is kept
with the context, what is the same for all emissions of an event with the event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as quote
from logging import getLevelName
from time import gmtime, strftime, time_ns
from typing import TYPE_CHECKING, Any

from hephaestus._jsonable import jsonable, printable
from hephaestus._redact import MASK, may_hold_secret, redact, redact_text

dumps: Callable[[dict[str, Any]], bytes] | None
try:
    from orjson import dumps
except ImportError:
    dumps = None

if TYPE_CHECKING:
    from hephaestus.context import Context
    from hephaestus.event import TelemetryEvent

__all__ = ["dumps", "is_plain", "item", "json_line", "quote", "timestamp"]

# Values that nobody can change afterwards, so that their JSON may be kept.
_FIXED = (str, int, float, bool, type(None))
_MOST_HEADS = 64

#: What stands before the message, the event's description as the message, and what stands after it up to the fields.
Head = tuple[bytes, bytes, bytes]

# The millisecond that was written last, and its text: a busy program emits many events within one.
_last = (-1, b"")


def timestamp(milliseconds: int) -> str:
    """Return whole milliseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.mmmZ`, UTC."""
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{fraction:03d}Z"


def is_plain(text: str) -> bool:
    """Say whether `text` is written as it is: it holds no secret and no lone surrogate."""
    return not may_hold_secret(text) and printable(text) == text


def item(name: str, value: object) -> str:
    """Return `"name":value` with secrets masked, for a value of any type."""
    return json.dumps(jsonable(redact({name: value})), ensure_ascii=False, separators=(",", ":"))[1:-1]


def json_line(
    logger: str,
    event: TelemetryEvent,
    level: int,
    message: str | None,
    context: Context,
    payload: Mapping[str, Any],
    fields: bytes,
) -> bytes:
    """Return the line of one emission in UTF-8, with a newline.

    Args:
        logger: the logger's name.
        event: the definition.
        level: the level's number.
        message: plain; None for the event's description.
        context: what is merged under the payload.
        payload: the event's own fields; only their names are looked at.
        fields: the same as JSON, `"name":value` separated by commas.
    """
    global _last
    key = (getLevelName(level), logger, context.run_id)
    before, text, after = event.heads.get(key) or _head(event, *key)
    if message is not None:
        text = quote(message).encode()
    kept = context.kept or _keep(context)
    if kept is not None and kept.names.isdisjoint(event.names):
        more = kept.json
    else:
        more = _context_json(context, event, payload)
    milliseconds = time_ns() // 1_000_000
    last, stamp = _last
    if last != milliseconds:
        stamp = f'{{"timestamp":"{timestamp(milliseconds)}",'.encode()
        # One assignment of a pair: another thread sees the old one or the new one.
        _last = (milliseconds, stamp)
    return b"".join((stamp, before, text, after, fields, more if fields else more[1:], b"}}\n"))


def _head(event: TelemetryEvent, level: str, logger: str, run_id: str | None) -> Head:
    """What stands between the time and the fields; kept, as nearly all emissions of an event have the same."""
    run = "" if run_id is None else f',"run_id":{quote(run_id)}'
    head = (
        f'"level":{quote(printable(level))},"logger":{quote(printable(logger))},"message":'.encode(),
        quote(printable(redact_text(event.description))).encode(),
        f'{run},"event":"{event.name}","payload":{{'.encode(),
    )
    if len(event.heads) < _MOST_HEADS:
        event.heads[level, logger, run_id] = head
    return head


class Kept:
    """The fields of a context as JSON, each behind a comma.

    Attributes:
        items: one by one.
        json: all of them.
        names: of the fields.
    """

    __slots__ = ("items", "json", "names")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.items = _items(fields)
        self.json = "".join(self.items.values()).encode()
        self.names = frozenset(fields)


def _keep(context: Context) -> Kept | None:
    """Keep a context's fields as JSON, but where a field's value may change between two emissions."""
    if all(type(value) in _FIXED for value in context.fields.values()):
        context.kept = Kept(context.fields)
    return context.kept


def _items(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: f",{item(name, value)}" for name, value in fields.items()}


def _context_json(context: Context, event: TelemetryEvent, payload: Mapping[str, Any]) -> bytes:
    """The context's fields, each behind a comma, without those that the payload has itself."""
    items = _items(context.fields) if context.kept is None else context.kept.items
    masked = event.sensitive_fields
    return "".join(
        f",{quote(name)}:{quote(MASK)}" if name in masked else text
        for name, text in items.items()
        if name not in payload
    ).encode()
