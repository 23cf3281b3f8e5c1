"""The drift half of the command: the comparison as events, table or JSON, and applying the mend."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus.telemetry import emit_event
from hephaestus_guard_rails import events
from hephaestus_guard_rails._project import Project, find_project
from hephaestus_guard_rails._terminal import DRIFT_LABEL, complete, failed, interruption
from hephaestus_guard_rails._text import columns, harmless
from hephaestus_guard_rails.errors import GuardRailsError

if TYPE_CHECKING:
    from hephaestus_guard_rails._options import Options
    from hephaestus_guard_rails._scheduler import Exit, Job
    from hephaestus_guard_rails.drift import DriftReport

__all__ = ["check_drift", "drift_lines", "remediate", "run_drift"]

_LOGGER = logging.getLogger("hephaestus.guard-rails")
EXIT_CODE = 3
_HEADER = ["tool", "expected", "where from", "installed", "kind"]


def run_drift(project: Project, options: Options) -> int:
    """Compare, mend if that is wanted, show the outcome, and return the exit code.

    Raises:
        GuardRailsError: a command of the mend failed.
        KeyboardInterrupt, Interrupted: a signal ended the mend.
    """
    report = check_drift(project)
    if options.remediate and report.mend:
        if options.output != "json":
            _write(drift_lines(report))
        signum = remediate(project, report.mend)
        if signum is not None:
            raise interruption(signum)
        report = check_drift(find_project(project.root))
    _show(report, project, options.output)
    if drifted := report.drifted_tools:
        emit_event(_LOGGER, events.CLI_GUARD_RAILS_DRIFT, level=logging.WARNING, drifted_tools=drifted)
        failed(DRIFT_LABEL, EXIT_CODE)
        return EXIT_CODE
    if report.comparable:
        emit_event(_LOGGER, events.CLI_GUARD_RAILS_DRIFT_OK)
    complete(skip_format=options.skip_format)
    return 0


def _show(report: DriftReport, project: Project, output: str) -> None:
    if output == "json":
        from hephaestus_guard_rails._reports import json_text

        sys.stdout.write(json_text(report.to_json()))
        sys.stdout.flush()
        return
    _write(drift_lines(report))
    if output == "github":
        _write(_annotations(report, project))


def _annotations(report: DriftReport, project: Project) -> list[str]:
    """GitHub's workflow commands: one at each line that is drifted from, a notice at each unpinned one."""
    from hephaestus_guard_rails._github import annotation
    from hephaestus_guard_rails.drift import Kind

    lines = []
    for finding in report.findings:
        level = "notice" if finding.kind is Kind.UNPINNED else "error"
        text = f"{finding.tool} {finding.expected}: {finding.hint}"
        file = os.path.relpath(project.root / finding.source.file, project.top)
        title = f"drift: {finding.kind.value}"
        lines.append(annotation(level, text, title=title, file=file, line=finding.source.line))
    return lines


def _write(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def check_drift(project: Project) -> DriftReport:
    """Compare the project's pins with its environment."""
    from hephaestus_guard_rails.drift import check

    environment = project.environment
    return check(project.root, environment=environment.prefix if environment is not None else None)


def drift_lines(report: DriftReport) -> list[str]:
    """The findings as a table, what could not be read, and the mend as commands."""
    import shlex

    rows = [
        [finding.tool, finding.expected, str(finding.source), finding.installed or "-", finding.kind.value]
        for finding in report.findings
    ]
    lines = columns([_HEADER, *rows]) if rows else []
    lines += [f"not read: {problem}" for problem in report.problems]
    if report.uncompared:
        lines.append(f"not compared: {', '.join(report.uncompared)}")
    lines += [f"mend: {shlex.join(command)}" for command in report.mend]
    drifted = report.drifted_tools
    compared = len(report.compared)
    lines.append(f"drifted: {', '.join(drifted)}" if drifted else f"no drift in {compared} compared tools")
    return [harmless(line) for line in lines]


class _Mending:
    """Follows the commands of a mend; the first that fails ends it."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def started(self, job: Job) -> None:
        """Nothing to do."""

    def finished(self, job: Job, end: Exit) -> bool:
        """Keep what a failed command said."""
        if end.returncode != 0:
            said = end.message or end.stdout.decode(errors="backslashreplace").strip()
            self.failures.append(f"{' '.join(job.argv)} ended with return code {end.returncode}: {said[-2000:]}")
        return end.returncode == 0

    def left_out(self, job: Job, reason: str) -> None:
        """The failure before it is reported."""

    def tick(self, running: Sequence[Job]) -> float:
        """Nothing to show."""
        return float("inf")


def remediate(project: Project, commands: Sequence[Sequence[str]]) -> int | None:
    """Run the commands of a mend one after another, as argument lists and never through a shell.

    Returns:
        the number of the signal that stopped it, or None.

    Raises:
        GuardRailsError: a command failed; the later ones did not run.
    """
    from hephaestus.context import child_environment
    from hephaestus_guard_rails._scheduler import Job, Scheduler
    from hephaestus_guard_rails._tools import child_path

    environment = {**os.environ, **child_environment(), "PATH": child_path(project)}
    names = [str(number) for number in range(len(commands))]
    jobs = [
        Job(name, tuple(command), Path(project.root), environment, writer=True, needs=tuple(names[:index]))
        for index, (name, command) in enumerate(zip(names, commands, strict=True))
    ]
    mending = _Mending()
    signum = Scheduler(1, mending, fail_fast=True).run(jobs)
    if mending.failures and signum is None:
        raise GuardRailsError(f"the mend failed: {mending.failures[0]}", hint="mend by hand, then run --drift again")
    return signum
