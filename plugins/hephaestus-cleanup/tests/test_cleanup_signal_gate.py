"""Of two signals the first one that ends anything decides how a run ends, wherever the second one comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A process of its own: tracing is coverage's in this one, and so are the signals' handlers pytest's.
TWO_SIGNALS = """
import signal, sys
from hephaestus_cleanup import _signals

class Ended(BaseException):
    pass

def end(number, frame):
    raise Ended(number)

def ended_by(step):
    "The signal that ended a block when a second one came at the step-th line on the way in; None if it ran through."
    seen = 0

    def line(frame, event, argument):
        nonlocal seen
        seen += event == "line"
        if event == "line" and seen == step:
            signal.raise_signal(signal.SIGTERM)
        return line

    gate = _signals.SignalGate()
    try:
        with gate:
            signal.raise_signal(signal.SIGINT)
            sys.settrace(lambda frame, event, argument: line if frame.f_code.co_filename == _signals.__file__ else None)
            try:
                with gate.open():
                    return None, seen
            finally:
                sys.settrace(None)
    except Ended as ended:
        return ended.args[0], seen

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
_, lines = ended_by(0)
print(lines, {ended_by(step)[0] for step in range(1, lines + 1)} - {signal.SIGINT} or "the first")
"""


def test_the_first_of_two_signals_is_the_one_that_is_let_through(unmeasured_environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", TWO_SIGNALS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured_environment)
    lines, ended = done.stdout.split(maxsplit=1)
    assert int(lines) > 5
    assert ended == "the first\n"


RELOADING = """
import signal, sys
from hephaestus_cleanup._signals import SignalGate

heard = []
signal.signal(signal.SIGHUP, lambda number, frame: heard.append("reload"))
gate = SignalGate()
try:
    with gate:
        if sys.argv[1] == "before":
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGINT)
        with gate.open():
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGINT)
            heard.append("not interrupted")
except KeyboardInterrupt:
    heard.append("interrupted")
print(*heard)
"""


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_signal_whose_handler_returns_ends_nothing_and_lets_the_next_one_through(
    when: str, unmeasured_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-c", RELOADING, when]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured_environment)
    assert done.stdout == "reload interrupted\n"
