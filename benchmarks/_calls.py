"""Calls inside a process as contenders: seconds a call, from blocks that are long enough to be measured.

What is called is a `Call`: a statement and the names that it uses, so that the statement costs what it costs in a
caller's code and nothing more. In one process::

    names = {"emit_event": emit_event, "logger": logger, "EVENT": EVENT}
    here("emit_event", Call("emit_event(logger, EVENT, path='a', dry_run=True)", names))

Libraries that configure the whole process (logging, structlog) get a process each, and take turns all the same. There
the `Call` comes from a function that is named by module and attribute, called in that process with texts::

    with Processes() as processes:
        contenders = [
            processes.call("ours", "benchmarks.emit:ours", "/dev/null"),
            processes.call("structlog", "benchmarks.emit:with_structlog", "/dev/null"),
        ]
        yield compare("one event", contenders, rounds=31, bases=["structlog"])

A function that raises ImportError names a peer that is not installed: its contender is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import timeit
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Self

from benchmarks._commands import environment
from benchmarks._measure import Contender, LeftOut

__all__ = ["Call", "Processes", "here"]

#: Seconds that a block of calls takes at least.
BLOCK = 0.004
# As `timeit` advises, the fastest of a few blocks counts: the others tell what else the machine had to do.
_BLOCKS = 5
# Where a process has its memory decides up to a tenth of its time, so a contender gets another one now and then.
_ROUNDS_A_PROCESS = 6


class Call(NamedTuple):
    """What is timed.

    Attributes:
        statement: Python source, executed once a call.
        names: the globals that it uses.
    """

    statement: str
    names: Mapping[str, object]


class _Blocks:
    """Blocks of calls, as many in each as the first one found to take long enough."""

    def __init__(self, call: Call) -> None:
        # timeit holds the garbage collector back while it measures.
        self._timer = timeit.Timer(call.statement, globals=dict(call.names))
        self._count = 0

    def measure(self) -> float:
        """Seconds a call."""
        if not self._count:
            self._timer.timeit(1)  # the first call may import and compile, and tells nothing of the others
            self._count = 1
            while (seconds := self._timer.timeit(self._count)) < BLOCK:
                # Never more than tenfold at once: the first calls are slow.
                self._count *= min(10, max(2, int(BLOCK / seconds) + 1))
        return min(self._timer.repeat(_BLOCKS, self._count)) / self._count


def here(name: str, call: Call) -> Contender:
    """A contender that is called in this process."""
    return Contender(name, _Blocks(call).measure)


class Processes:
    """Contenders that each have a process of their own; it ends with the block."""

    def __init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def call(self, name: str, target: str, *arguments: str) -> Contender:
        """A contender whose `Call` is made, in a process of its own, by `target(*arguments)`.

        Args:
            name: as the table shows it.
            target: `package.module:function`.
            *arguments: texts for the function.
        """
        process: subprocess.Popen[str] | None = None
        rounds = 0

        def measure() -> float:
            nonlocal process, rounds
            if process is None or rounds % _ROUNDS_A_PROCESS == 0:
                if process is not None:
                    process.communicate()
                process = self._start(target, arguments)
            rounds += 1
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("measure\n")
            process.stdin.flush()
            kind, _, text = process.stdout.readline().rstrip("\n").partition(" ")
            if kind == "seconds":
                return float(text)
            if kind == "missing":
                raise LeftOut(text)
            raise RuntimeError(f"{name}: the process of {target} ended; what it wrote to stderr says why")

        return Contender(name, measure)

    def _start(self, target: str, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._calls", target, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
            env=environment(),
        )
        # A process without a caller ends by itself, at the end of its input; leaving the block waits for it.
        self._open.enter_context(process)
        return process


def _serve(target: str, *arguments: str) -> None:
    # What is measured may write to stdout; answers go to where stdout was.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    blocks: _Blocks | None = None
    for _ in sys.stdin:
        try:
            blocks = blocks or _Blocks(_resolve(target)(*arguments))
        except ImportError as error:
            answers.write(f"missing {error.name or error} is not installed\n")
        else:
            answers.write(f"seconds {blocks.measure()!r}\n")
        answers.flush()


def _resolve(target: str) -> Callable[..., Call]:
    module, _, attribute = target.partition(":")
    function: Callable[..., Call] = getattr(import_module(module), attribute)
    return function


if __name__ == "__main__":
    _serve(*sys.argv[1:])
