"""Three functions of each event, compiled from generated source on first need.

`check` validates a payload, `render` validates it and writes it as JSON, `emit` does all that emitting takes, with the
event's fields as its parameters. Whatever surprises them goes the careful way: `explain` raises the precise error or
lets the payload pass, and a record of `logging` is formatted by the book.
"""

from __future__ import annotations

import linecache
import logging
from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hephaestus._json_line import dumps, item, quote
from hephaestus._redact import may_hold_secret
from hephaestus._source import source_of
from hephaestus._validation import explain
from hephaestus.emit import deliver, level_number

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent

__all__ = ["compile_part", "compiled_source"]

_MISSING = object()

# What generated code may name, behind a `_`.
_NAMES: dict[str, object] = {
    # Longer numbers are written in another way; see `jsonable`.
    "LEAST": -(1 << 2048),
    "MOST": 1 << 2048,
    "MISSING": _MISSING,
    "KeyError": KeyError,
    "PathLike": PathLike,
    "PlainPath": type(Path()),
    "TypeError": TypeError,
    "ValueError": ValueError,
    "bool": bool,
    "deliver": deliver,
    "dict": dict,
    "dumps": dumps,
    "explain": explain,
    "false": "false",
    "float": float,
    "int": int,
    "isinstance": isinstance,
    "item": item,
    "len": len,
    "list": list,
    "may_hold_secret": may_hold_secret,
    "quote": quote,
    "str": str,
    "true": "true",
    "tuple": tuple,
    "type": type,
}


def compiled_source(event: TelemetryEvent, part: str) -> str:
    """Return the source of one of an event's functions (see `hephaestus._source.PARTS`) as it is compiled here."""
    return source_of(event, part, by_orjson=dumps is not None)


def compile_part(event: TelemetryEvent, part: str) -> Callable[..., Any]:
    """Compile one of an event's functions; tracebacks and debuggers show its source."""
    source = compiled_source(event, part)
    filename = f"<{part} of {event.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {f"_{name}": value for name, value in _NAMES.items()}
    namespace |= {f"_{name}_type": declared for name, declared in event.types.items()}
    namespace |= {"_event": event, "_again": partial(_emit_with_care, event)}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102
    function: Callable[..., Any] = namespace[part]
    return function


def _emit_with_care(
    event: TelemetryEvent,
    logger: logging.Logger,
    level: int | str,
    message: str | None,
    given: dict[str, Any],
    more: dict[str, Any],
) -> None:
    """Emit what an event's own `emit` did not expect: raise the precise error, or let the values pass."""
    payload = {name: value for name, value in given.items() if value is not _MISSING} | more
    number = level_number(level)
    if event.declares_level:
        payload["level"] = logging.getLevelName(number)
    event.check(payload)
    if logger.isEnabledFor(number):
        deliver(logger, event, number, message, payload, None, depth=1)
