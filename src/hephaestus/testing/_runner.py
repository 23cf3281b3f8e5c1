"""Running the command line in a test, in this process."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hephaestus.testing._capture import CapturedEvents, capture_events

__all__ = ["Result", "run_cli"]


class Result(NamedTuple):
    """What a run of the command line did.

    Attributes:
        exit_code: 0 done, 1 failed or refused, 2 usage.
        stdout, stderr: what it wrote.
        events: what it emitted.
    """

    exit_code: int
    stdout: str
    stderr: str
    events: CapturedEvents


def run_cli(*arguments: str, stdin: str = "") -> Result:
    """Run `hephaestus` with these arguments in this process, without a terminal.

    Args:
        *arguments: what follows the program's name.
        stdin: what the command can read.
    """
    from hephaestus.cli import run

    with _streams(stdin) as (stdout, stderr), capture_events() as events:
        exit_code = run(arguments)
    return Result(exit_code, stdout.text(), stderr.text(), events)


class _Stream(io.TextIOWrapper):
    """A stream in memory with bytes below it, as a real one has: commands may write and read either."""

    def __init__(self, text: str = "") -> None:
        self.bytes = io.BytesIO(text.encode("utf-8", "surrogateescape"))
        super().__init__(self.bytes, "utf-8", "surrogateescape", write_through=True)

    def text(self) -> str:
        """All that was written."""
        return self.bytes.getvalue().decode("utf-8", "surrogateescape")


@contextmanager
def _streams(stdin: str) -> Iterator[tuple[_Stream, _Stream]]:
    saved = (sys.stdin, sys.stdout, sys.stderr)
    root = logging.getLogger()
    handlers = root.handlers[:]
    stdout, stderr = _Stream(), _Stream()
    sys.stdin, sys.stdout, sys.stderr = _Stream(stdin), stdout, stderr
    try:
        yield stdout, stderr
    finally:
        sys.stdin, sys.stdout, sys.stderr = saved
        for handler in root.handlers[:]:
            # What the run's logging set up goes with the run.
            if handler not in handlers:
                root.removeHandler(handler)
                handler.close()
