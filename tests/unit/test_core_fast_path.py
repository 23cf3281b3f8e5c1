"""What the generated code writes is what a formatter writes of the event's record, byte for byte, or nothing at all."""

from __future__ import annotations

import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hephaestus import _compile, _json_line
from hephaestus._handlers import ConsoleHandler
from hephaestus.context import operation_context, set_run
from hephaestus.emit import Emitted, add_listener, emit_event
from hephaestus.errors import EventError
from hephaestus.event import TelemetryEvent
from hephaestus.logging import EventFileHandler, JsonFormatter

NAMES = ["alpha", "beta", "token", "tag", "größe"]
SECRETS = [
    "https://user:hunter2hunter2@host/x",
    "Authorization: Basic aHVudGVyMmh1bnRlcjI=",
    "sent BEARER\thunter2hunter2",
    "ghp_hunter2hunter2hunter2",
    "/x?sig=hunter2hunter2",
]
texts = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=("Cs", "Cc", "Zl", "L")), max_size=4),
    st.sampled_from([*SECRETS, os.fsdecode(b"\xff/caf\xc3\xa9"), 'say "hi"', "back\\slash", "\x7f\x1b[0m"]),
)
# Built from exponents: hypothesis prints what it draws, and Python refuses to print an int of over 4300 digits.
numbers = st.one_of(
    st.integers(),
    st.builds(lambda power, off, sign: sign * (2**power + off), st.sampled_from([0, 62, 63, 64, 2048]),
              st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 1])),
)  # fmt: skip
floats = st.one_of(st.floats(), st.sampled_from([-0.0, 1e16, 9999999999999998.0, 1e-4, 9.9e-5, 1e-7, 5e-324, 0.1]))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, floats, texts, st.binary(max_size=3), st.just(PurePosixPath("q"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(texts, st.integers()), inner, max_size=2),
        st.sets(st.integers(), max_size=2),
    ),
    max_leaves=4,
)
KINDS: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: numbers,
    float: st.one_of(floats, numbers),
    str: texts,
    Path: st.one_of(texts, texts.map(lambda text: Path(text.replace("\0", "")))),
    list: st.lists(anything, max_size=3),
    list[str]: st.lists(texts, max_size=3),
    tuple[str, ...]: st.lists(texts, max_size=3).map(tuple),
    dict[str, int]: st.dictionaries(texts, numbers, max_size=2),
    str | None: st.one_of(st.none(), texts),
    Any: anything,
}


@st.composite
def emissions(draw: st.DrawFn) -> tuple[TelemetryEvent, dict[str, Any]]:
    fields = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(KINDS)), max_size=5))
    required = {name: kind for name, kind in fields.items() if draw(st.booleans())}
    optional = {name: kind for name, kind in fields.items() if name not in required}
    sensitive = [name for name in fields if draw(st.integers(0, 5)) == 0]
    event = TelemetryEvent("demo.generated", draw(texts), required, optional, sensitive)
    names = draw(st.permutations([*required, *(name for name in optional if draw(st.booleans()))]))
    left_out = {name: draw(st.integers(0, 4)) == 0 for name in optional}
    return event, {name: None if left_out.get(name) else draw(KINDS[fields[name]]) for name in names}


contexts = st.one_of(
    st.none(), st.dictionaries(st.sampled_from([*NAMES, "repository", "password"]), anything, max_size=3)
)
messages = st.one_of(st.none(), texts)


_TIME = re.compile(rb'^{"timestamp":"[^"]*"', re.MULTILINE)


class Rig:
    """A logger below one with two files: a handler that gets ready lines, and one whose filter makes it get records."""

    def __init__(self, folder: Path) -> None:
        self.logger = logging.getLogger("hephaestus.tests.fast.päth")
        self.parent = logging.getLogger("hephaestus.tests.fast")
        self.parent.setLevel(logging.INFO)
        self.parent.propagate = False
        self.files = [folder / "lines", folder / "records"]
        self.handlers = [EventFileHandler(file) for file in self.files]
        for handler in self.handlers:
            handler.setFormatter(JsonFormatter())
        self.handlers[1].addFilter(lambda record: True)

    def close(self) -> None:
        for handler in self.handlers:
            handler.close()
        self.parent.handlers.clear()
        self.parent.propagate = True

    def emit(self, emit: Callable[..., None], *arguments: Any, **named: Any) -> bytes:
        """What is written by all ways that lead to a line, the same by each, without the time that passes between."""
        lines, records = self.handlers
        # The first event of a context goes another way than the second, and so does one that others want, too.
        for handlers in ([lines], [lines], [lines, records]):
            self.parent.handlers[:] = handlers
            emit(self.logger, *arguments, **named)
        self.parent.handlers.clear()
        (written,) = set(self.written())
        return written

    def written(self) -> list[bytes]:
        """The lines of both files since the last call, without the time."""
        lines = []
        for file in self.files:
            lines += _TIME.sub(b'{"timestamp":""', file.read_bytes()).splitlines()
            os.truncate(file, 0)
        return lines


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("fast"))
    yield rig
    rig.close()


@pytest.fixture(params=["json", "orjson"], scope="module")
def encoder(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both encoders: the standard library's always, orjson where it is installed."""
    dumps = pytest.importorskip("orjson").dumps if request.param == "orjson" else _json_line.dumps_scalars
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_compile._NAMES, "dumps", dumps)
        patch.setattr(_json_line, "dumps", dumps)
        yield


@pytest.mark.usefixtures("encoder")
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=300)
@given(emissions(), contexts, messages, st.sampled_from([None, "run-1"]))
def test_lines_are_those_of_the_formatter_byte_for_byte(
    rig: Rig,
    emission: tuple[TelemetryEvent, dict[str, Any]],
    context: dict[str, Any] | None,
    message: str | None,
    run_id: str | None,
) -> None:
    event, payload = emission
    set_run(run_id)
    with ExitStack() as stack:
        stack.callback(set_run, None)
        if context is not None:
            stack.enter_context(operation_context("op", operation_id="op-1", **context))
        by_event = rig.emit(emit_event, event, message=message, **payload)
        by_own = rig.emit(event.emit, message=message, **payload)
    line = json.loads(by_event)
    assert line == json.loads(by_own)
    assert line["event"] == "demo.generated"
    # As they were given, and the context's behind them.
    given_names = [name for name in payload if payload[name] is not None or name in event.required_fields]
    assert list(line["payload"])[: len(given_names)] == given_names
    assert b"hunter2" not in by_event


def test_a_number_too_long_to_print_is_written_all_the_same(rig: Rig) -> None:
    line = rig.emit(DONE.emit, path="p", count=10**5000)
    assert json.loads(line)["payload"]["count"].startswith("0x")


DONE = TelemetryEvent("demo.done", "It is done.", {"path": Path, "count": int}, {"note": str, "any": Any})
LEVELLED = TelemetryEvent("demo.levelled", "Has a level.", {"a": int}, {"level": str})


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"path": "p"},
        {"path": "p", "count": "1"},
        {"path": "p", "count": True},
        {"path": None, "count": 1},
        {"path": "p", "count": 1, "nota": "x"},
        {"path": "p", "count": 1, "note": 3},
    ],
)
def test_an_events_own_emit_raises_what_emit_event_raises(rig: Rig, payload: dict[str, Any]) -> None:
    for level in (logging.INFO, logging.DEBUG):
        with pytest.raises(EventError) as expected:
            rig.emit(emit_event, DONE, level=level, **payload)
        with pytest.raises(EventError) as caught:
            rig.emit(DONE.emit, level=level, **payload)
        assert (type(caught.value), str(caught.value)) == (type(expected.value), str(expected.value))
    assert rig.written() == []


@pytest.mark.parametrize("level", ["LOUD", None, [], True, 1.5, 20.0])
def test_an_unknown_level_is_refused_in_words_of_its_own_whether_the_logger_is_on_or_off(rig: Rig, level: Any) -> None:
    for arguments in ((DONE.emit,), (emit_event, DONE)):
        rig.emit(*arguments, path="p", count=1)
        for off in (False, True):
            rig.logger.disabled = off
            try:
                with pytest.raises(EventError, match="unknown level") as caught:
                    rig.emit(*arguments, level=level, path="p", count=1)
            finally:
                rig.logger.disabled = False
            assert caught.value.__suppress_context__
    assert rig.written() == []


def test_a_number_of_another_class_is_a_level_and_a_name_is_none_where_the_logger_is_off(rig: Rig) -> None:
    class Level(IntEnum):
        INFO = logging.INFO
        DEBUG = logging.DEBUG

    for level in (Level.INFO, "info"):
        assert json.loads(rig.emit(DONE.emit, level=level, path="p", count=1))["level"] == "INFO"
    rig.parent.handlers[:] = rig.handlers
    DONE.emit(rig.logger, level=Level.DEBUG, path="p", count=1)
    DONE.emit(rig.logger, level="debug", path="p", count=1)
    rig.logger.disabled = True
    DONE.emit(rig.logger, level="error", path="p", count=1)
    rig.logger.disabled = False
    assert rig.written() == []


def test_an_events_own_emit_takes_levels_by_name_and_fills_a_field_of_that_name(rig: Rig) -> None:
    first = json.loads(rig.emit(DONE.emit, level="error", path="p", count=1, note=None, any=None))
    second = json.loads(rig.emit(LEVELLED.emit, level="warning", a=1))
    assert (first["level"], first["payload"]) == ("ERROR", {"path": "p", "count": 1})
    assert (second["level"], second["payload"]) == ("WARNING", {"a": 1, "level": "WARNING"})


def test_both_ways_name_the_callers_line_at_their_first_call_too(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("hephaestus.tests.line")
    logger.addFilter(lambda record: True)  # another way again
    for name in ("hephaestus.tests.line", "hephaestus.tests.other"):
        event = TelemetryEvent("demo.called", "It is called.", {"path": Path})
        for path in ("p", PurePosixPath("p")):
            for _ in range(2):
                emit_event(logging.getLogger(name), event, level=40, path=path)
                event.emit(logging.getLogger(name), level=40, path=path)
    logger.filters.clear()
    here = "test_both_ways_name_the_callers_line_at_their_first_call_too"
    assert [record.funcName for record in caplog.records] == [here] * 16
    assert {record.pathname for record in caplog.records} == {__file__}


class Records(logging.Handler):
    """Keeps records."""

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[tuple[logging.Logger, logging.Logger, Path]]:
    """A parent logger that writes a file, and its child, in a hierarchy to which pytest adds no handler."""
    root = logging.RootLogger(logging.WARNING)
    root.manager = logging.Manager(root)
    parent, child = root.manager.getLogger("fast.tree"), root.manager.getLogger("fast.tree.child")
    handler = EventFileHandler(tmp_path / "log")
    handler.setFormatter(JsonFormatter())
    parent.addHandler(handler)
    parent.setLevel(logging.INFO)
    yield parent, child, tmp_path / "log"
    for logger in (parent, child):
        for each in logger.handlers:
            each.close()


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that generated code writes itself; of events that are defined after this."""
    lines: list[bytes] = []

    def write(descriptor: int, line: bytes) -> int:
        lines.append(line)
        return os.write(descriptor, line)

    monkeypatch.setitem(_compile._NAMES, "write", write)
    return lines


def events_in(file: Path) -> list[str]:
    return [json.loads(line)["event"] for line in file.read_bytes().splitlines()]


def test_a_users_handler_gets_one_record_beside_the_line(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    parent, child, file = tree
    first, second = Records(), Records()
    child.addHandler(first)
    parent.addHandler(second)
    DONE.emit(child, path="p", count=1)
    assert first.records == second.records
    assert first.records[0].__dict__["payload"] == {"path": "p", "count": 1}
    assert first.records[0].__dict__["event"] == "demo.done"
    assert events_in(file) == ["demo.done"]


def test_levels_of_handlers_hold(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    parent, child, file = tree
    parent.handlers[0].setLevel(logging.ERROR)
    records = Records(logging.WARNING)
    child.addHandler(records)
    for level in (logging.INFO, logging.WARNING, logging.ERROR):
        DONE.emit(child, level=level, path="p", count=1)
    assert [record.levelno for record in records.records] == [logging.WARNING, logging.ERROR]
    assert len(events_in(file)) == 1


def test_propagation_and_disabling_hold(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    _, child, file = tree
    child.propagate = False
    child.addHandler(Records())
    DONE.emit(child, path="p", count=1)
    child.propagate, child.disabled = True, True
    DONE.emit(child, path="p", count=1)
    child.disabled = False
    child.manager.disable = logging.CRITICAL
    child.manager._clear_cache()  # type: ignore[attr-defined]  # as logging.disable does for its own hierarchy
    DONE.emit(child, path="p", count=1)
    child.manager.disable = logging.NOTSET
    child.manager._clear_cache()  # type: ignore[attr-defined]
    assert events_in(file) == []
    DONE.emit(child, path="p", count=1)
    assert events_in(file) == ["demo.done"]


def test_filters_of_loggers_and_handlers_hold(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    parent, child, file = tree
    child.addFilter(lambda record: record.__dict__["payload"]["count"] != 1)
    parent.handlers[0].addFilter(lambda record: record.__dict__["payload"]["count"] != 2)
    for count in (1, 2, 3):
        DONE.emit(child, path="p", count=count)
    assert [json.loads(line)["payload"]["count"] for line in file.read_bytes().splitlines()] == [3]


def test_a_logger_and_a_handler_of_another_class_see_records(
    tree: tuple[logging.Logger, logging.Logger, Path], tmp_path: Path
) -> None:
    class Counting(EventFileHandler):
        seen = 0

        def emit(self, record: logging.LogRecord) -> None:
            Counting.seen += 1
            super().emit(record)

    class Loud(logging.Logger):
        def makeRecord(self, *args: Any, **more: Any) -> logging.LogRecord:
            record = super().makeRecord(*args, **more)
            record.levelname = "LOUD"
            return record

    parent, _, file = tree
    handler = Counting(tmp_path / "other")
    handler.setFormatter(JsonFormatter())
    parent.addHandler(handler)
    loud = Loud("loud", logging.INFO)
    loud.parent = parent
    DONE.emit(loud, path="p", count=1)
    assert Counting.seen == 1
    assert json.loads(file.read_bytes())["level"] == "LOUD"


def test_another_formatter_and_a_renamed_level_are_heeded(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    parent, child, file = tree
    DONE.emit(child, path="p", count=1)
    logging.addLevelName(logging.INFO, 'IN"FO')
    try:
        DONE.emit(child, path="p", count=1)
    finally:
        logging.addLevelName(logging.INFO, "INFO")
    parent.handlers[0].setFormatter(logging.Formatter("%(event)s %(message)s"))
    DONE.emit(child, path="p", count=1)
    first, second, third = file.read_text().splitlines()
    assert [json.loads(line)["level"] for line in (first, second)] == ["INFO", 'IN"FO']
    assert third == "demo.done It is done."


CHANGES: dict[str, tuple[Callable[[logging.Logger, logging.Logger, EventFileHandler], object], list[int]]] = {
    "nothing": (lambda parent, child, other: None, [1, 0]),
    "another file instead": (lambda parent, child, other: parent.handlers.__setitem__(0, other), [0, 1]),
    "another file, too": (lambda parent, child, other: parent.addHandler(other), [1, 1]),
    "the same file twice": (lambda parent, child, other: parent.handlers.append(parent.handlers[0]), [2, 0]),
    "a file of the child's": (lambda parent, child, other: child.addHandler(other), [1, 1]),
    "a list of handlers": (lambda parent, child, other: setattr(parent, "handlers", [other]), [0, 1]),
    "a level of the file": (lambda parent, child, other: parent.handlers[0].setLevel(logging.ERROR), [0, 0]),
    "a level of the logger": (lambda parent, child, other: parent.setLevel(logging.ERROR), [0, 0]),
    "a filter of the file": (lambda parent, child, other: parent.handlers[0].addFilter(lambda record: False), [0, 0]),
    "a filter of the logger": (lambda parent, child, other: child.addFilter(lambda record: False), [0, 0]),
    "no propagation": (lambda parent, child, other: setattr(child, "propagate", False), [0, 0]),
    "a logger between": (lambda parent, child, other: setattr(child, "parent", between(parent, other)), [1, 1]),
    "no parent": (lambda parent, child, other: setattr(child, "parent", None), [0, 0]),
}


def between(parent: logging.Logger, handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("between")  # noqa: LOG001
    logger.parent = parent
    logger.addHandler(handler)
    return logger


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("own", [True, False], ids=["emit", "emit_event"])
def test_what_changes_after_the_first_lines_holds_for_the_next(
    tree: tuple[logging.Logger, logging.Logger, Path], lane: list[bytes], tmp_path: Path, change: str, own: bool
) -> None:
    parent, child, file = tree
    other = EventFileHandler(tmp_path / "other")
    other.setFormatter(JsonFormatter())
    event = TelemetryEvent("demo.done", "It is done.", {"count": int})
    for _ in range(2):
        event.emit(child, count=1) if own else emit_event(child, event, count=1)
    assert len(lane) == 1
    changing, expected = CHANGES[change]
    try:
        changing(parent, child, other)
        event.emit(child, count=2) if own else emit_event(child, event, count=2)
    finally:
        other.close()
    assert [len(events_in(file)) - 2, len(events_in(tmp_path / "other"))] == expected


def test_a_logger_between_that_stops_propagating_keeps_lines_from_the_file_above(
    tree: tuple[logging.Logger, logging.Logger, Path], lane: list[bytes]
) -> None:
    _, child, file = tree
    event = TelemetryEvent("demo.done", "It is done.", {"count": int})
    below = child.getChild("below")
    for _ in range(2):
        event.emit(below, count=1)
    child.propagate = False
    event.emit(below, level=logging.ERROR, count=2)
    event.emit(below, count=2)
    child.propagate = True
    event.emit(below, count=3)
    counts = [json.loads(line)["payload"]["count"] for line in file.read_bytes().splitlines()]
    assert (counts, len(lane)) == ([1, 1, 3], 2)


def test_a_listener_hears_what_is_emitted_after_it_came(
    tree: tuple[logging.Logger, logging.Logger, Path], lane: list[bytes]
) -> None:
    _, child, file = tree
    event, heard = TelemetryEvent("demo.done", "It is done.", {"count": int}), []
    for _ in range(2):
        event.emit(child, count=1)
    remove = add_listener(lambda emitted: heard.append(emitted.payload), lambda error: None)
    try:
        event.emit(child, count=2)
    finally:
        remove()
    event.emit(child, count=3)
    assert (heard, len(lane), len(events_in(file))) == ([{"count": 2}], 2, 4)


def test_loggers_and_levels_in_turn_are_each_named(
    tree: tuple[logging.Logger, logging.Logger, Path], lane: list[bytes]
) -> None:
    parent, child, file = tree
    event, others = TelemetryEvent("demo.done", "It is done.", {"count": int}), parent.getChild("other")
    turns = [(child, 20), (child, 20), (others, 20), (child, 20), (child, 30), (child, 30), (child, 20), (child, 20)]
    for logger, level in turns:
        event.emit(logger, level=level, count=1)
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        (logger.name, logging.getLevelName(level)) for logger, level in turns
    ]
    assert len(lane) == 3


def test_two_definitions_of_one_name_keep_their_own_messages_and_secrets(
    tree: tuple[logging.Logger, logging.Logger, Path],
) -> None:
    _, child, file = tree
    first = TelemetryEvent("demo.same", "The first.", {"count": int})
    second = TelemetryEvent("demo.same", "The second.", {"count": int}, {"pin": str}, ["pin"])
    with operation_context("op", pin="4711"):
        for event in (first, first, second, second, first):
            event.emit(child, count=1)
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [line["message"] for line in lines] == ["The first."] * 2 + ["The second."] * 2 + ["The first."]
    assert [line["payload"]["pin"] for line in lines] == ["4711", "4711", "***", "***", "4711"]


def test_a_secret_is_masked_at_the_first_line_and_at_the_next(
    tree: tuple[logging.Logger, logging.Logger, Path],
) -> None:
    _, child, file = tree
    for path in ("plain", "plain", "https://me:hunter22@host/x", "https://me:hunter22@host/x"):
        DONE.emit(child, path=path, count=1)
        emit_event(child, DONE, path=path, count=1)
    assert file.read_text().count("https://***@host/x") == 4
    assert "hunter22" not in file.read_text()


def test_a_clock_that_goes_back_is_heeded(
    tree: tuple[logging.Logger, logging.Logger, Path], lane: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, child, file = tree
    times = iter([100.0, 100.0004, 100.5, 50.0])
    monkeypatch.setattr(_json_line, "time", times.__next__)
    monkeypatch.setitem(_compile._NAMES, "time", times.__next__)
    event = TelemetryEvent("demo.done", "It is done.", {"count": int})
    for _ in range(4):
        event.emit(child, count=1)
    seconds = [json.loads(line)["timestamp"][-10:] for line in file.read_bytes().splitlines()]
    assert (seconds, len(lane)) == (["01:40.000Z", "01:40.000Z", "01:40.500Z", "00:50.000Z"], 3)


def test_the_console_alone_gets_each_line(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    parent, child, _ = tree
    stream = io.StringIO()
    parent.handlers[0].close()
    parent.handlers[:] = [ConsoleHandler(stream)]
    parent.handlers[0].setFormatter(JsonFormatter())
    for count in range(3):
        DONE.emit(child, path="p", count=count)
    assert [json.loads(line)["payload"]["count"] for line in stream.getvalue().splitlines()] == [0, 1, 2]


def test_an_adapter_of_a_logger_emits_by_its_own_means(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    _, child, file = tree
    for _ in range(2):
        DONE.emit(logging.LoggerAdapter(child, {}), path="p", count=1)  # type: ignore[arg-type]
    assert len(file.read_bytes().splitlines()) == 2


class Late(TimeoutError):
    """What a signal's handler raises."""


@pytest.mark.parametrize("error", [Late(), ZeroDivisionError()], ids=["OSError", "other"])
def test_what_a_signals_handler_raises_after_the_write_reaches_the_program_and_repeats_no_line(
    tree: tuple[logging.Logger, logging.Logger, Path], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _, child, file = tree
    strike = False

    def write(descriptor: int, line: bytes) -> int:
        written = os.write(descriptor, line)
        if strike:
            raise error
        return written

    monkeypatch.setitem(_compile._NAMES, "write", write)
    event = TelemetryEvent("demo.done", "It is done.", {"count": int})
    for _ in range(2):
        event.emit(child, count=1)
    strike = True
    with pytest.raises(type(error)):
        event.emit(child, count=2)
    assert len(events_in(file)) == 3


def test_a_formatter_that_is_set_while_a_line_is_written_formats_the_next(
    tree: tuple[logging.Logger, logging.Logger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, child, file = tree
    handler, write_line = parent.handlers[0], EventFileHandler.write_line

    def writing(self: EventFileHandler, line: bytes, written: int = 0) -> None:
        write_line(self, line, written)
        self.setFormatter(logging.Formatter("mine %(event)s"))

    monkeypatch.setattr(EventFileHandler, "write_line", writing)
    assert isinstance(handler, EventFileHandler)
    for _ in range(3):
        DONE.emit(child, path="p", count=1)
    assert file.read_text().splitlines()[1:] == ["mine demo.done"] * 2


def test_loggers_of_one_name_and_lines_in_turn_go_where_each_belongs(tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    loggers = []
    for file in files:
        root, logger = (logging.Logger(name, logging.INFO) for name in ("root", "same"))  # noqa: LOG001
        logger.parent = root
        root.addHandler(EventFileHandler(file))
        root.handlers[0].setFormatter(JsonFormatter())
        loggers.append(logger)
    for count in range(6):
        DONE.emit(loggers[count // 2 % 2], path="p", count=count)
    for logger in loggers:
        assert logger.parent is not None
        logger.parent.handlers[0].close()
    assert [[json.loads(line)["payload"]["count"] for line in file.read_bytes().splitlines()] for file in files] == [
        [0, 1, 4, 5],
        [2, 3],
    ]


def test_a_record_factory_is_heeded(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    _, child, _ = tree
    records = Records()
    child.addHandler(records)
    plain = logging.getLogRecordFactory()

    def factory(*args: Any, **more: Any) -> logging.LogRecord:
        record = plain(*args, **more)
        record.marked = True
        return record

    logging.setLogRecordFactory(factory)
    try:
        DONE.emit(child, path="p", count=1)
    finally:
        logging.setLogRecordFactory(plain)
    assert records.records[0].__dict__["marked"] is True


def test_without_any_handler_the_last_resort_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    lonely = logging.Logger("lonely", logging.INFO)  # noqa: LOG001
    DONE.emit(lonely, level=logging.INFO, path="p", count=1)
    DONE.emit(lonely, level=logging.ERROR, message="help", path="p", count=1)
    assert capsys.readouterr().err == "help\n"


def test_listeners_hear_the_objects_that_were_given(tree: tuple[logging.Logger, logging.Logger, Path]) -> None:
    _, child, _ = tree
    heard: list[Emitted] = []
    path = Path("/p")
    remove = add_listener(heard.append, lambda error: None)
    try:
        DONE.emit(child, count=1, path=path)
        emit_event(child, DONE, count=1, path=path)
    finally:
        remove()
    for each in heard:
        assert each.payload["path"] is path
        assert each.payload == {"path": path, "count": 1}


def test_a_file_that_cannot_be_written_loses_one_line_and_raises_nothing(
    tree: tuple[logging.Logger, logging.Logger, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    parent, child, _ = tree
    records = Records()
    parent.addHandler(records)
    parent.handlers[0].close()
    DONE.emit(child, path="p", count=1)
    assert len(records.records) == 1
    assert "Bad file descriptor" in capsys.readouterr().err


def test_a_file_that_breaks_after_its_first_line_is_reported_and_raises_nothing(
    tree: tuple[logging.Logger, logging.Logger, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    parent, child, file = tree
    parent.propagate = False
    for _ in range(2):
        DONE.emit(child, path="p", count=1)
    parent.handlers[0].close()
    DONE.emit(child, path="p", count=2)
    assert capsys.readouterr().err.count("Bad file descriptor") == 1
    assert len(events_in(file)) == 2


def test_a_line_that_the_system_takes_in_parts_is_written_whole(
    tree: tuple[logging.Logger, logging.Logger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, child, file = tree
    parent.propagate = False
    parts: list[bytes] = []

    def write(descriptor: int, line: bytes) -> int:
        parts.append(line[:10])
        return os.write(descriptor, line[:10])

    monkeypatch.setitem(_compile._NAMES, "write", write)
    event = TelemetryEvent("demo.partly", "It is written.", {"path": Path})
    for _ in range(2):
        event.emit(child, path="p")
    assert len(parts) == 1
    assert events_in(file) == ["demo.partly"] * 2


def test_a_mutable_field_of_the_context_is_written_as_it_is_at_each_emission(
    tree: tuple[logging.Logger, logging.Logger, Path],
) -> None:
    _, child, file = tree
    seen: list[int] = []
    with operation_context("op", seen=seen):
        for number in (1, 2):
            seen.append(number)
            DONE.emit(child, path="p", count=1)
    assert [json.loads(line)["payload"]["seen"] for line in file.read_bytes().splitlines()] == [[1], [1, 2]]
