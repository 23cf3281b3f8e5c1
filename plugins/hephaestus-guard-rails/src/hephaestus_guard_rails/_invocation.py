"""One invocation of the command, without click: the gates, the plan or drift, told in events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.telemetry import operation_context
from hephaestus_guard_rails._project import Project, find_project
from hephaestus_guard_rails._terminal import DRIFT_LABEL, PLAN_LABEL, announced

if TYPE_CHECKING:
    from hephaestus.cli import Session
    from hephaestus_guard_rails._config import GuardRailsConfig
    from hephaestus_guard_rails._options import Options

__all__ = ["invoke"]


def invoke(options: Options, session: Session) -> int:
    """Do what the options ask for, and return the exit code.

    Raises:
        HephaestusError: it cannot be done; told as an event already when a run had begun.
        KeyboardInterrupt, Interrupted: a signal ended it; likewise.
    """
    options.refuse_contradictions()
    if options.plan or options.why:
        # Nothing is run, so no run is announced.
        from hephaestus_guard_rails._gates import Gates

        return Gates(options, session, *_prepare(options, session)).explain()
    label = DRIFT_LABEL if options.drift else PLAN_LABEL
    with operation_context("cli.guard-rails"), announced(label, skip_format=options.skip_format):
        project, config = _prepare(options, session)
        if options.drift:
            from hephaestus_guard_rails._drift_run import run_drift

            return run_drift(project, options)
        from hephaestus_guard_rails._gates import Gates

        return Gates(options, session, project, config).run()


def _prepare(options: Options, session: Session) -> tuple[Project, GuardRailsConfig]:
    project = find_project(options.path)
    return project, session.table("guard-rails", root=project.root)
