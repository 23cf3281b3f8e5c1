"""Logging of events: the text and the JSON format, and the set-up of where lines go.

Both formatters serve events and plain `logging` records alike, so a program's whole log has one format.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

from hephaestus._jsonable import jsonable, printable
from hephaestus._redact import redact, redact_text
from hephaestus.context import check_run_id, current_context, generate_run_id, run_from_environment, set_run
from hephaestus.errors import UsageError
from hephaestus.event import TelemetryEvent

__all__ = ["EventFileHandler", "JsonFormatter", "LogFormat", "TextFormatter", "configure_logging", "parse_level"]

LogFormat = Literal["text", "json"]

# The attributes that every record has; the others are the caller's `extra`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_BARE = re.compile(r"[^\s\"'=]+")


class _Line:
    """What a record has to say, the same for both formats."""

    __slots__ = ("event", "message", "payload", "run_id", "trace")

    def __init__(self, record: logging.LogRecord) -> None:
        event = record.__dict__.get("telemetry_event")
        if isinstance(event, TelemetryEvent):
            self.event: str | None = event.name
            self.message: str = record.getMessage()
            self.payload: Mapping[str, Any] = record.__dict__["payload"]
            self.run_id: str | None = record.__dict__["run_id"]
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
            "timestamp": _timestamp(record.created),
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
        pairs += [f"{_bare(str(name))}={_text(value)}" for name, value in line.payload.items()]
        if line.run_id is not None and (pairs or line.event):
            pairs.append(f"run_id={_text(line.run_id)}")
        text = f"{_escape(record.levelname)} {_escape(record.name)}: {_escape(line.message)}"
        if pairs:
            text += f" | {' '.join(pairs)}"
        for row in line.trace.splitlines():
            text += f"\n    {_escape(row)}"
        return text


def _timestamp(created: float) -> str:
    seconds, fraction = divmod(created, 1)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(fraction * 1000):03d}Z"


def _text(value: object) -> str:
    plain = jsonable(value)
    if isinstance(plain, str):
        return _bare(plain)
    return _escape(json.dumps(plain, ensure_ascii=False, separators=(",", ":")), json_text=True)


def _bare(text: str) -> str:
    if text.isprintable() and _BARE.fullmatch(text):
        return text
    return _escape(json.dumps(text, ensure_ascii=False), json_text=True)


def _escape(text: str, *, json_text: bool = False) -> str:
    """Escape whatever does not print: controls, line and paragraph separators, bidirectional overrides, surrogates."""
    if text.isprintable():
        return text
    if json_text:
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class EventFileHandler(logging.Handler):
    """Appends one line a record to a file that other processes may share.

    The file is opened O_APPEND and each line is one `write`, so lines of several processes never mix.

    Args:
        path: the file; made when it does not exist, in a folder that must.

    Raises:
        UsageError: the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = Path(path)
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot open the log file {str(path)!r}: {reason}", hint="name a file in an existing, writable folder"
            ) from error

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's line."""
        try:
            line = memoryview(f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
            while line:
                line = line[os.write(self._descriptor, line) :]
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        super().close()
        descriptor, self._descriptor = getattr(self, "_descriptor", -1), -1
        if descriptor >= 0:
            os.close(descriptor)


class _ConsoleHandler(logging.StreamHandler[IO[str]]):
    """Writes to what is `sys.stderr` at that moment, unless a stream was given; a reader that has gone is no error."""

    def __init__(self, stream: IO[str] | None) -> None:
        super().__init__(stream if stream is not None else sys.stderr)
        self._fixed = stream is not None

    def emit(self, record: logging.LogRecord) -> None:
        if not self._fixed:
            self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], BrokenPipeError):
            super().handleError(record)


def parse_level(level: int | str) -> int:
    """Return the number of a level given by number or name, any case.

    Raises:
        UsageError: an unknown name.
    """
    if isinstance(level, int):
        return level
    names = logging.getLevelNamesMapping()
    if level.upper() in names:
        return names[level.upper()]
    raise UsageError(f"unknown log level {level!r}", hint="one of DEBUG, INFO, WARNING, ERROR, CRITICAL")


def _is_plain(record: logging.LogRecord) -> bool:
    return not isinstance(record.__dict__.get("telemetry_event"), TelemetryEvent)


_installed: list[logging.Handler] = []


def configure_logging(
    *,
    level: int | str = logging.INFO,
    log_format: LogFormat = "text",
    log_file: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    stream: IO[str] | None = None,
    console: bool = True,
) -> None:
    """Send events and plain records of the whole process to stderr and, where asked, to a file.

    Calling it again replaces what the last call set up, and leaves handlers of others alone.

    Args:
        level: the lowest level that is logged, number or name.
        log_format: `text` or `json`, for the console; the file always gets JSON lines.
        log_file: a file that JSON lines are appended to.
        run_id: the run; by default the parent process's, from the environment, else a new one.
        stream: where console lines go; whatever `sys.stderr` is at that moment by default.
        console: False keeps events off the console, because something else tells a person of them; what other
            libraries warn of is still shown.

    Raises:
        UsageError: an unknown format or level, or a file that cannot be opened; nothing is changed then.
        EventError: a malformed run id; nothing is changed then.
    """
    number = parse_level(level)
    if log_format not in ("text", "json"):
        raise UsageError(f"unknown log format {log_format!r}", hint="one of text, json")
    inherited, parent_operation_id = run_from_environment()
    run_id = check_run_id(run_id or inherited or generate_run_id())
    handlers: list[logging.Handler] = []
    if log_file is not None:
        file_handler = EventFileHandler(log_file)
        file_handler.setFormatter(JsonFormatter())
        handlers.append(file_handler)
    console_handler = _ConsoleHandler(stream)
    console_handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    if not console:
        console_handler.setLevel(logging.WARNING)
        console_handler.addFilter(_is_plain)
    handlers.append(console_handler)
    set_run(run_id, parent_operation_id=parent_operation_id)
    root = logging.getLogger()
    while _installed:
        handler = _installed.pop()
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    _installed.extend(handlers)
    root.setLevel(number)
