"""One invocation of the command, without click: what was asked for, done, and told in events."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from hephaestus.errors import HephaestusError, Interrupted
from hephaestus.telemetry import emit_event, operation_context
from hephaestus_guard_rails import events
from hephaestus_guard_rails._config import GuardRailsConfig
from hephaestus_guard_rails._gather import gather_steps
from hephaestus_guard_rails._narrator import Narrator, View
from hephaestus_guard_rails._plan import Plan, Selection, make_plan
from hephaestus_guard_rails._project import Project, find_project
from hephaestus_guard_rails._render import Board, Heartbeat, block, plan_lines, summary_lines
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails._run import Run, RunSettings
from hephaestus_guard_rails._store import Store
from hephaestus_guard_rails.errors import GuardRailsUsageError, NothingToRunError

if TYPE_CHECKING:
    from hephaestus.cli import Session

__all__ = ["Invocation", "Options"]

_LOGGER = logging.getLogger("hephaestus.guard-rails")
DRIFT_EXIT_CODE = 3
# The label of failures that belong to no step: the project, the configuration, the plan.
_PLAN_LABEL = "plan"


class Options(NamedTuple):
    """The command line, parsed. None and empty mean: not given."""

    path: Path = Path()
    skip_format: bool = False
    drift: bool = False
    remediate: bool = False
    steps: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fail_fast: bool = False
    jobs: int | None = None
    timeout: float | None = None
    plan: bool = False
    why: str = ""
    reuse: bool | None = None
    output: str = "text"
    junit: Path | None = None
    report: Path | None = None


class Invocation:
    """Carries one invocation out; `execute` returns the exit code."""

    _project: Project
    _config: GuardRailsConfig

    def __init__(self, options: Options, session: Session) -> None:
        self.options = options
        self.session = session
        self.stdout: TextIO = sys.stdout

    def execute(self) -> int:
        """Do what the options ask for.

        Raises:
            HephaestusError: it cannot be done; told as an event already when a run had begun.
            KeyboardInterrupt, Interrupted: a signal ended it; likewise.
        """
        self._refuse_contradictions()
        if self.options.plan or self.options.why:
            # Nothing is run, so no run is announced.
            self._prepare()
            return self._explain()
        with operation_context("cli.guard-rails"), self._announced():
            self._prepare()
            return self._drift() if self.options.drift else self._gates()

    def _refuse_contradictions(self) -> None:
        options = self.options
        if options.remediate and not options.drift:
            raise GuardRailsUsageError("--remediate mends drift", hint="add --drift")
        gates = options.steps or options.skip or options.plan or options.why or options.junit or options.report
        if options.drift and gates:
            raise GuardRailsUsageError(
                "--drift runs no gates, so it goes with none of --step, --skip, --plan, --why, --junit, --report",
                hint="run twice: once with --drift, once without",
            )

    def _prepare(self) -> None:
        self._project = find_project(self.options.path)
        self._config = self.session.table("guard-rails", root=self._project.root)

    # -- the terminal event ------------------------------------------------------------------------------------------

    @contextmanager
    def _announced(self) -> Iterator[None]:
        """Emit the start, and a failed event for whatever ends the run by an exception."""
        emit_event(_LOGGER, events.CLI_GUARD_RAILS_START, skip_format=self.options.skip_format)
        try:
            yield
        except _Told as told:
            raise told.error from None
        except HephaestusError as error:
            self._failed(_PLAN_LABEL, error.exit_code)
            raise
        except KeyboardInterrupt:
            self._failed(_PLAN_LABEL, -signal.SIGINT)
            raise
        except Interrupted as interrupted:
            self._failed(_PLAN_LABEL, -interrupted.signum)
            raise
        except BaseException:
            self._failed(_PLAN_LABEL, 1)
            raise

    def _failed(self, step: str, returncode: int) -> None:
        emit_event(
            _LOGGER,
            events.CLI_GUARD_RAILS_FAILED,
            level=logging.ERROR,
            message=f"guard-rails failed: {step}",
            step=step,
            returncode=returncode,
        )

    def _complete(self) -> None:
        emit_event(_LOGGER, events.CLI_GUARD_RAILS_COMPLETE, skip_format=self.options.skip_format)

    # -- gates ---------------------------------------------------------------------------------------------------------

    def _plan(self) -> Plan:
        options, config = self.options, self._config
        selection = Selection(
            only=options.steps,
            skip=(*options.skip, *config.skip),
            enable=tuple(config.enable),
            fix=not options.skip_format,
        )
        return make_plan(self._project, gather_steps(self.session.host, self._project, config), selection)

    def _gates(self) -> int:
        self._check_report_paths()
        plan = self._plan()
        if not plan.selected:
            self._write([*plan_lines(plan)])
            raise NothingToRunError(
                f"no gate applies to {self._project.root}",
                hint="configure or declare a tool, or ask for a step by --step; --plan shows why each was left out",
            )
        report = self._run(plan)
        self._write_reports(report)
        self._show(report)
        return self._conclude(report)

    def _conclude(self, report: RunReport) -> int:
        failure = report.failure
        if report.signum is None and failure is None:
            self._complete()
            return 0
        if failure is not None:
            self._failed(failure.step, failure.returncode)
        else:
            self._failed(_PLAN_LABEL, -(report.signum or 0))
        if report.signum is not None:
            raise _Told(KeyboardInterrupt() if report.signum == signal.SIGINT else Interrupted(report.signum))
        return report.exit_code

    def _run(self, plan: Plan) -> RunReport:
        view = self._view()
        try:
            narrator = Narrator(view, self._show_block)
            run = Run(self._project, plan, self._settings(), narrator, Store(self._project.root))
            report = run.execute()
        finally:
            view.close()
        return report._replace(run_id=self.session.run_id)

    def _view(self) -> View:
        if self.session.show_progress:
            return Board(self.session.stderr_console())
        return Heartbeat(self._config.heartbeat)

    def _settings(self) -> RunSettings:
        options, config = self.options, self._config
        jobs = config.jobs if options.jobs is None else options.jobs
        return RunSettings(
            jobs=jobs,
            timeout=config.timeout or None,
            overriding_timeout=options.timeout,
            fail_fast=options.fail_fast or config.fail_fast,
            reuse=self._reuse(),
            skip_format=options.skip_format,
        )

    def _reuse(self) -> bool:
        """Kept passes serve people; CI starts from nothing unless asked."""
        import os

        if self.options.reuse is not None:
            return self.options.reuse
        return self._config.cache and not os.environ.get("CI")

    # -- output --------------------------------------------------------------------------------------------------------

    def _write(self, lines: list[str]) -> None:
        # JSON is the only thing on stdout when it was asked for.
        if self.options.output != "json":
            self.stdout.write("".join(f"{line}\n" for line in lines))
            self.stdout.flush()

    def _show_block(self, result: Result) -> None:
        """Show a finished pass at once where lines may scroll; under a live board it waits for the end."""
        if self.options.output == "github":
            from hephaestus_guard_rails._github import group

            group(result, self._project.root, self._project.top, self.stdout)
        elif self.options.output == "text" and result.status.is_failure and not self.session.show_progress:
            block(result, self.stdout)

    def _show(self, report: RunReport) -> None:
        if self.options.output == "json":
            from hephaestus_guard_rails._reports import json_report, json_text

            self.stdout.write(json_text(json_report(report)))
            self.stdout.flush()
            return
        if self.options.output == "text" and self.session.show_progress:
            for result in report.results:
                if result.status.is_failure:
                    block(result, self.stdout)
        self._write(summary_lines(report))

    def _check_report_paths(self) -> None:
        for path in filter(None, (self.options.junit, self.options.report)):
            from hephaestus_guard_rails._reports import check_writable

            check_writable(path)

    def _write_reports(self, report: RunReport) -> None:
        if self.options.junit is not None:
            from hephaestus_guard_rails._reports import junit_report, write_report

            write_report(self.options.junit, junit_report(report))
        if self.options.report is not None:
            from hephaestus_guard_rails._reports import json_report, json_text, write_report

            write_report(self.options.report, json_text(json_report(report)).encode())

    # -- plan and why --------------------------------------------------------------------------------------------------

    def _explain(self) -> int:
        plan = self._plan()
        if self.options.why:
            self.stdout.write(f"{self._why(plan)}\n")
        elif self.options.output == "json":
            from hephaestus_guard_rails._reports import json_text, plan_report

            self.stdout.write(json_text(plan_report(plan)))
        else:
            self._write([f"project: {self._project.root}", *plan_lines(plan)])
        return 0

    def _why(self, plan: Plan) -> str:
        from hephaestus_guard_rails._cache import Cache
        from hephaestus_guard_rails._files import FileTree

        entry = plan.find(self.options.why)
        if not entry.decision.enabled:
            return f"{entry.step.name} is not run: {entry.decision.reason}"
        if not self._reuse():
            return f"{entry.step.name} runs each time: passes are not reused (--no-cache, the configuration, or CI)"
        tree = FileTree.scan(self._project.root)
        return Cache(Store(self._project.root), self._project, tree).explain(entry)

    # -- drift ---------------------------------------------------------------------------------------------------------

    def _drift(self) -> int:
        from hephaestus_guard_rails._drift_run import check_drift, drift_lines, remediate

        report = check_drift(self._project)
        if self.options.remediate and report.mend:
            self._write(drift_lines(report))
            signum = remediate(self._project, report.mend)
            if signum is not None:
                raise KeyboardInterrupt if signum == signal.SIGINT else Interrupted(signum)
            report = check_drift(find_project(self._project.root))
        self._show_drift(report.to_json(), drift_lines(report))
        if report.drifted_tools:
            emit_event(_LOGGER, events.CLI_GUARD_RAILS_DRIFT, level=logging.WARNING, drifted_tools=report.drifted_tools)
            self._failed("drift", DRIFT_EXIT_CODE)
            return DRIFT_EXIT_CODE
        if report.comparable:
            emit_event(_LOGGER, events.CLI_GUARD_RAILS_DRIFT_OK)
        self._complete()
        return 0

    def _show_drift(self, data: dict[str, Any], lines: list[str]) -> None:
        if self.options.output == "json":
            from hephaestus_guard_rails._reports import json_text

            self.stdout.write(json_text(data))
        self._write(lines)


class _Told(Exception):
    """The terminal event is out already; carries what is to be raised."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error
