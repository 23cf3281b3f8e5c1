"""Send SIGINT, SIGTERM or SIGHUP to a run at every line that it executes, and show that it ends in order each time.

One child is forked for each line of Hephaestus's own that the main thread comes to, from the start event to the end::

    python plugins/hephaestus-cleanup/tests/sweeps/signals.py FOLDER --stride 50

Prints how many lines there were and how many runs a signal ended. Exits 1 at the first run that did not end in order:
one terminal event, the pair of run events, a whole manifest, an event for each path that is gone, the right exit code.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from types import FrameType
from typing import Any

from hephaestus.cli import main as command_line
from hephaestus_cleanup import _invocation, cli
from hephaestus_cleanup._signals import SignalGate

# So many lines later a second signal comes, which must not cut short what the first one has begun.
_IMPATIENCE = 25
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NAMES = ("a.pyc", "b/__pycache__", "c.pyc")


def build(root: str) -> None:
    """A workspace of three leftovers."""
    shutil.rmtree(root, ignore_errors=True)
    for file in ("a.pyc", "b/__pycache__/x.pyc", "b/__pycache__/sub/y.pyc", "c.pyc"):
        os.makedirs(os.path.dirname(f"{root}/{file}"), exist_ok=True)
        with open(f"{root}/{file}", "w"):
            pass


def run(base: str, step: int, number: int, arguments: list[str]) -> int:
    """Run the command line in a child that gets a signal at its step-th line; returns the exit code."""
    pid = os.fork()
    if pid == 0:
        _child(base, step, number, arguments)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _child(base: str, step: int, number: int, arguments: list[str]) -> None:
    code = 99
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(quiet, handle)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever started us may have had it ignored
        sys.argv = ["hephaestus", "--log-file", f"{base}/events", "cleanup", *arguments]
        _count_lines(step, number, f"{base}/reached")
        command_line()
    except SystemExit as ending:
        code = int(str(ending.code))
    finally:
        os._exit(code)


def _count_lines(step: int, number: int, reached: str) -> None:
    """Send the signal at the step-th line below `cleanup_workspace`, and a second one soon after."""
    seen = 0
    original = _invocation.cleanup_workspace

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == step:
                with open(reached, "w"):
                    pass
                os.kill(os.getpid(), number)
            elif seen == step + _IMPATIENCE:
                sys.settrace(None)
                # Once the run has put back the handlers, all is said, and the second one ends the process.
                if getattr(signal.getsignal(signal.SIGTERM), "__func__", None) is SignalGate._arrived:
                    os.kill(os.getpid(), signal.SIGTERM)
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if "/hephaestus" in frame.f_code.co_filename else None

    def traced(*args: Any, **keywords: Any) -> Any:
        sys.settrace(call)
        try:
            return original(*args, **keywords)
        finally:
            sys.settrace(None)

    _invocation.cleanup_workspace = traced


def check(base: str, code: int, expected: int) -> None:
    """What must hold after any run."""
    with open(f"{base}/events") as file:
        lines = [json.loads(line) for line in file]
    events = [(line["event"], line["payload"]) for line in lines if "event" in line]
    names = [name for name, _ in events]
    assert code in (0, expected), (code, names)
    if names:
        terminal = [name for name in names if name in ("cli.cleanup.complete", "cli.cleanup.failed")]
        assert names[0] == "cli.cleanup.start"
        assert terminal == names[-1:], names
        # A signal that comes after the last event ends the process all the same.
        assert terminal == ["cli.cleanup.failed"] or code == 0 or names[-1] == "cli.cleanup.complete", (code, names)
        assert terminal == ["cli.cleanup.complete"] or code == expected, (code, names)
    assert names.count("cleanup.run.start") == names.count("cleanup.run.complete") <= 1, names
    gone = {f"{base}/ws/{name}" for name in NAMES if not os.path.lexists(f"{base}/ws/{name}")}
    told = [payload["path"] for name, payload in events if name == "cleanup.path.removed"]
    assert sorted(told) == sorted(gone), (told, gone)
    _check_manifest(base, gone)


def _check_manifest(base: str, gone: set[str]) -> None:
    found = [name for name in os.listdir(base) if name.startswith("audit.json")]
    if not found:
        assert not gone
        return
    assert found == ["audit.json"], found
    with open(f"{base}/audit.json") as file:
        document = json.load(file)
    assert document["state"] in ("complete", "interrupted"), document["state"]
    assert document["in_doubt"] == [], document
    assert {each["path"] for each in document["removed"]} == gone, document


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def main() -> int:
    """Sweep; prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--stride", type=int, default=1, help="take every so-manieth line only")
    parser.add_argument("--start", type=int, default=1, help="the first line")
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    base = os.path.realpath(options.folder)
    os.environ["XDG_STATE_HOME"] = f"{base}/state"
    step, ended, reached = options.start, 0, True
    assert cli.cleanup is not None  # imported before the forks
    while reached:
        build(f"{base}/ws")
        for name in ("events", "audit.json", "reached", "state"):
            _remove(f"{base}/{name}")
        number = SIGNALS[step % len(SIGNALS)]
        arguments = ["--python-cache", "--workers", options.workers, "--audit-manifest", f"{base}/audit.json"]
        code = run(base, step, number, [f"{base}/ws", *arguments])
        try:
            check(base, code, 128 + number)
        except AssertionError as error:
            sys.stdout.write(f"line {step}, {number.name}: {error}\n")
            return 1
        reached = os.path.exists(f"{base}/reached")
        ended += code != 0
        step += options.stride
    sys.stdout.write(f"{step - options.stride} lines, {ended} runs ended by a signal\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
