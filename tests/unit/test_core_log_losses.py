"""A log file that cannot be written costs its lines and nothing else: they are counted, and people are told."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hephaestus.errors import HephaestusError
from hephaestus.event import TelemetryEvent
from hephaestus.logging import EventFileHandler, JsonFormatter

COUNTED = TelemetryEvent("demo.counted", "It is counted.", {"number": int}, {"filler": str})

full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger below one that writes to a full device, and nowhere else."""
    above = logging.Logger("above", logging.INFO)  # noqa: LOG001
    logger = logging.Logger("losing", logging.INFO)  # noqa: LOG001
    logger.parent = above
    handler = EventFileHandler("/dev/full")
    handler.setFormatter(JsonFormatter())
    above.addHandler(handler)
    yield logger
    handler.close()


def handler_of(logger: logging.Logger) -> EventFileHandler:
    assert logger.parent is not None
    (handler,) = logger.parent.handlers
    assert isinstance(handler, EventFileHandler)
    return handler


@full
def test_lines_that_a_full_device_refuses_are_counted_and_told_of_twice(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        COUNTED.emit(logger, number=number)
    logger.warning("plain")
    assert handler_of(logger).lost == 4
    assert capsys.readouterr().err == "warning: cannot write to the log file '/dev/full': No space left on device\n"
    handler_of(logger).close()
    handler_of(logger).close()
    assert capsys.readouterr().err == "warning: the log file '/dev/full' lacks 4 lines\n"


@full
def test_a_program_that_wants_no_reports_of_handlers_gets_none_and_the_count(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    COUNTED.emit(logger, number=1)
    handler_of(logger).close()
    assert handler_of(logger).lost == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [HephaestusError("no such format"), FileNotFoundError(2, "No such file", "x")])
def test_an_error_of_a_formatter_is_reported_as_logging_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    class Broken(JsonFormatter):
        def format(self, record: logging.LogRecord) -> str:
            raise error

    handler = EventFileHandler(tmp_path / "log")
    handler.setFormatter(Broken())
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    handler.close()
    assert handler.lost == 0
    assert "--- Logging error ---" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["", "whole\n", "part", "whole\npart"])
def test_a_line_that_an_earlier_run_left_unfinished_spoils_none_of_ours(tmp_path: Path, kept: str) -> None:
    file = tmp_path / "log"
    file.write_text(kept)
    handler = EventFileHandler(file)
    for message in ("one", "two"):
        handler.handle(logging.makeLogRecord({"msg": message}))
    handler.close()
    assert file.read_text().splitlines() == [*kept.splitlines(), "one", "two"]


def test_an_interrupt_in_the_midst_of_a_line_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, interrupting = os.write, [False, True]

    def interrupted(descriptor: int, line: bytes) -> int:
        if not interrupting:
            return write(descriptor, line)
        if interrupting.pop(0):
            raise KeyboardInterrupt
        return write(descriptor, line[:3])

    monkeypatch.setattr("hephaestus._handlers.os.write", interrupted)
    handler = EventFileHandler(tmp_path / "log")
    with pytest.raises(KeyboardInterrupt):
        handler.write_line(b"first\n")
    handler.write_line(b"second\n")
    handler.write_line(b"third\n")
    handler.close()
    assert (tmp_path / "log").read_text() == "fir\nsecond\nthird\n"


def test_what_a_signals_handler_raises_is_no_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(descriptor: int, line: bytes) -> int:
        raise TimeoutError

    handler = EventFileHandler(tmp_path / "log")
    monkeypatch.setattr("hephaestus._handlers.os.write", late)
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    handler.close()
    assert handler.lost == 0
    assert "--- Logging error ---" in capsys.readouterr().err


# The system ends a file's growth in the midst of a line, as a full disk does, and lets it grow again.
TEARING = """
import logging, resource, sys
from hephaestus.event import TelemetryEvent
from hephaestus.logging import configure_logging
configure_logging(log_file=sys.argv[1], console=False, run_id="run-1")
event = TelemetryEvent("demo.counted", "It is counted.", {"number": int}, {"filler": str})
logger = logging.getLogger("hephaestus.torn")
def emit(numbers):
    for number in numbers:
        event.emit(logger, number=number, filler="x" * 50)
emit(range(3))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
emit(range(3, 9))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
emit(range(9, 12))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
def test_a_line_that_was_torn_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "log"
    done = subprocess.run([sys.executable, "-c", TEARING, file], capture_output=True, text=True, check=True)
    whole, torn = [], []
    for line in file.read_text().splitlines():
        try:
            whole.append(json.loads(line)["payload"]["number"])
        except ValueError:
            torn.append(line)
    assert len(torn) == 1
    lost = [number for number in range(3, 9) if number not in whole]
    assert whole == [number for number in range(12) if number not in lost]
    assert done.stderr == (
        f"warning: cannot write to the log file '{file}': File too large\n"
        f"warning: the log file '{file}' lacks {len(lost)} lines\n"
    )
