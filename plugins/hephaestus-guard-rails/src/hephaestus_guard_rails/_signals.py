"""Signals as a flag: while steps run, no exception may strike between two lines of the scheduler."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

__all__ = ["SignalGate"]

_WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalGate:
    """Collects INT, TERM and HUP; `fileno()` becomes readable when one arrives.

    Outside the main thread, where Python cannot install handlers, it collects nothing.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._previous: dict[int, Any] = {}
        self._pipe = (-1, -1)
        self._previous_wakeup = -1

    def __enter__(self) -> SignalGate:
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        if threading.current_thread() is threading.main_thread():
            self._previous_wakeup = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
            for signum in _WATCHED:
                # A signal that the caller ignores (nohup, a background job of sh) stays ignored.
                if signal.getsignal(signum) not in (signal.SIG_IGN, None):
                    self._previous[signum] = signal.signal(signum, self._record)
            if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
                # With CHLD ignored the kernel throws return codes away, and every failure would look like a pass.
                self._previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._previous_wakeup)
        for end in self._pipe:
            os.close(end)

    def _record(self, signum: int, _frame: FrameType | None) -> None:
        self.received.append(signum)

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._pipe[0]

    def clear(self) -> None:
        """Empty the pipe, so that the next signal wakes the selector again."""
        with suppress(BlockingIOError):
            while os.read(self._pipe[0], 512):
                continue
