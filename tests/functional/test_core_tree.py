"""`hephaestus events tree` shows all that is in a log, each line once, whatever the log says of itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.cli._tree import Line, draw, grow, read_line
from hephaestus.testing import run_cli

Run = Callable[..., subprocess.CompletedProcess[str]]

# Operations within each other, one of them in a child process, and a line of another library.
EMITTING = """
import logging, os, subprocess, sys
from hephaestus.context import child_environment
from hephaestus.logging import configure_logging
from hephaestus.telemetry import TelemetryEvent, emit_event, operation_context
configure_logging(log_file=sys.argv[1], console=False)
logger = logging.getLogger("demo")
DONE = TelemetryEvent("demo.done", "It is done.", {"what": str})
with operation_context("outer" if len(sys.argv) == 2 else "child"):
    emit_event(logger, DONE, what="begin")
    if len(sys.argv) == 2:
        with operation_context("inner"):
            emit_event(logger, DONE, what="in it", level="warning")
            environment = {**os.environ, **child_environment()}
            subprocess.run([sys.executable, "-c", sys.stdin.read(), sys.argv[1], "child"], env=environment, check=True)
        logger.info("plain")
    emit_event(logger, DONE, what="end")
logger.info("outside")
"""


def timeless(text: str) -> str:
    """Without what differs from run to run: times, durations and ids."""
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "TIME", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DAY", re.sub(r"[\d.]+ m?s$", "SPAN", text, flags=re.MULTILINE))


def test_operations_stand_in_each_other_across_processes(hephaestus: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, "HEPHAESTUS_RUN_ID": "run-1"}
    command = [sys.executable, "-c", EMITTING, str(log)]
    subprocess.run(command, input=EMITTING, text=True, env=environment, check=True)
    done = hephaestus("events", "tree", str(log), env={"PYTHONUTF8": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert re.sub(r"op-\w{16}", "ID", timeless(done.stdout)) == (
        "run-1  DAY  SPAN\n"
        "├─ outer (ID)  SPAN\n"
        "│  ├─ TIME  INFO     demo.done  what=begin\n"
        "│  ├─ inner (ID)  SPAN\n"
        '│  │  ├─ TIME  WARNING  demo.done  what="in it"\n'
        "│  │  └─ child (ID)  SPAN\n"
        "│  │     ├─ TIME  INFO     demo.done  what=begin\n"
        "│  │     └─ TIME  INFO     demo.done  what=end\n"
        "│  ├─ TIME  INFO     demo: plain\n"
        "│  └─ TIME  INFO     demo.done  what=end\n"
        "├─ TIME  INFO     demo: outside\n"
        "└─ TIME  INFO     demo: outside\n"
    )


def line_of(number: int, *, run: str = "run-1", **payload: Any) -> str:
    values: dict[str, Any] = {
        "timestamp": f"2026-01-02T03:04:{number % 60:02d}.000Z",
        "level": "INFO",
        "logger": "demo",
    }
    values |= {"message": "m", "run_id": run, "event": f"demo.number-{number}", "payload": payload}
    return json.dumps(values) + "\n"


def test_one_run_of_several_is_shown_alone(hephaestus: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line_of(1, run="run-1") + line_of(2, run="run-2") + line_of(3, run="run-1"))
    both, one = (hephaestus("events", "tree", str(log), *more) for more in ([], ["--run", "run-2"]))
    assert re.findall(r"^run-.|number-.", both.stdout, re.MULTILINE) == [
        "run-1",
        "number-1",
        "number-3",
        "run-2",
        "number-2",
    ]
    assert re.findall(r"^run-.|number-.", one.stdout, re.MULTILINE) == ["run-2", "number-2"]


def test_a_run_and_an_operation_last_from_their_first_line_to_their_last_whatever_is_within(
    hephaestus: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    outer, inner = {"operation_id": "op-a"}, {"operation_id": "op-b", "parent_operation_id": "op-a"}
    log.write_text(line_of(10, **inner) + line_of(12, **outer) + line_of(17, **inner))
    log.write_text(log.read_text() + line_of(20, run="run-2", **outer) + line_of(21))
    done = hephaestus("events", "tree", str(log))
    assert [row.strip("│├└─ ") for row in done.stdout.splitlines() if "INFO" not in row] == [
        "run-1  2026-01-02 03:04:10  11.0 s",
        "op-a  7.0 s",
        "op-b  7.0 s",
        "run-2  2026-01-02 03:04:20  0 ms",
        "op-a  0 ms",
    ]


def test_times_are_utc_and_a_traceback_shows_its_error(hephaestus: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    values = json.loads(line_of(1)) | {"exc_info": "Traceback …\n  File …\nValueError: no"}
    log.write_text(json.dumps(values | {"timestamp": "2026-01-02T12:00:00.000+02:00"}))
    done = hephaestus("events", "tree", str(log))
    assert '10:00:00.000  INFO     demo.number-1  exc_info="ValueError: no"' in done.stdout


def test_it_runs_in_a_test_of_a_plugin_and_with_standard_output_closed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line_of(1))
    from_file, from_stdin = run_cli("events", "tree", str(log)), run_cli("events", "tree", "-", stdin=line_of(1))
    assert from_file.stdout == from_stdin.stdout
    assert "└─ " in from_file.stdout
    assert "-: no line of a JSON log" in run_cli("events", "tree", "-", stdin="").stderr.replace("<stdin>", "-")
    closed = subprocess.run(
        ["sh", "-c", 'exec "$0" -m hephaestus events tree "$1" >&-', sys.executable, log],
        capture_output=True,
        text=True,
    )
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize("content", ["", "\n", "no log\n", "[]\n", '{"timestamp": 1}\n', '{"message": "m"}\n'])
def test_a_file_that_is_no_log_is_an_error_with_a_hint(hephaestus: Run, tmp_path: Path, content: str) -> None:
    log = tmp_path / "log"
    log.write_text(content)
    done = hephaestus("events", "tree", str(log))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{log}: no line of a JSON log\nhint: --log-file FILE" in done.stderr


def test_a_file_that_does_not_exist_and_a_run_that_is_not_in_the_log_are_errors(
    hephaestus: Run, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text(line_of(1))
    assert hephaestus("events", "tree", str(tmp_path / "nowhere")).returncode == 2
    done = hephaestus("events", "tree", str(log), "--run", "run-9")
    assert (done.returncode, "no line of the run run-9" in done.stderr) == (2, True)


def test_lines_of_others_are_counted_and_left_out(hephaestus: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(f'{line_of(1)}{{"cut\n\n'.encode() + b"\xff\n" + line_of(2).encode())
    done = hephaestus("events", "tree", str(log))
    assert re.findall(r"number-.", done.stdout) == ["number-1", "number-2"]
    assert done.stderr == "warning: 2 lines are left out, being no log's\n"


def test_what_output_has_no_bytes_for_is_escaped_and_drawn_with_ascii(hephaestus: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line_of(1, name="größe\u001b[0m").replace("INFO", "ERROR") + line_of(2))
    done = hephaestus("events", "tree", str(log), env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert timeless(done.stdout).splitlines()[1:] == [
        r'|- TIME  ERROR    demo.number-1  name="gr\xf6\xdfe\u001b[0m"',
        "`- TIME  INFO     demo.number-2",
    ]


identifiers = st.one_of(st.none(), st.sampled_from(["op-a", "op-b", "op-c", "op-d"]), st.integers(0, 2))


@given(st.lists(st.tuples(st.sampled_from(["run-1", "run-2"]), identifiers, identifiers), max_size=12))
def test_each_line_stands_in_the_tree_once_whatever_the_operations_say_of_each_other(
    correlated: list[tuple[str, object, object]],
) -> None:
    lines = []
    for number, (run, operation, parent) in enumerate(correlated):
        payload = {"operation_id": operation, "parent_operation_id": parent}
        line = read_line(line_of(number, run=run, **payload).encode())
        assert line is not None
        lines.append(line)
    drawn = "\n".join(row for run in grow(lines) for row in draw(run))
    assert sorted(re.findall(r"number-\d+", drawn)) == sorted(f"number-{number}" for number in range(len(correlated)))


@given(st.one_of(st.binary(max_size=40), st.recursive(st.none() | st.text() | st.floats() | st.integers(), lambda inner:
    st.lists(inner) | st.dictionaries(st.sampled_from(["timestamp", "level", "logger", "message", "payload", "event"]),
    inner)).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_whatever_is_in_a_file_is_a_line_or_none(line: bytes) -> None:
    assert isinstance(read_line(line), Line | None)


def test_operations_may_be_nested_deeper_than_python_calls() -> None:
    lines = [
        read_line(line_of(number, operation_id=f"op-{number}", parent_operation_id=f"op-{number - 1}").encode())
        for number in range(1, 1500)
    ]
    (run,) = grow(line for line in lines if line is not None)
    assert sum("number" in row for row in draw(run)) == len(lines)
