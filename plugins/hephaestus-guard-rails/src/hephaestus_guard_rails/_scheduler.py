"""Runs jobs side by side on one thread: readers share the tree, a writer has it alone, the longest go first."""

from __future__ import annotations

import errno
import math
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from hephaestus_guard_rails._orphans import MARK_VARIABLE, kill_marked, marked
from hephaestus_guard_rails._process import Child, spawn
from hephaestus_guard_rails._signals import SignalGate

__all__ = ["Ending", "Exit", "Job", "Observer", "Scheduler"]

_POLL_SECONDS = 0.01
# How long a process may outlive KILL (a hung network mount) before it is given up.
_ABANDON_SECONDS = 5.0


class Ending(StrEnum):
    """Why a job's process ended."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    NOT_STARTED = "not started"


class Job(NamedTuple):
    """One command to run.

    Args:
        key: label that `needs` of other jobs refer to.
        argv: the command.
        writer: nothing runs beside it.
        weight: slots that it takes; 0 takes all.
        timeout: seconds; None for no limit.
        grace: seconds between TERM and KILL.
        needs: keys of jobs that have to succeed first; keys that are not scheduled are ignored.
        expected: seconds that it took before; infinite when unknown, so that unknown jobs begin early.
        apart: capture stderr apart from stdout.
    """

    key: str
    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    writer: bool = False
    weight: int = 1
    timeout: float | None = None
    grace: float = 5.0
    needs: tuple[str, ...] = ()
    expected: float = math.inf
    apart: bool = False


class Exit(NamedTuple):
    """How a job ended: raw return code (127 when the command is absent), seconds, output, and why."""

    ending: Ending
    returncode: int
    seconds: float
    stdout: bytes = b""
    stderr: bytes = b""
    message: str = ""


class Observer(Protocol):
    """What the scheduler tells, always on the caller's thread."""

    def started(self, job: Job) -> None:
        """The job's process is about to start."""

    def finished(self, job: Job, end: Exit) -> bool:
        """The job ended; returns whether it counts as a success."""

    def left_out(self, job: Job, reason: str) -> None:
        """The job will not start."""

    def tick(self, running: Sequence[Job]) -> float:
        """Called whenever something happened; returns the seconds until it wants to be called again."""


class _Running:
    def __init__(self, job: Job, child: Child, started: float) -> None:
        self.job = job
        self.child = child
        self.started = started
        self.ending = Ending.EXITED
        self.kill_at = math.inf
        self.abandon_at = math.inf

    @property
    def deadline(self) -> float:
        """Next moment at which something has to be done about it."""
        if self.ending is not Ending.EXITED:
            return min(self.kill_at, self.abandon_at)
        return math.inf if self.job.timeout is None else self.started + self.job.timeout


class Scheduler:
    """Runs jobs; see `run`.

    Args:
        slots: weights that may run at one time, e.g. the number of cores.
        observer: told of starts and ends.
        fail_fast: the first failure stops everything, and short jobs go first.
    """

    def __init__(self, slots: int, observer: Observer, fail_fast: bool = False) -> None:
        self.slots = slots
        self.observer = observer
        self.fail_fast = fail_fast
        self._selector = selectors.DefaultSelector()
        self._pending: list[Job] = []
        self._running: list[_Running] = []
        self._outcomes: dict[str, bool] = {}
        self._stop_reason = ""
        self._killed_something = False
        self._signals_seen = 0
        self._mark = os.urandom(16).hex()

    def run(self, jobs: Sequence[Job], outcomes: Mapping[str, bool] | None = None) -> int | None:
        """Run all jobs to their end.

        Args:
            jobs: in the order of the plan.
            outcomes: key → success of what was settled before and may be needed by these.

        INT, TERM and HUP stop every job (TERM, grace, KILL of the whole group); a second one skips the grace.

        Returns:
            the number of the signal that stopped the run, or None.
        """
        self._pending = list(jobs)
        self._outcomes.update(outcomes or {})
        with SignalGate() as gate:
            self._selector.register(gate, selectors.EVENT_READ, gate.clear)
            try:
                self._loop(gate)
            finally:
                self._kill_everything()
                self._selector.close()
        return gate.received[0] if gate.received else None

    def _loop(self, gate: SignalGate) -> None:
        while self._pending or self._running:
            self._heed_signals(gate)
            self._settle_pending()
            self._start_ready()
            wake = self.observer.tick([running.job for running in self._running])
            if not self._running:
                self._stop_reason = self._stop_reason or self._circle()
                continue
            for key, _ in self._selector.select(self._patience(wake)):
                key.data()
            self._reap()
            self._enforce_deadlines()

    # -- starting ----------------------------------------------------------------------------------------------------

    def _settle_pending(self) -> None:
        """Leave out what can no longer run: everything after a stop, and jobs whose needs failed."""
        settled = True
        while settled:
            settled = False
            for job in list(self._pending):
                reason = self._stop_reason or self._failed_need(job)
                if reason:
                    self._pending.remove(job)
                    self._outcomes[job.key] = False
                    self.observer.left_out(job, reason)
                    settled = True

    def _failed_need(self, job: Job) -> str:
        failed = [need for need in job.needs if self._outcomes.get(need) is False]
        return f"needs {failed[0]}, which did not pass" if failed else ""

    def _circle(self) -> str:
        stuck = self._pending and not any(self._is_ready(job) for job in self._pending)
        return "the needs of the remaining steps form a circle" if stuck else ""

    def _is_ready(self, job: Job) -> bool:
        if not job.needs:
            return True
        open_keys = {other.key for other in self._pending} | {running.job.key for running in self._running}
        return not any(need in open_keys for need in job.needs)

    def _start_ready(self) -> None:
        while (job := self._next_job()) is not None:
            self._start(job)

    def _next_job(self) -> Job | None:
        """The job to start now: a waiting writer keeps new readers out, else the longest that fits.

        Who wants to fail fast gets the shortest first: the whole then takes longer, and a failure comes sooner.
        """
        free = self.slots - sum(self._weight(running.job) for running in self._running)
        if self._running and (free <= 0 or any(running.job.writer for running in self._running)):
            return None
        ready = [job for job in self._pending if self._is_ready(job)]
        writers = [job for job in ready if job.writer]
        if writers:
            return None if self._running else writers[0]
        fitting = [job for job in ready if self._weight(job) <= free or not self._running]
        choose = min if self.fail_fast else max
        return choose(fitting, key=lambda job: job.expected, default=None)

    def _weight(self, job: Job) -> int:
        return min(job.weight or self.slots, self.slots)

    def _start(self, job: Job) -> None:
        self._pending.remove(job)
        self.observer.started(job)
        environment = {**job.environment, MARK_VARIABLE: marked(self._mark, job.environment)}
        started = time.monotonic()
        try:
            child = spawn(job.argv, cwd=job.cwd, environment=environment, apart=job.apart)
        except OSError as error:
            self._conclude(job, _not_started(job, error))
            return
        running = _Running(job, child, started)
        self._running.append(running)
        for pipe in child.pipes:
            self._selector.register(pipe, selectors.EVENT_READ, partial(self._read, child, pipe))
        if child.pidfd >= 0:
            self._selector.register(child.pidfd, selectors.EVENT_READ, _nothing)

    def _read(self, child: Child, pipe: int) -> None:
        if not child.read(pipe):
            # In this order: a closed descriptor's number may be reused by the next child.
            self._selector.unregister(pipe)
            child.close(pipe)

    # -- ending ------------------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        for running in list(self._running):
            if running.child.has_ended():
                self._retire(running, running.child.finish)

    def _retire(self, running: _Running, collect: Callable[[], int]) -> None:
        self._running.remove(running)
        child = running.child
        for descriptor in [*child.pipes, child.pidfd]:
            if descriptor >= 0:
                self._selector.unregister(descriptor)
        seconds = time.monotonic() - running.started
        returncode = collect()
        stderr = child.stderr.value() if child.stderr is not child.stdout else b""
        self._conclude(running.job, Exit(running.ending, returncode, seconds, child.stdout.value(), stderr))

    def _conclude(self, job: Job, end: Exit) -> None:
        succeeded = self.observer.finished(job, end)
        self._outcomes[job.key] = succeeded
        if self.fail_fast and not succeeded and not self._stop_reason:
            self._stop(f"--fail-fast: {job.key} did not pass")

    def _stop(self, reason: str) -> None:
        self._stop_reason = reason
        for running in self._running:
            self._terminate(running, Ending.STOPPED)

    def _terminate(self, running: _Running, ending: Ending) -> None:
        if running.ending is Ending.EXITED:
            running.ending = ending
            running.kill_at = time.monotonic() + running.job.grace
            self._killed_something = True
            running.child.terminate()

    def _heed_signals(self, gate: SignalGate) -> None:
        fresh = len(gate.received) - self._signals_seen
        if not fresh:
            return
        first = not self._signals_seen
        self._signals_seen = len(gate.received)
        self._stop_reason = f"stopped by {signal.Signals(gate.received[0]).name}"
        self._stop(self._stop_reason)
        if not first:
            for running in self._running:
                running.kill_at = 0.0

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for running in list(self._running):
            if now < running.deadline:
                continue
            if running.ending is Ending.EXITED:
                self._terminate(running, Ending.TIMEOUT)
            elif now >= running.abandon_at:
                self._retire(running, running.child.abandon)
            else:
                running.child.signal_group(signal.SIGKILL)
                running.kill_at = math.inf
                running.abandon_at = now + _ABANDON_SECONDS

    def _patience(self, wake: float) -> float | None:
        deadline = min(running.deadline for running in self._running)
        seconds = min(wake, deadline - time.monotonic())
        if any(running.child.pidfd < 0 for running in self._running):
            seconds = min(seconds, _POLL_SECONDS)
        return None if math.isinf(seconds) else max(0.0, seconds)

    def _kill_everything(self) -> None:
        """The last word, on every path: nothing that this run started and stopped survives it."""
        for running in self._running:
            running.child.signal_group(signal.SIGKILL)
            running.child.finish()
        if self._killed_something or self._running:
            kill_marked(self._mark)
        self._running.clear()


def _nothing() -> None:
    """A process ended; `_reap` finds out which."""


def _not_started(job: Job, error: OSError) -> Exit:
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    message = f"cannot start {job.argv[0]!r}: {os.strerror(error.errno or errno.EIO)}"
    # The shell's convention: 127 not found, 126 found but not executable.
    return Exit(Ending.NOT_STARTED, 127 if missing else 126, 0.0, message=message)
