"""One event to one JSON line: validated and correlated by us, beside peers that mostly do neither.

The floor is what no Python program can do without: `orjson.dumps` of a dict that is ready, and one `write`. Every
contender has a process of its own, and the configuration that its own documentation gives for speed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import _event
from benchmarks._calls import Call, Processes
from benchmarks._event import ARGUMENTS, CONTEXT, FIELDS, LOGGER, MESSAGE, NAME, RUN_ID
from benchmarks._measure import Comparison, Target, compare

QUICK = ("--rounds", "2")

_STRUCTLOG, _FLOOR = "structlog + orjson", "floor: orjson.dumps + write"
_CONTENDERS = {
    _FLOOR: "floor",
    "emit_event": "ours",
    "EVENT.emit": "own_emit",
    "emit_event, without orjson": "ours_without_orjson",
    "emit_event, with a message": "ours_with_message",
    "emit_event, with a user's handler": "ours_with_a_users_handler",
    _STRUCTLOG: "by_structlog",
    "logging + an orjson formatter": "by_logging",
    "python-json-logger": "by_json_logger",
    "eliot": "by_eliot",
    "loguru, serialize=True": "by_loguru",
    "jupyter_events": "by_jupyter_events",
}
_DISABLED = {"emit_event": "ours_disabled", "EVENT.emit": "own_emit_disabled", _STRUCTLOG: "by_structlog_disabled"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The benchmark's options."""
    parser.add_argument("--rounds", type=int, default=31)


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Measure to the null device, to a file, and at a level that is off."""
    with tempfile.TemporaryDirectory() as scratch, Processes() as processes:
        for title, places in (
            ("one event to /dev/null", dict.fromkeys(_CONTENDERS, os.devnull)),
            ("one event to a file", {name: f"{scratch}/{number}" for number, name in enumerate(_CONTENDERS)}),
        ):
            to_file = title.endswith("file")
            targets = [
                Target("emit_event", _STRUCTLOG, 0.38 if to_file else 0.33),
                Target("emit_event", _FLOOR, 2.3 if to_file else 4.2),
                Target("emit_event, with a user's handler", _STRUCTLOG, 0.9),
            ]
            if not to_file:  # writing to one takes most of it
                targets.append(Target("EVENT.emit", _STRUCTLOG, 0.27))
            yield compare(
                title,
                [processes.call(name, f"benchmarks.emit:{_CONTENDERS[name]}", where) for name, where in places.items()],
                rounds=options.rounds,
                bases=[_STRUCTLOG, _FLOOR],
                targets=targets,
            )
        yield compare(
            "one event at a level that is off (ours validates, structlog does nothing)",
            [processes.call(name, f"benchmarks.emit:{target}") for name, target in _DISABLED.items()],
            rounds=options.rounds,
            bases=[_STRUCTLOG],
            targets=[Target("emit_event", _STRUCTLOG, 2.7)],
        )


# ---- ours ------------------------------------------------------------------------------------------------------------


def ours(place: str, arguments: str = ARGUMENTS) -> Call:
    """`emit_event` under `configure_logging`, with the context of a download."""
    from hephaestus.logging import configure_logging
    from hephaestus.telemetry import emit_event, operation_context
    from hephaestus_release.events import RELEASE_HTTP_RETRY

    configure_logging(log_file=place or None, console=False, run_id=RUN_ID)
    fields = {name: value for name, value in CONTEXT.items() if name not in ("operation", "operation_id")}
    operation_context(CONTEXT["operation"], operation_id=CONTEXT["operation_id"], **fields).__enter__()
    names = {"emit_event": emit_event, "logger": logging.getLogger(LOGGER), "EVENT": RELEASE_HTTP_RETRY}
    return Call(f"emit_event(logger, EVENT, {arguments})", names)


def own_emit(place: str) -> Call:
    """The event's own `emit`, under the same."""
    return Call(f"EVENT.emit(logger, {ARGUMENTS})", ours(place).names)


def ours_without_orjson(place: str) -> Call:
    """`emit_event` where orjson is not installed."""
    sys.modules["orjson"] = None  # type: ignore[assignment]
    return ours(place)


def ours_with_message(place: str) -> Call:
    """`emit_event` with a message of the caller's."""
    return ours(place, f"message={MESSAGE!r}, {ARGUMENTS}")


class UsersHandler(logging.Handler):
    """A handler of somebody else's, which has no time to lose."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record."""


def ours_with_a_users_handler(place: str) -> Call:
    """`emit_event` with somebody else's handler instead of the file, which gets a record of `logging`."""
    call = ours("")
    logging.getLogger().addHandler(UsersHandler())
    return call


def ours_disabled() -> Call:
    """`emit_event` at a level that is off."""
    return ours("", f"level={logging.DEBUG}, {ARGUMENTS}")


def own_emit_disabled() -> Call:
    """The event's own `emit` at a level that is off."""
    return Call(f"EVENT.emit(logger, level={logging.DEBUG}, {ARGUMENTS})", ours("").names)


# ---- the floor and the peers -----------------------------------------------------------------------------------------


def floor(place: str) -> Call:
    """What it costs at the least: a dict that is ready, encoded and written."""
    from orjson import dumps

    descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    names = {"write": os.write, "descriptor": descriptor, "dumps": dumps, "document": _event.document()}
    return Call("write(descriptor, dumps(document) + b'\\n')", names)


def by_structlog(place: str, method: str = "info") -> Call:
    """structlog as its page on performance says: a filtering logger, orjson, bytes, cached on first use."""
    import orjson
    import structlog

    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=open(place, "ab", buffering=0)),  # noqa: SIM115
    )
    structlog.contextvars.bind_contextvars(run_id=RUN_ID, **CONTEXT)
    logger = structlog.get_logger(logger_name=LOGGER, event_name=NAME)
    return Call(f"logger.{method}({MESSAGE!r}, {ARGUMENTS})", {"logger": logger.bind()})


def by_structlog_disabled() -> Call:
    """structlog at a level that is off."""
    return by_structlog(os.devnull, "debug")


def by_logging(place: str) -> Call:
    """`logging` with a formatter that builds the line's dict and has orjson write it."""
    from orjson import dumps

    class Formatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            payload = {**record.__dict__["payload"], **CONTEXT}
            return dumps({**_event.document(), "level": record.levelname, "payload": payload}).decode()

    logger = _logger(_stream_handler(place, Formatter()))
    return Call(f"logger.info({MESSAGE!r}, extra={{'payload': FIELDS}})", {"logger": logger, "FIELDS": FIELDS})


def by_json_logger(place: str) -> Call:
    """python-json-logger's formatter, with the context in `extra`."""
    from pythonjsonlogger.json import JsonFormatter

    logger = _logger(_stream_handler(place, JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")))
    extra = {**FIELDS, **CONTEXT, "run_id": RUN_ID, "event": NAME}
    return Call(f"logger.info({MESSAGE!r}, extra=EXTRA)", {"logger": logger, "EXTRA": extra})


def by_eliot(place: str) -> Call:
    """eliot's untyped messages."""
    import eliot

    eliot.to_file(open(place, "ab", buffering=0))  # noqa: SIM115
    names = {"log_message": eliot.log_message, "CONTEXT": {**CONTEXT, "run_id": RUN_ID}}
    return Call(f"log_message({NAME!r}, {ARGUMENTS}, **CONTEXT)", names)


def by_loguru(place: str) -> Call:
    """loguru's JSON, with the context bound."""
    from loguru import logger

    logger.remove()
    logger.add(place, serialize=True, format="{message}")
    names = {"logger": logger.bind(run_id=RUN_ID, **CONTEXT)}
    return Call(f"logger.info({MESSAGE!r}, {ARGUMENTS})", names)


def by_jupyter_events(place: str) -> Call:
    """jupyter_events: validated against a JSON Schema."""
    from jupyter_events import EventLogger

    kinds = {str: "string", int: "integer"}
    everything = {**FIELDS, **CONTEXT, "run_id": RUN_ID}
    schema = {
        "$id": "https://host.example/release/http-retry",
        "version": "1",
        "title": NAME,
        "personal-data": False,
        "type": "object",
        "properties": {name: {"type": kinds[type(value)], "title": name} for name, value in everything.items()},
        "required": list(FIELDS),
    }
    events = EventLogger(handlers=[logging.FileHandler(place)])
    events.register_event_schema(schema)
    names = {"events": events, "schema": schema["$id"], "data": everything}
    return Call("events.emit(schema_id=schema, data=data)", names)


def _stream_handler(place: str, formatter: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler(Path(place).open("a"))  # noqa: SIM115
    handler.setFormatter(formatter)
    return handler


def _logger(handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger
