"""Logging of events: the set-up of where lines go, and in which format.

Both formats serve events and plain `logging` records alike, so a program's whole log has one format.
"""

from __future__ import annotations

import logging
import os
from typing import IO, Literal

from hephaestus._emitted import Emitted
from hephaestus._formatters import JsonFormatter, TextFormatter
from hephaestus._handlers import ConsoleHandler, EventFileHandler
from hephaestus.context import check_run_id, generate_run_id, run_from_environment, set_run
from hephaestus.emit import level_number
from hephaestus.errors import EventError, UsageError

__all__ = ["EventFileHandler", "JsonFormatter", "LogFormat", "TextFormatter", "configure_logging", "parse_level"]

LogFormat = Literal["text", "json"]


def parse_level(level: int | str) -> int:
    """Return the number of a level given by number or name, any case.

    Raises:
        UsageError: an unknown name.
    """
    try:
        return level_number(level)
    except EventError as error:
        raise UsageError(f"unknown log level {level!r}", hint=error.hint) from None


def _is_plain(record: logging.LogRecord) -> bool:
    return not isinstance(record.__dict__.get("emitted"), Emitted)


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
    console_handler = ConsoleHandler(stream)
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
