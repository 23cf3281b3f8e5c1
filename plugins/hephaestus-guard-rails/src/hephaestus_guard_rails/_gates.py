"""The gates of one invocation: planned, run, shown and reported."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hephaestus_guard_rails._gather import gather_steps
from hephaestus_guard_rails._narrator import Narrator, View
from hephaestus_guard_rails._plan import Plan, PlannedStep, Selection, make_plan
from hephaestus_guard_rails._render import Board, Heartbeat, block, plan_lines, summary_lines
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails._run import Run, RunSettings
from hephaestus_guard_rails._store import Store
from hephaestus_guard_rails._terminal import PLAN_LABEL, Told, complete, failed, interruption
from hephaestus_guard_rails.errors import NothingToRunError

if TYPE_CHECKING:
    from hephaestus.cli import Session
    from hephaestus_guard_rails._config import GuardRailsConfig
    from hephaestus_guard_rails._options import Options
    from hephaestus_guard_rails._project import Project

__all__ = ["Gates"]


class Gates:
    """Runs or explains the gates of a project; results go to standard output."""

    def __init__(self, options: Options, session: Session, project: Project, config: GuardRailsConfig) -> None:
        self.options = options
        self.session = session
        self._project = project
        self._config = config
        self._stdout = sys.stdout

    def run(self) -> int:
        """Run the plan and return the exit code.

        Raises:
            NothingToRunError: no gate applies.
            HephaestusError: the plan cannot be made.
            Told: a signal stopped it, which the terminal event says already.
        """
        self._check_report_paths()
        plan = self._plan()
        if not plan.selected:
            self._write(plan_lines(plan, self._project.root))
            raise NothingToRunError(
                f"no gate applies to {self._project.root}",
                hint="configure or declare a tool, or ask for a step by --step; --plan shows why each was left out",
            )
        report = self._execute(plan)
        try:
            self._write_reports(report)
        finally:
            self._show(report)
        return self._conclude(report)

    def _conclude(self, report: RunReport) -> int:
        failure = report.failure
        if report.signum is None and failure is None:
            complete(skip_format=self.options.skip_format)
            return 0
        if failure is not None:
            failed(failure.step, failure.returncode)
        else:
            failed(PLAN_LABEL, -(report.signum or 0))
        if report.signum is not None:
            raise Told(interruption(report.signum))
        return report.exit_code

    def _execute(self, plan: Plan) -> RunReport:
        view = self._view()
        try:
            narrator = Narrator(view, self._show_block)
            run = Run(self._project, plan, self._settings(), narrator, Store(self._project.root))
            report = run.execute()
        finally:
            view.close()
        return report.replace(run_id=self.session.run_id)

    def _plan(self) -> Plan:
        options, config = self.options, self._config
        selection = Selection(
            only=options.steps,
            skip=(*options.skip, *config.skip),
            enable=config.enable,
            fix=not options.skip_format,
        )
        return make_plan(self._project, gather_steps(self.session.host, self._project, config), selection)

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
        if self.options.reuse is not None:
            return self.options.reuse
        return self._config.cache and not os.environ.get("CI")

    # -- output --------------------------------------------------------------------------------------------------------

    def _write(self, lines: list[str]) -> None:
        # JSON is the only thing on stdout when it was asked for.
        if self.options.output != "json":
            self._stdout.write("".join(f"{line}\n" for line in lines))
            self._stdout.flush()

    def _show_block(self, result: Result) -> None:
        """Show a finished pass at once where lines may scroll; under a live board it waits for the end."""
        if self.options.output == "github":
            from hephaestus_guard_rails._github import group

            group(result, self._project.root, self._project.top, self._stdout)
        elif self.options.output == "text" and result.status.is_failure and not self.session.show_progress:
            block(result, self._project.root, self._stdout)

    def _show(self, report: RunReport) -> None:
        if self.options.output == "json":
            from hephaestus_guard_rails._reports import json_report, json_text

            self._stdout.write(json_text(json_report(report)))
            self._stdout.flush()
            return
        if self.options.output == "text" and self.session.show_progress:
            for result in report.results:
                if result.status.is_failure:
                    block(result, self._project.root, self._stdout)
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

    def explain(self) -> int:
        """Show the plan, or why a step would run again; run nothing and return 0."""
        plan = self._plan()
        if self.options.why:
            self._show_why(plan)
        elif self.options.output == "json":
            from hephaestus_guard_rails._reports import json_text, plan_report

            self._stdout.write(json_text(plan_report(plan)))
        else:
            root = self._project.root
            self._write([f"project: {root}", *plan_lines(plan, root)])
        return 0

    def _show_why(self, plan: Plan) -> None:
        entry = plan.find(self.options.why)
        runs, reason = self._why(entry)
        if self.options.output == "json":
            from hephaestus_guard_rails._reports import json_text

            self._stdout.write(json_text({"step": entry.step.name, "runs": runs, "reason": reason}))
        else:
            self._write([f"{entry.step.name} would {'run' if runs else 'not run'}: {reason}"])

    def _why(self, entry: PlannedStep) -> tuple[bool, str]:
        from hephaestus_guard_rails._cache import Cache
        from hephaestus_guard_rails._files import FileTree

        if not entry.decision.enabled:
            return False, entry.decision.reason
        if not self._reuse():
            return True, "passes are not reused (--no-cache, the configuration, or CI)"
        with FileTree.scan(self._project.root) as tree:
            return Cache(Store(self._project.root), self._project, tree).explain(entry)
