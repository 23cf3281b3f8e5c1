"""What a person sees of a run: a live board on a terminal, signs of life elsewhere, blocks and a summary."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from hephaestus_guard_rails._plan import Plan
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails._text import columns, harmless
from hephaestus_guard_rails.steps import Status

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.text import Text

__all__ = ["Board", "Heartbeat", "block", "plan_lines", "summary_lines"]

_LOGGER = logging.getLogger("hephaestus.guard-rails")
_FRAME_SECONDS = 0.1
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STYLES = {Status.PASSED: "green", Status.SKIPPED: "dim", Status.CANCELLED: "yellow"}


class Board:
    """A live list of the passes on a terminal; draws on the caller's thread only and leaves nothing behind."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._done: list[Result] = []
        # No refresh thread: a process that forks and waits for signals is better off with one.
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def started(self, step: str, phase: str, command: tuple[str, ...]) -> None:
        """Nothing to draw yet; the next tick shows it."""

    def finished(self, result: Result) -> None:
        """Move a pass to the finished ones."""
        self._done.append(result)

    def left_out(self, result: Result) -> None:
        """Show a pass that will not run."""
        self._done.append(result)

    def tick(self, running: Mapping[str, float]) -> float:
        """Draw; asks to be called again for the next frame."""
        self._live.update(self._picture(running), refresh=True)
        return _FRAME_SECONDS

    def close(self) -> None:
        """Take the board away and give the cursor back."""
        self._live.stop()

    def _picture(self, running: Mapping[str, float]) -> Text:
        from rich.text import Text

        frame = _SPINNER[int(time.monotonic() / _FRAME_SECONDS) % len(_SPINNER)]
        lines = Text(no_wrap=True, overflow="ellipsis")
        for result in self._done:
            lines.append(f"  {result.label}: {_state(result)}\n", style=_STYLES.get(result.status, "red"))
        for label, seconds in running.items():
            lines.append(f"{frame} {label} {seconds:.0f} s\n")
        return lines


class Heartbeat:
    """Where no person watches: a log line when nothing has ended for a while, so that CI sees that the job lives."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._last = time.monotonic()

    def started(self, step: str, phase: str, command: tuple[str, ...]) -> None:
        """Told by an event already."""
        self._last = time.monotonic()

    def finished(self, result: Result) -> None:
        """Told by an event already."""
        self._last = time.monotonic()

    def left_out(self, result: Result) -> None:
        """Told by an event already."""

    def tick(self, running: Mapping[str, float]) -> float:
        """Log if it is time; asks to be called again when it will be."""
        now = time.monotonic()
        if running and now - self._last >= self._interval:
            named = ", ".join(f"{label} ({seconds:.0f} s)" for label, seconds in running.items())
            _LOGGER.info("still running: %s", named)
            self._last = now
        return max(0.01, self._last + self._interval - now)

    def close(self) -> None:
        """Nothing to give back."""


def _state(result: Result) -> str:
    if result.cached:
        return "passed before, unchanged"
    if result.status is Status.SKIPPED:
        return f"skipped: {result.reason}"
    return f"{result.status} in {result.seconds:.1f} s"


def block(result: Result, root: Path, stream: TextIO) -> None:
    """Write a failed pass as one block: what ran, what it said, how it ended; a missing tool is for the summary."""
    if result.status is Status.MISSING:
        return
    command = _written(result.command, root)
    stream.write(harmless(f"--- {result.label}: {result.status} (return code {result.returncode})\n$ {command}\n"))
    if text := harmless(result.text).rstrip("\n"):
        stream.write(f"{text}\n")
    if result.reason:
        stream.write(f"{harmless(result.reason)}\n")
    stream.write("\n")


def summary_lines(report: RunReport) -> list[str]:
    """The run in a table: each pass, what was left out and why, notes, and the outcome."""
    rows = [[result.label, _state_word(result), _seconds(result), result.reason] for result in report.results]
    lines = columns(rows) if rows else []
    lines += [f"skipped: {', '.join(names)}: {reason}" for reason, names in _by_reason(report.omitted).items()]
    lines += [f"note: {note}" for note in report.notes]
    return [harmless(line) for line in [*lines, _outcome(report)]]


def _by_reason(omitted: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in omitted:
        found.setdefault(reason, []).append(name)
    return found


def _state_word(result: Result) -> str:
    return "kept" if result.cached else str(result.status)


def _seconds(result: Result) -> str:
    return "" if result.cached or result.status is Status.SKIPPED else f"{result.seconds:.1f} s"


def _outcome(report: RunReport) -> str:
    checks = [result for result in report.results if result.phase == "check"]
    failure = report.failure
    if report.signum is not None:
        return f"stopped by signal {report.signum} after {report.seconds:.1f} s"
    if failure is None:
        gates = f"all {len(checks)} gates" if len(checks) != 1 else "the one gate"
        return f"{gates} passed in {report.seconds:.1f} s"
    failed = len({result.step for result in report.results if result.status.is_failure})
    return (
        f"{failed} of {len(checks)} gates failed in {report.seconds:.1f} s; "
        f"first: {failure.step} (return code {failure.returncode})"
    )


def _written(command: Sequence[str], root: Path) -> str:
    """A command as a person would type it in the project's root."""
    return shlex.join([part.removeprefix(f"{root}/") for part in command])


def plan_lines(plan: Plan, root: Path) -> list[str]:
    """The plan as a table: pass, whether it runs, command or reason."""
    rows = []
    for phase in ("fix", "check"):
        for entry in plan.entries:
            if phase == "fix" and not (entry.fixes and entry.decision.enabled):
                continue
            label = f"{entry.step.name} (fix)" if phase == "fix" else entry.step.name
            if not entry.decision.enabled:
                rows.append([label, "skip", f"skipped: {entry.decision.reason}"])
                continue
            absence = f" ({entry.found.origin})" if entry.is_missing and entry.found is not None else ""
            command = _written(entry.command(phase), root)
            rows.append([label, "missing" if absence else "run", f"{command}{absence} <- {entry.decision.reason}"])
    return columns(rows) if rows else []
