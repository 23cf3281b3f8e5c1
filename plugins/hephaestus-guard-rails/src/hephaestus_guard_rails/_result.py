"""What a run brought: one result for each pass of a step, and the whole as a report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hephaestus_guard_rails._value import Value
from hephaestus_guard_rails.steps import Status

__all__ = ["EXIT_CODES", "Result", "RunReport"]

EXIT_CODES = {Status.TIMEOUT: 124, Status.MISSING: 127}
_FIRST_SIGNAL_EXIT_CODE = 128


class Result(NamedTuple):
    """How one pass of a step ended.

    Attributes:
        step: name of the step.
        phase: "fix" or "check".
        status: how it ended.
        returncode: the command's raw one, negative for a signal, 127 when the tool is missing, 0 for a kept pass.
        seconds: wall time; 0 for what did not run.
        cached: it passed before with the same inputs and was not run.
        reason: one line for people; may be empty.
        command: complete argv.
        output: stdout and stderr in the order of writing; for a judged step stdout, then stderr.
        changed: guarded files that changed while it ran.
        origin: where its tool was found.
    """

    step: str
    phase: str
    status: Status
    returncode: int = 0
    seconds: float = 0.0
    cached: bool = False
    reason: str = ""
    command: tuple[str, ...] = ()
    output: bytes = b""
    changed: tuple[str, ...] = ()
    origin: str = ""

    @property
    def label(self) -> str:
        """The step's name, with the phase when it is the fix pass."""
        return f"{self.step} (fix)" if self.phase == "fix" else self.step

    @property
    def text(self) -> str:
        """The output as text; bytes that are not UTF-8 are shown as escapes."""
        return self.output.decode(errors="backslashreplace")


class RunReport(Value):
    """All results of one run, in the order of the plan (fix passes first).

    Attributes:
        root: the project.
        skip_format: the fix passes were left out.
        results: one for each pass that was to run.
        omitted: (step, reason) of the steps that do not apply.
        started: when the run began.
        seconds: wall time of all.
        signum: the signal that stopped the run, if one did.
        run_id: of the command line's run.
        notes: what people should know besides, one line each.
    """

    root: Path
    skip_format: bool
    results: list[Result]
    omitted: list[tuple[str, str]]
    started: datetime
    seconds: float = 0.0
    signum: int | None = None
    run_id: str = ""
    notes: tuple[str, ...] = ()

    @property
    def failure(self) -> Result | None:
        """The first result in plan order that makes the run fail; after a signal, else the first that was stopped."""
        failed = [result for result in self.results if result.status.is_failure]
        if not failed and self.signum is not None:
            failed = [result for result in self.results if result.status is Status.CANCELLED]
        return min(failed, key=self._plan_position, default=None)

    def _plan_position(self, result: Result) -> int:
        checks = [each.step for each in self.results if each.phase == "check"]
        return checks.index(result.step) if result.step in checks else -1

    @property
    def exit_code(self) -> int:
        """0, 1, 124, 127, or 128 + the signal."""
        if self.signum is not None:
            return _FIRST_SIGNAL_EXIT_CODE + self.signum
        failure = self.failure
        return 0 if failure is None else EXIT_CODES.get(failure.status, 1)

    @property
    def status(self) -> str:
        """ "passed", "failed" or "interrupted"."""
        if self.signum is not None:
            return "interrupted"
        return "passed" if self.failure is None else "failed"
