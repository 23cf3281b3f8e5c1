"""Signals while a run goes on: one may end the work, none may cut short what has to be said at its end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

__all__ = ["SignalGate"]

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalGate:
    """Puts SIGINT, SIGTERM and SIGHUP off while it is entered.

    A signal is let through in two places only: anywhere within `open`, and at `check`. The first that is let through
    closes the gate for good, so that whatever ends the work runs to its own end. What is still put off at the exit is
    delivered then, unless the work is ending already. Entering again within is harmless; in other threads than the main
    one, which get no signals, nothing happens.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._is_open = self._is_spent = False
        self._pending: list[int] = []
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def __enter__(self) -> SignalGate:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            for number in _NUMBERS:
                handler = signal.getsignal(number)
                # Ignored signals stay ignored (nohup), and those of no handler of Python's end the process as ever.
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth:
            return
        try:
            self.check()
        finally:
            while self._before:
                number, handler = self._before.popitem()
                signal.signal(number, handler)
            if self._pending and not self._is_spent:  # since the check
                signal.raise_signal(self._pending.pop(0))

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Let the first signal end what runs within, wherever it is just then."""
        self._is_open = not self._is_spent
        try:
            self.check()
            yield
        finally:
            self._is_open = False

    def check(self) -> None:
        """Let a signal that was put off end the work here."""
        while self._pending and not self._is_spent:
            self._let_through(sys._getframe())

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self._pending.append(number)
        if self._is_open:
            self._let_through(frame)

    def _let_through(self, frame: FrameType | None) -> None:
        # Closed first: one that arrives from here on waits behind those that have.
        was_open = self._is_open
        self._is_open, self._is_spent = False, True
        number = self._pending.pop(0)
        try:
            self._before[number](number, frame)
            # A handler that returns has dealt with it: nothing ends.
            self._is_open, self._is_spent = was_open, False
        finally:
            # The handler may have put another in its own place; that one's turn comes when the work has ended.
            now = signal.getsignal(number)
            if callable(now) and now != self._arrived:
                self._before[number] = now
            signal.signal(number, self._arrived)
