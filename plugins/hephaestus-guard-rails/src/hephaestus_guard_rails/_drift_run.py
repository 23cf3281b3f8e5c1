"""The drift half of the command: the table, and applying the mend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus.context import child_environment
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails._scheduler import Exit, Job, Scheduler
from hephaestus_guard_rails._text import columns, harmless
from hephaestus_guard_rails._tools import child_path
from hephaestus_guard_rails.errors import GuardRailsError

if TYPE_CHECKING:
    from hephaestus_guard_rails.drift import DriftReport

__all__ = ["check_drift", "drift_lines", "remediate"]

_HEADER = ["tool", "expected", "where from", "installed", "kind"]


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
