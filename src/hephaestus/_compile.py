"""Three functions of each event, compiled from generated source on first need.

`check` validates a payload, `emit_payload` does all that emitting one takes, and `emit` does the same with the event's
fields as its parameters. Whatever surprises them goes the careful way: `explain` raises the precise error or lets the
payload pass, and a record of `logging` is formatted by the book.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Callable
from functools import partial
from logging import Logger, _levelToName, getLevelName
from os import PathLike
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from hephaestus._json_line import clock, dumps, dumps_anything
from hephaestus._redact import may_hold_secret
from hephaestus._source import source_of
from hephaestus._validation import explain
from hephaestus.context import current, current_context
from hephaestus.emit import deliver, level_number, listeners

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent

__all__ = ["compile_part"]

_MISSING = object()

# What generated code may name, behind a `_`.
_NAMES: dict[str, object] = {
    "INSIDE": slice(1, -1),
    "KeyError": KeyError,
    "OSError": OSError,
    "MISSING": _MISSING,
    "PathLike": PathLike,
    "PlainPath": type(Path()),
    "TypeError": TypeError,
    "ValueError": ValueError,
    "bool": bool,
    "clock": clock,
    "context": current.get,
    "current_context": current_context,
    "deliver": deliver,
    "dict": dict,
    "dumps": dumps,
    "dumps_anything": dumps_anything,
    "explain": explain,
    "float": float,
    "int": int,
    "isinstance": isinstance,
    "join": b"".join,
    "len": len,
    "level_names": _levelToName,
    "level_number": level_number,
    "list": list,
    "listeners": listeners,
    "may_hold_secret": may_hold_secret,
    "str": str,
    "time": time,
    "tuple": tuple,
    "type": type,
    "write": os.write,
}


def compile_part(event: TelemetryEvent, part: str) -> Callable[..., Any]:
    """Compile one of an event's functions; tracebacks and debuggers show its source."""
    source = source_of(event, part)
    filename = f"<{part} of {event.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": __name__} | {f"_{name}": value for name, value in _NAMES.items()}
    namespace |= {f"_{name}_type": declared for name, declared in event.types.items()}
    namespace |= {"_event": event, "_key": event.key, "_again": partial(_emit_with_care, event)}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102
    function: Callable[..., Any] = namespace[part]
    return function


def _emit_with_care(
    event: TelemetryEvent,
    logger: Logger,
    level: int | str,
    message: str | None,
    given: dict[str, Any],
    more: dict[str, Any] | None = None,
) -> None:
    """Emit what generated code did not expect: raise the precise error, or let the values pass."""
    payload = {name: value for name, value in given.items() if value is not _MISSING} | (more or {})
    number = level_number(level)
    if "level" in event.types:
        payload["level"] = getLevelName(number)
    event.check(payload)
    if logger.isEnabledFor(number):
        deliver(logger, event, number, message, payload, None, False)
