"""The text and the JSON format: a record of `logging`, whether of an event or of any other library, as one line.

Slow and obvious on purpose: what `hephaestus._json_line` writes in less time is the same to the byte.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from hephaestus._emitted import Emitted
from hephaestus._json_line import timestamp
from hephaestus._jsonable import jsonable, printable
from hephaestus._redact import redact, redact_text
from hephaestus.context import current_context

__all__ = ["JsonFormatter", "TextFormatter", "escaped", "pair"]

# The attributes that every record has; the others are the caller's `extra`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_BARE = re.compile(r"[^\s\"'=]+")


class _Line:
    """What a record has to say, the same for both formats."""

    __slots__ = ("event", "message", "payload", "run_id", "trace")

    def __init__(self, record: logging.LogRecord) -> None:
        emitted = record.__dict__.get("emitted")
        if isinstance(emitted, Emitted):
            self.event: str | None = emitted.event.name
            self.message: str = record.getMessage()
            self.payload: Mapping[str, Any] = emitted.payload
            self.run_id: str | None = emitted.run_id
        else:
            context = current_context()
            extra = {name: value for name, value in record.__dict__.items() if name not in _OWN}
            self.event = None
            self.message = redact_text(_message_of(record))
            self.payload = redact({**context.fields, **extra})
            self.run_id = context.run_id
        self.trace = _trace_of(record)


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # A caller's format string and arguments that do not fit: say both, lose nothing.
        return f"{jsonable(record.msg)} {jsonable(record.args)}"


def _trace_of(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append(record.exc_text or logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    return redact_text("\n".join(parts))


class JsonFormatter(logging.Formatter):
    """One JSON object a line.

    Keys in this order: `timestamp` (UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`), `level`, `logger`, `message`, `run_id` (where
    set), `event` (for events), `payload` (fields and context; `extra` of plain records), `exc_info` (where there is).
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a newline."""
        line = _Line(record)
        values: dict[str, Any] = {
            "timestamp": timestamp(int(record.created * 1000)),
            "level": record.levelname,
            "logger": printable(record.name),
            "message": printable(line.message),
        }
        if line.run_id is not None:
            values["run_id"] = line.run_id
        if line.event is not None:
            values["event"] = line.event
        if line.event is not None or line.payload:
            values["payload"] = jsonable(line.payload)
        if line.trace:
            values["exc_info"] = printable(line.trace)
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """One line for people: `LEVEL logger: message | event=… key=value … run_id=…`.

    A value stands bare where that is safe and as a JSON string else; whatever does not print is escaped, so that no
    value can forge a second line. The lines of a traceback follow, indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a newline at its end."""
        line = _Line(record)
        pairs = [] if line.event is None else [f"event={line.event}"]
        pairs += [pair(name, value) for name, value in line.payload.items()]
        if line.run_id is not None and (pairs or line.event):
            pairs.append(pair("run_id", line.run_id))
        text = f"{escaped(record.levelname)} {escaped(record.name)}: {escaped(line.message)}"
        if pairs:
            text += f" | {' '.join(pairs)}"
        for row in line.trace.splitlines():
            text += f"\n    {escaped(row)}"
        return text


def pair(name: object, value: object) -> str:
    """Return a field as `name=value`: what is safe stands bare, all else is JSON."""
    return f"{_bare(str(name))}={_text(value)}"


def _text(value: object) -> str:
    plain = jsonable(value)
    if isinstance(plain, str):
        return _bare(plain)
    return escaped(json.dumps(plain, ensure_ascii=False, separators=(",", ":")), json_text=True)


def _bare(text: str) -> str:
    if text.isprintable() and _BARE.fullmatch(text):
        return text
    return escaped(json.dumps(text, ensure_ascii=False), json_text=True)


def escaped(text: str, *, json_text: bool = False) -> str:
    """Escape whatever does not print: controls, line and paragraph separators, bidirectional overrides, surrogates."""
    if text.isprintable():
        return text
    if json_text:
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
