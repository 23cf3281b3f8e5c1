"""Both log formats to the letter, and a set-up that loses no line and touches nobody else's handlers."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.context import current_context, operation_context, set_run
from hephaestus.emit import emit_event
from hephaestus.errors import EventError, HephaestusError, UsageError
from hephaestus.event import TelemetryEvent
from hephaestus.logging import EventFileHandler, JsonFormatter, TextFormatter, configure_logging, parse_level

START = TelemetryEvent("release.download.start", "Starting.", {"asset": str, "destination": Path}, {"overwrite": bool})
FREE = TelemetryEvent("demo.free", "Anything.", (), ("value", "other"))
NAME = "hephaestus.release"


@pytest.fixture(autouse=True)
def _logging_undone() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    # An empty set-up takes away what the test configured.
    configure_logging(console=False, run_id="run-end")
    logging.getLogger().setLevel(level)
    set_run(None)


class Records(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def record_of(event: TelemetryEvent, message: str | None = None, **fields: Any) -> logging.LogRecord:
    """The record that an emission hands to handlers."""
    handler, logger = Records(), logging.getLogger(NAME)
    logger.addHandler(handler)
    try:
        emit_event(logger, event, level=logging.CRITICAL, message=message, **fields)
    finally:
        logger.removeHandler(handler)
    (record,) = handler.records
    record.levelno, record.levelname = logging.INFO, "INFO"
    return record


def plain_record(message: str, *args: object, **more: Any) -> logging.LogRecord:
    return logging.getLogger("other.lib").makeRecord(
        "other.lib", logging.WARNING, "f.py", 1, message, args, None, **more
    )


def test_the_contracts_text_line_is_reproduced_to_the_letter() -> None:
    record = record_of(
        START, "Downloading release asset", asset="wheelhouse.tar.gz", destination="/cache/wheelhouse.tar.gz"
    )
    assert TextFormatter().format(record) == (
        "INFO hephaestus.release: Downloading release asset | event=release.download.start "
        "asset=wheelhouse.tar.gz destination=/cache/wheelhouse.tar.gz"
    )


def test_the_contracts_json_line_is_reproduced_to_the_letter() -> None:
    with operation_context("release.download", operation_id="op-abc123"):
        record = record_of(
            START, "Downloading release asset", asset="wheelhouse.tar.gz", destination=Path("/cache/wheelhouse.tar.gz")
        )
    record.created = 1736598896.7895
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.dumps(json.loads(line), indent=2) == (
        """{
  "timestamp": "2025-01-11T12:34:56.789Z",
  "level": "INFO",
  "logger": "hephaestus.release",
  "message": "Downloading release asset",
  "event": "release.download.start",
  "payload": {
    "asset": "wheelhouse.tar.gz",
    "destination": "/cache/wheelhouse.tar.gz",
    "operation": "release.download",
    "operation_id": "op-abc123"
  }
}"""
    )


def test_the_run_stands_before_the_event_in_json_and_last_in_text() -> None:
    set_run("run-1")
    record = record_of(FREE, "m", value=1)
    keys = ["timestamp", "level", "logger", "message", "run_id", "event", "payload"]
    assert list(json.loads(JsonFormatter().format(record))) == keys
    assert TextFormatter().format(record).endswith("event=demo.free value=1 run_id=run-1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("bare/value-1.0", "bare/value-1.0"),
        ("two words", '"two words"'),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("a=b", '"a=b"'),
        ("line\nbreak", r'"line\nbreak"'),
        ("\x1b[31mred", r'"\u001b[31mred"'),
        ("right\u202eleft", r'"right\u202eleft"'),
        ("ünï", "ünï"),
        (True, "true"),
        (["a", 1], '["a",1]'),
        ({"k": None}, '{"k":null}'),
        (float("nan"), "null"),
        (1.5, "1.5"),
    ],
)
def test_a_text_value_stands_bare_where_safe_and_quoted_else(value: object, text: str) -> None:
    assert TextFormatter().format(record_of(FREE, "m", value=value)) == (
        f"INFO hephaestus.release: m | event=demo.free value={text}"
    )


hostile = st.text(st.characters(categories=("Cc", "Zl", "Zp", "Cf", "Cs", "L", "P")), max_size=20)


@given(hostile, hostile, st.dictionaries(hostile, hostile, max_size=2))
def test_no_value_can_forge_a_second_line(message: str, value: str, mapping: dict[str, str]) -> None:
    with operation_context("op\nERROR x: forged", operation_id="op-1", extra=value):
        record = record_of(FREE, message, value=value, other=mapping)
        plain = plain_record("%s", message, extra={"more": value})
    for each in (record, plain):
        text, line = TextFormatter().format(each), JsonFormatter().format(each)
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        assert len(line.split("\n")) == 1
        assert isinstance(json.loads(line.encode("utf-8")), dict)


def test_a_plain_record_keeps_its_extra_and_gets_the_context() -> None:
    set_run("run-1")
    with operation_context("work", operation_id="op-1"):
        line = json.loads(JsonFormatter().format(plain_record("hello %s", "you", extra={"a": 1, "b": {2}})))
    assert line["message"] == "hello you"
    assert line["run_id"] == "run-1"
    assert line["payload"] == {"operation": "work", "operation_id": "op-1", "a": 1, "b": [2]}
    assert "event" not in line


def test_a_plain_record_without_extra_has_no_payload() -> None:
    record = plain_record("hello")
    assert list(json.loads(JsonFormatter().format(record))) == ["timestamp", "level", "logger", "message"]
    assert TextFormatter().format(record) == "WARNING other.lib: hello"


def test_a_plain_record_that_calls_its_extra_event_is_no_event() -> None:
    line = json.loads(JsonFormatter().format(plain_record("m", extra={"event": "forged.event", "payload": 1})))
    assert line["payload"] == {"event": "forged.event", "payload": 1}
    assert "event" not in line


def test_arguments_that_do_not_fit_their_format_lose_nothing() -> None:
    text = TextFormatter().format(plain_record("%d things", "seven"))
    assert "%d things" in text
    assert "seven" in text


def test_a_message_object_that_cannot_be_printed_still_gives_a_line() -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    record = plain_record("")
    record.msg = Mute()
    assert "Mute" in json.loads(JsonFormatter().format(record))["message"]


def exception_record(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception:
        record = plain_record("failed")
        record.exc_info = sys.exc_info()
    return record


def test_an_exception_is_kept_in_both_formats() -> None:
    record = exception_record(ValueError("boom"))
    line = json.loads(JsonFormatter().format(record))
    assert line["exc_info"].startswith("Traceback")
    assert line["exc_info"].endswith("ValueError: boom")
    rows = TextFormatter().format(record).split("\n")
    assert rows[0] == "WARNING other.lib: failed"
    assert all(row.startswith("    ") for row in rows[1:])


def test_an_exceptions_text_can_forge_no_line_and_show_no_secret() -> None:
    record = exception_record(ValueError("x\nERROR root: forged https://u:hunter2hunter2@h\x1b[0m"))
    text = TextFormatter().format(record)
    assert "\nERROR" not in text
    assert "\x1b" not in text
    assert "hunter2" not in text
    assert "hunter2" not in JsonFormatter().format(record)


def test_secrets_of_plain_records_are_masked() -> None:
    record = plain_record(
        "GET %s", "https://u:hunter2hunter2@h/", extra={"headers": {"Authorization": "Basic hunter2"}}
    )
    for formatter in (TextFormatter(), JsonFormatter()):
        assert "hunter2" not in formatter.format(record)


WRITER = """
import logging, sys
from hephaestus.emit import emit_event
from hephaestus.event import TelemetryEvent
from hephaestus.logging import configure_logging
configure_logging(log_file=sys.argv[1], console=False, run_id="run-" + sys.argv[2])
event = TelemetryEvent("demo.count", "Counted.", {"number": int, "filler": str})
logger = logging.getLogger("hephaestus.writer")
for number in range(int(sys.argv[3])):
    emit_event(logger, event, number=number, filler="ü" * (number % 300))
"""


@pytest.mark.slow
def test_four_processes_share_a_log_file_without_a_damaged_or_lost_line(tmp_path: Path) -> None:
    file, count = tmp_path / "events.jsonl", 10_000
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(number), str(count)]) for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    seen: dict[str, list[int]] = {}
    for line in file.read_bytes().splitlines():
        values = json.loads(line)
        assert values["payload"]["filler"] == "ü" * (values["payload"]["number"] % 300)
        seen.setdefault(values["run_id"], []).append(values["payload"]["number"])
    assert seen == {f"run-{number}": list(range(count)) for number in range(4)}


def test_each_line_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler, writes, write = EventFileHandler(tmp_path / "log"), [], os.write

    def spy(descriptor: int, data: memoryview) -> int:
        writes.append(bytes(data))
        return write(descriptor, data)

    monkeypatch.setattr("hephaestus.logging.os.write", spy)
    for size in (1, 100_000):
        handler.handle(plain_record("x" * size))
    handler.close()
    assert writes == [b"x\n", b"x" * 100_000 + b"\n"]


def test_a_log_file_is_appended_to_and_never_truncated(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("kept\n")
    for _ in range(2):
        configure_logging(log_file=file, console=False)
        logging.getLogger(NAME).warning("line")
    assert [line[:1] for line in file.read_text().splitlines()] == ["k", "{", "{"]
    assert stat.S_IMODE(file.stat().st_mode) & 0o111 == 0


def test_closing_a_file_twice_is_fine(tmp_path: Path) -> None:
    handler = EventFileHandler(tmp_path / "log")
    handler.close()
    handler.close()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_console_gets_the_chosen_format_and_the_file_json(tmp_path: Path, log_format: Any) -> None:
    stream = io.StringIO()
    configure_logging(log_format=log_format, log_file=tmp_path / "log", stream=stream, run_id="run-1")
    emit_event(logging.getLogger(NAME), FREE, value=1)
    assert stream.getvalue().startswith("{" if log_format == "json" else "INFO hephaestus.release: ")
    assert json.loads((tmp_path / "log").read_text())["payload"] == {"value": 1}


def test_console_lines_go_to_whatever_stderr_is_at_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    stream = io.StringIO()
    with redirect_stderr(stream):
        logging.getLogger(NAME).warning("redirected")
    assert "redirected" in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_configuring_again_replaces_its_own_handlers_and_leaves_others() -> None:
    others, first, second = Records(), io.StringIO(), io.StringIO()
    root = logging.getLogger()
    root.addHandler(others)
    try:
        configure_logging(stream=first)
        count = len(root.handlers)
        configure_logging(stream=second)
        logging.getLogger(NAME).warning("line")
        assert len(root.handlers) == count
        assert others in root.handlers
    finally:
        root.removeHandler(others)
    assert (first.getvalue(), len(others.records)) == ("", 1)
    assert second.getvalue().startswith("WARNING hephaestus.release: line")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"level": "loud"}, UsageError),
        ({"level": True}, UsageError),
        ({"level": None}, UsageError),
        ({"log_format": "xml"}, UsageError),
        ({"log_file": "missing/folder/log"}, UsageError),
        ({"log_file": "."}, UsageError),
        ({"log_file": "nul\0byte"}, UsageError),
        ({"run_id": "no good"}, EventError),
    ],
)
def test_a_wrong_setting_is_refused_with_a_hint_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], error: type[HephaestusError]
) -> None:
    monkeypatch.chdir(tmp_path)
    stream, root = io.StringIO(), logging.getLogger()
    configure_logging(stream=stream, level="error", run_id="run-before")
    before = (root.handlers[:], root.level)
    with pytest.raises(error) as caught:
        configure_logging(**{"level": "debug", "log_file": "log", **wrong})
    assert caught.value.hint
    assert (root.handlers, root.level) == before
    assert current_context().run_id == "run-before"
    logging.getLogger(NAME).error("still here")
    assert "still here" in stream.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_the_run_comes_from_the_environment_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logging(console=False)
    assert re.fullmatch("run-[0-9a-f]{32}", current_context().run_id or "")
    monkeypatch.setenv("HEPHAESTUS_RUN_ID", "ci-77")
    configure_logging(console=False)
    assert current_context().run_id == "ci-77"
    configure_logging(console=False, run_id="mine")
    assert current_context().run_id == "mine"


@pytest.mark.parametrize(("level", "number"), [("debug", 10), ("INFO", 20), (35, 35), ("Critical", 50)])
def test_levels_are_numbers_or_names_in_any_case(level: int | str, number: int) -> None:
    assert parse_level(level) == number


def test_a_console_reader_that_has_gone_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    configure_logging(stream=Gone())
    logging.getLogger(NAME).warning("unread")
    assert capsys.readouterr().err == ""
