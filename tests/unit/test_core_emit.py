"""Emitting: validated always, then the level, then the context; listeners can harm nobody."""

from __future__ import annotations

import enum
import inspect
import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.context import operation_context, set_run
from hephaestus.emit import Emitted, add_listener, emit_event
from hephaestus.errors import EventError, FieldTypeError, MissingFieldsError, UnexpectedFieldError
from hephaestus.event import TelemetryEvent
from hephaestus.logging import JsonFormatter, TextFormatter

DONE = TelemetryEvent("demo.done", "It is done.", {"path": Path}, {"note": str})
FREE = TelemetryEvent("demo.free", "Anything.", (), ("value",))
LEVELLED = TelemetryEvent("demo.levelled", "Has a level.", (), {"level": str})
SECRET = TelemetryEvent("demo.secret", "Has a secret.", {"phrase": str}, sensitive_fields=("phrase",))

logger = logging.getLogger("hephaestus.tests.emit")


def unexpected(error: BaseException) -> None:
    """Passes on what a listener of the test raised."""
    raise error


@pytest.fixture
def heard() -> Iterator[list[Emitted]]:
    """Every event emitted by the test."""
    events: list[Emitted] = []
    remove = add_listener(events.append, unexpected)
    logger.setLevel(logging.DEBUG)
    yield events
    remove()
    logger.setLevel(logging.NOTSET)
    set_run(None)


def test_an_event_reaches_the_log_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        emit_event(logger, DONE, message="Hello", path="/p")
    (record,) = caplog.records
    assert (record.getMessage(), record.levelname, record.name) == ("Hello", "INFO", logger.name)
    assert record.__dict__["event"] == "demo.done"
    assert record.__dict__["payload"] == {"path": "/p"}


def test_the_description_stands_in_for_a_missing_message(heard: list[Emitted]) -> None:
    emit_event(logger, DONE, path="/p")
    assert heard[0].message == "It is done."


def test_a_message_with_percent_signs_is_no_format(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        emit_event(logger, DONE, message="100%s %d", path="/p")
    assert caplog.records[0].getMessage() == "100%s %d"


def test_the_record_names_the_callers_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        emit_event(logger, DONE, path="/p")
    record = caplog.records[0]
    assert (record.funcName, record.lineno) == ("test_the_record_names_the_callers_line", line)
    assert record.pathname == __file__


@pytest.mark.parametrize(
    ("payload", "error"),
    [({}, MissingFieldsError), ({"path": "p", "pth": 1}, UnexpectedFieldError), ({"path": 1}, FieldTypeError)],
)
def test_a_bad_payload_is_refused_even_when_the_level_is_off(
    heard: list[Emitted], payload: dict[str, Any], error: type[Exception]
) -> None:
    logger.setLevel(logging.CRITICAL)
    with pytest.raises(error):
        emit_event(logger, DONE, level="debug", **payload)
    assert heard == []


def test_a_level_that_is_off_tells_nobody(heard: list[Emitted], caplog: pytest.LogCaptureFixture) -> None:
    logger.setLevel(logging.WARNING)
    emit_event(logger, DONE, path="/p")
    assert (heard, caplog.records) == ([], [])


def test_a_refused_event_is_told_to_nobody(heard: list[Emitted], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=r"Event 'demo.done' missing required fields: path"):
        emit_event(logger, DONE)
    assert (heard, caplog.records) == ([], [])


@pytest.mark.parametrize(
    ("level", "number"), [("warning", 30), ("ERROR", 40), (10, 10), (logging.CRITICAL, 50), (35, 35)]
)
def test_a_level_is_a_number_or_a_name_in_any_case(heard: list[Emitted], level: int | str, number: int) -> None:
    emit_event(logger, DONE, level=level, path="/p")
    assert heard[0].level == number


def test_a_level_that_somebody_added_goes_by_the_name_it_was_given(
    heard: list[Emitted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "_nameToLevel", {**logging._nameToLevel, "notice": 35})
    emit_event(logger, DONE, level="notice", path="/p")
    assert heard[0].level == 35


@pytest.mark.parametrize("level", ["LOUD", "", None, True, 1.5])
def test_an_unknown_level_is_refused_with_the_names(level: Any) -> None:
    with pytest.raises(EventError, match="unknown level") as caught:
        emit_event(logger, DONE, level=level, path="/p")
    assert "WARNING" in (caught.value.hint or "")


def test_an_event_that_declares_level_gets_the_records_level_name(heard: list[Emitted]) -> None:
    emit_event(logger, LEVELLED, level=logging.ERROR)
    emit_event(logger, LEVELLED)
    assert [each.payload for each in heard] == [{"level": "ERROR"}, {"level": "INFO"}]


def test_other_events_get_no_level_in_their_payload(heard: list[Emitted]) -> None:
    emit_event(logger, DONE, level="ERROR", path="/p")
    assert heard[0].payload == {"path": "/p"}


def test_the_context_is_merged_under_the_events_own_fields(heard: list[Emitted]) -> None:
    set_run("run-1")
    with operation_context("op", operation_id="op-1", path="/context", tag="v1"):
        emit_event(logger, DONE, path="/own")
    assert heard[0].payload == {"path": "/own", "operation": "op", "operation_id": "op-1", "tag": "v1"}
    assert next(iter(heard[0].payload)) == "path"
    assert heard[0].run_id == "run-1"


def test_the_context_never_satisfies_a_required_field() -> None:
    with operation_context("op", path="/context"), pytest.raises(MissingFieldsError, match="path"):
        emit_event(logger, DONE)


def test_a_context_field_is_never_unexpected_nor_checked(heard: list[Emitted]) -> None:
    with operation_context("op", operation_id="op-1", note=3, anything=object()):
        emit_event(logger, DONE, path="/p")
    assert heard[0].payload["note"] == 3


def test_the_callers_context_is_not_changed_by_an_emission(heard: list[Emitted]) -> None:
    with operation_context("op", operation_id="op-1") as context:
        emit_event(logger, DONE, path="/p")
        assert context.fields == {"operation": "op", "operation_id": "op-1"}
    assert len(heard) == 1


def test_a_sensitive_field_is_masked_everywhere(heard: list[Emitted], caplog: pytest.LogCaptureFixture) -> None:
    emit_event(logger, SECRET, phrase="open sesame")
    assert heard[0].payload == {"phrase": "***"}
    for formatter in (TextFormatter(), JsonFormatter()):
        assert "sesame" not in formatter.format(caplog.records[0])


def test_a_sensitive_field_of_the_wrong_type_is_refused_without_its_value() -> None:
    event = TelemetryEvent("demo.pin", "", {"pin": str}, sensitive_fields=("pin",))
    with pytest.raises(FieldTypeError) as caught:
        emit_event(logger, event, pin=987654321)
    assert "987654321" not in str(caught.value)


def test_credentials_in_messages_and_fields_are_masked(heard: list[Emitted]) -> None:
    emit_event(logger, DONE, message="from https://u:pw@host/x", path="/p", note="https://u:pw@host/x")
    assert heard[0].message == "from https://***@host/x"
    assert heard[0].payload["note"] == "https://***@host/x"


def test_a_raising_listener_harms_neither_emitter_nor_the_others() -> None:
    told: list[BaseException] = []
    heard: list[str] = []

    def broken(emitted: Emitted) -> None:
        raise SystemExit("listener wants out")

    removals = [add_listener(broken, told.append), add_listener(lambda e: heard.append(e.event.name), unexpected)]
    try:
        for _ in range(3):
            emit_event(logger, DONE, level="critical", path="/p")
    finally:
        for remove in removals:
            remove()
    assert heard == ["demo.done"] * 3
    assert [str(error) for error in told] == ["listener wants out"]


def test_ctrl_c_in_a_listener_passes() -> None:
    def interrupted(emitted: Emitted) -> None:
        raise KeyboardInterrupt

    remove = add_listener(interrupted, unexpected)
    try:
        with pytest.raises(KeyboardInterrupt):
            emit_event(logger, DONE, level="critical", path="/p")
    finally:
        remove()


def test_what_a_listener_emits_is_logged_but_told_to_no_listener(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def echo(emitted: Emitted) -> None:
        heard.append(emitted.event.name)
        emit_event(logger, FREE, level="critical", value="from a listener")

    remove = add_listener(echo, unexpected)
    try:
        emit_event(logger, DONE, level="critical", path="/p")
        emit_event(logger, DONE, level="critical", path="/p")
    finally:
        remove()
    assert heard == ["demo.done"] * 2
    assert [record.__dict__["event"] for record in caplog.records] == ["demo.done", "demo.free"] * 2


def test_a_removed_listener_hears_nothing_and_removing_twice_is_fine() -> None:
    heard: list[Emitted] = []
    remove = add_listener(heard.append, unexpected)
    remove()
    remove()
    emit_event(logger, DONE, level="critical", path="/p")
    assert heard == []


def test_listeners_hear_events_of_every_thread(heard: list[Emitted]) -> None:
    threads = [
        threading.Thread(target=emit_event, args=(logger, FREE), kwargs={"value": number}) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.payload["value"] for each in heard) == list(range(8))


class _Colour(enum.Enum):
    RED = "red"


class _Hostile(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Collecting(logging.Handler):
    """Puts records into a list."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


_awkward = st.one_of(
    st.text(st.characters(categories=("Cs", "Cc", "L"))),
    st.integers(min_value=-(10**5000), max_value=10**5000),
    st.floats(),
    st.binary(),
    st.datetimes(),
    st.sets(st.integers()),
    st.dictionaries(st.one_of(st.integers(), st.none(), st.tuples(st.integers())), st.text()),
    st.sampled_from([_Colour.RED, _Hostile(a=1), Path("p"), object(), os.fsdecode(b"\xff")]),
)


@given(_awkward)
def test_no_well_typed_value_can_raise_or_lose_the_event(value: Any) -> None:
    records: list[logging.LogRecord] = []
    handler = Collecting(records)
    logger.addHandler(handler)
    try:
        emit_event(logger, FREE, level="critical", value=value)
    finally:
        logger.removeHandler(handler)
    (record,) = records
    assert json.loads(JsonFormatter().format(record))["event"] == "demo.free"
    assert "\n" not in TextFormatter().format(record)
