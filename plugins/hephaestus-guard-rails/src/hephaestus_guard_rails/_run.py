"""One run of a plan: fix passes, then checks, then the question whether a check changed what it should only read."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from hephaestus.context import child_environment
from hephaestus_guard_rails._cache import Cache, Key
from hephaestus_guard_rails._files import FileTree
from hephaestus_guard_rails._history import History
from hephaestus_guard_rails._plan import Plan, PlannedStep
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails._scheduler import Ending, Exit, Job, Scheduler
from hephaestus_guard_rails._store import Store
from hephaestus_guard_rails._tools import child_path
from hephaestus_guard_rails._value import Value
from hephaestus_guard_rails.steps import Status, Step, Verdict

__all__ = ["Listener", "Run", "RunSettings"]

_MISSING_CODE = 127
_NAMED_FILES = 5


class RunSettings(Value):
    """How to run a plan.

    Args:
        jobs: cores to use; 0 for as many as the process may use.
        timeout: seconds for each step that sets none; None for no limit.
        overriding_timeout: seconds for every step, whatever it sets.
        fail_fast: stop everything at the first failure.
        reuse: reuse kept passes.
        skip_format: leave the fix passes out.
    """

    jobs: int = 0
    timeout: float | None = None
    overriding_timeout: float | None = None
    fail_fast: bool = False
    reuse: bool = True
    skip_format: bool = False

    @property
    def slots(self) -> int:
        """Cores to use, at least 1."""
        if self.jobs:
            return self.jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Listener(Protocol):
    """Follows a run; called on the thread that runs it."""

    def started(self, step: str, phase: str, command: tuple[str, ...]) -> None:
        """A pass is about to begin."""

    def finished(self, result: Result) -> None:
        """A pass ended, or is taken from the cache."""

    def left_out(self, result: Result) -> None:
        """A pass will not run."""

    def tick(self, running: Mapping[str, float]) -> float:
        """Passes that run now with their seconds; returns the seconds until the next call is wanted."""


class Run:
    """Runs a plan once; see `execute`."""

    def __init__(self, project: Project, plan: Plan, settings: RunSettings, listener: Listener, store: Store) -> None:
        self.project = project
        self.plan = plan
        self.settings = settings
        self.listener = listener
        self.store = store
        self.results: dict[tuple[str, str], Result] = {}
        self._tree: FileTree
        self._cache: Cache | None = None
        self._keys: dict[str, Key] = {}
        self._entries: dict[int, tuple[PlannedStep, str]] = {}
        self._starts: dict[int, float] = {}
        self._stop_reason = ""

    def execute(self) -> RunReport:
        """Run everything to its end and report; a signal ends it early and is named in the report."""
        begun, started = time.monotonic(), datetime.now(UTC)
        with FileTree.scan(self.project.root) as self._tree:
            if self.settings.reuse:
                self._cache = Cache(self.store, self.project, self._tree)
            history = History(self.store)
            self._settle_missing()
            signum = self._fix_phase(history)
            signum = signum if signum is not None else self._check_phase(history)
            self._remember(history)
        return RunReport(
            root=self.project.root,
            skip_format=self.settings.skip_format,
            results=self._in_plan_order(),
            omitted=[(e.step.name, e.decision.reason) for e in self.plan.entries if not e.decision.enabled],
            started=started,
            seconds=time.monotonic() - begun,
            signum=signum,
            notes=self._notes(),
        )

    # -- phases ------------------------------------------------------------------------------------------------------

    def _settle_missing(self) -> None:
        for entry in self.plan.selected:
            if entry.is_missing and entry.found is not None:
                hint = self._install_hint(entry.step)
                command = entry.command("check")
                self.listener.started(entry.step.name, "check", command)
                reason = f"tool missing: {command[0]} ({entry.found.origin}){hint}"
                self._finish(
                    Result(entry.step.name, "check", Status.MISSING, _MISSING_CODE, 0.0, False, reason, command)
                )

    def _install_hint(self, step: Step) -> str:
        from hephaestus_guard_rails._install import install_command

        return f"; install it: {install_command(step.tool, self.project)}" if step.tool is not None else ""

    def _fix_phase(self, history: History) -> int | None:
        fixing = [entry for entry in self._open_entries() if entry.fixes and not self._is_kept(entry)]
        if not fixing or self._stops():
            return None
        signum = self._schedule([self._job(entry, "fix", history) for entry in fixing])
        self._keys.clear()  # the files have changed since
        if signum is not None:
            for entry in self._open_entries():
                self._leave_out(entry, "check", "the run was stopped")
        return signum

    def _check_phase(self, history: History) -> int | None:
        for entry in self._open_entries():
            if self._is_kept(entry):
                self.listener.started(entry.step.name, "check", entry.command("check"))
                self._finish(
                    self._result(entry, "check", Status.PASSED, cached=True, reason="passed before, unchanged")
                )
        jobs = [self._job(entry, "check", history) for entry in self._open_entries()]
        if self._stops():
            for entry in self._open_entries():
                self._leave_out(entry, "check", self._stop_reason)
            return None
        failed = {step for (step, phase), result in self.results.items() if result.status.is_failure}
        return self._schedule(jobs, failed) if jobs else None

    def _stops(self) -> bool:
        failed = [result for result in self.results.values() if result.status.is_failure]
        if self.settings.fail_fast and failed:
            self._stop_reason = f"--fail-fast: {failed[0].step} did not pass"
        return bool(self._stop_reason)

    def _open_entries(self) -> list[PlannedStep]:
        return [entry for entry in self.plan.selected if (entry.step.name, "check") not in self.results]

    def _is_kept(self, entry: PlannedStep) -> bool:
        if self._cache is None or self._cache.unusable(entry.step):
            return False
        key = self._keys.get(entry.step.name)
        if key is None:
            key = self._keys[entry.step.name] = self._cache.key(entry)
        return self._cache.holds(entry, key)

    def _schedule(self, jobs: Sequence[Job], failed: set[str] | None = None) -> int | None:
        scheduler = Scheduler(self.settings.slots, self, self.settings.fail_fast)
        return scheduler.run(jobs, dict.fromkeys(failed or (), False))

    # -- one job -----------------------------------------------------------------------------------------------------

    def _job(self, entry: PlannedStep, phase: str, history: History) -> Job:
        step = entry.step
        key = f"{step.name} (fix)" if phase == "fix" else step.name
        job = Job(
            key=key,
            argv=entry.command(phase),
            cwd=self.project.root,
            environment={**self._variables, **step.environment},
            writer=phase == "fix" or step.mutates,
            weight=step.weight,
            timeout=self._timeout(step),
            grace=step.grace,
            needs=() if phase == "fix" else step.needs,
            expected=history.expected(key, step.group),
            apart=step.judge is not None,
        )
        self._entries[id(job)] = (entry, phase)
        return job

    def _timeout(self, step: Step) -> float | None:
        return self.settings.overriding_timeout or step.timeout or self.settings.timeout

    @cached_property
    def _variables(self) -> dict[str, str]:
        variables = {**os.environ, **child_environment(), "PATH": child_path(self.project)}
        if self.project.environment is not None:
            variables["VIRTUAL_ENV"] = str(self.project.environment.prefix)
        return variables

    def _result(self, entry: PlannedStep, phase: str, status: Status, **rest: object) -> Result:
        origin = entry.found.origin if entry.found is not None else ""
        return Result(entry.step.name, phase, status, command=entry.command(phase), origin=origin, **rest)  # type: ignore[arg-type]

    def _finish(self, result: Result) -> None:
        self.results[result.step, result.phase] = result
        self.listener.finished(result)

    def _leave_out(self, entry: PlannedStep, phase: str, reason: str) -> None:
        result = self._result(entry, phase, Status.SKIPPED, reason=reason)
        self.results[result.step, phase] = result
        self.listener.left_out(result)

    # -- the scheduler's observer --------------------------------------------------------------------------------------

    def started(self, job: Job) -> None:
        """A job's process is about to start."""
        entry, phase = self._entries[id(job)]
        self._starts[id(job)] = time.monotonic()
        self.listener.started(entry.step.name, phase, job.argv)

    def left_out(self, job: Job, reason: str) -> None:
        """A job will not start."""
        entry, phase = self._entries[id(job)]
        self._leave_out(entry, phase, reason)

    def tick(self, running: Sequence[Job]) -> float:
        """Passes on what runs now."""
        now = time.monotonic()
        return self.listener.tick({job.key: now - self._starts[id(job)] for job in running})

    def finished(self, job: Job, end: Exit) -> bool:
        """Judge a job that ended; returns whether it counts as a success."""
        entry, phase = self._entries[id(job)]
        del self._starts[id(job)]
        verdict = _judge(entry.step, phase, end, job.timeout)
        output = end.stdout + (b"\n" if end.stdout and end.stderr else b"") + end.stderr
        if verdict.details:
            output = verdict.details.encode("utf-8", "surrogateescape")
        changed = self._tree.refresh()
        result = self._result(
            entry,
            phase,
            verdict.status,
            returncode=124 if verdict.status is Status.TIMEOUT and end.returncode == 0 else end.returncode,
            seconds=end.seconds,
            reason=verdict.reason,
            output=output,
            changed=tuple(changed),
        )
        if changed and not job.writer and end.ending is not Ending.STOPPED:
            result = self._blamed(result)
        elif changed and not result.reason:
            result = result._replace(reason=f"changed {_files(changed)}")
        self._finish(result)
        return not result.status.is_failure and result.status is not Status.CANCELLED

    def _blamed(self, result: Result) -> Result:
        """A check that rewrites files is no check; what ran beside it is named, as nobody can tell them apart."""
        beside = [entry.step.name for job, (entry, _) in self._entries.items() if job in self._starts]
        company = f" (or {', '.join(beside)} did, at the same time)" if beside else ""
        reason = f"changed {_files(result.changed)} while it should only read{company}"
        return result._replace(
            reason=f"{result.reason}; {reason}" if result.reason else reason,
            status=result.status if result.status.is_failure else Status.FAILED,
        )

    # -- afterwards --------------------------------------------------------------------------------------------------

    def _remember(self, history: History) -> None:
        ran = [result for result in self.results.values() if result.status in (Status.PASSED, Status.FAILED)]
        history.record({result.label: result.seconds for result in ran if not result.cached})
        if self._cache is None:
            return
        unsettled = self._tree.refresh() or any(r.changed for r in self.results.values() if r.phase == "check")
        for entry in self.plan.selected:
            result = self.results.get((entry.step.name, "check"))
            key = self._keys.get(entry.step.name)
            if not unsettled and key is not None and result is not None and result.status is Status.PASSED:
                self._cache.keep(entry, key)
        self._cache.save()

    def _in_plan_order(self) -> list[Result]:
        names = [entry.step.name for entry in self.plan.selected]
        return sorted(self.results.values(), key=lambda each: (each.phase != "fix", names.index(each.step)))

    def _notes(self) -> tuple[str, ...]:
        outside = [entry for entry in self.plan.selected if entry.found is not None and entry.found.outside]
        return tuple(
            f"{entry.step.name}: {entry.found.argv[0]} comes from PATH and not from an environment of the project"
            for entry in outside
            if entry.found is not None
        )


def _files(changed: Sequence[str]) -> str:
    named = ", ".join(changed[:_NAMED_FILES]) + (", ..." if len(changed) > _NAMED_FILES else "")
    return f"{len(changed)} file{'s' if len(changed) != 1 else ''}: {named}"


def _judge(step: Step, phase: str, end: Exit, timeout: float | None) -> Verdict:
    if end.ending is Ending.NOT_STARTED:
        return Verdict(Status.MISSING if end.returncode == _MISSING_CODE else Status.ERROR, end.message)
    if end.ending is Ending.TIMEOUT:
        limit = timeout if timeout is not None else math.nan
        return Verdict(Status.TIMEOUT, f"stopped after {limit:g} s (time-out)")
    if end.ending is Ending.STOPPED:
        return Verdict(Status.CANCELLED, "stopped")
    if phase == "fix" and end.returncode in (0, *(step.findings_codes or (1,))):
        # What a fixer cannot mend is for the check to report.
        return Verdict(Status.PASSED)
    if phase == "fix":
        return Verdict(Status.ERROR, f"the fix pass failed with return code {end.returncode}")
    return _verdict(step, end)


def _verdict(step: Step, end: Exit) -> Verdict:
    try:
        verdict: object = step.verdict(end.returncode, end.stdout, end.stderr)
    except Exception as error:  # a judge of somebody else's: what it cannot read has not passed
        return Verdict(Status.ERROR, f"the step cannot judge its outcome: {error!r}")
    if not isinstance(verdict, Verdict):
        return Verdict(Status.ERROR, f"the step judges its outcome by {verdict!r}, which is no Verdict")
    return verdict
