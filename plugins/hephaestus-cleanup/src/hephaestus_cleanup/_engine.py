"""One run: plan, consent, manifest, execution of that very plan; each step an event, each start with its end."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import define, field

from hephaestus.telemetry import emit_event
from hephaestus_cleanup import events
from hephaestus_cleanup._beneath import OpenFolder, pick_opener
from hephaestus_cleanup._consent import Consent, measured, over_budget
from hephaestus_cleanup._crew import Crew, Result
from hephaestus_cleanup._erase import reason_of
from hephaestus_cleanup._inuse import InUse
from hephaestus_cleanup._journal import Journal, create_journal
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup._plan import Note, Plan
from hephaestus_cleanup._planner import Planner, Protect
from hephaestus_cleanup._quarantine import EXPIRED, open_quarantine
from hephaestus_cleanup._record import document_text
from hephaestus_cleanup._removals import Removals
from hephaestus_cleanup._retention import prune_records, retention_of
from hephaestus_cleanup._rootlock import open_root
from hephaestus_cleanup._roots import SearchRoot, SearchRoots
from hephaestus_cleanup._rulebook import QUARANTINE_NAME
from hephaestus_cleanup._signals import SignalGate
from hephaestus_cleanup._state import file_name_of, make_runs_folder, runs_folder
from hephaestus_cleanup.errors import CleanupError, ManifestError
from hephaestus_cleanup.rules import Rule

__all__ = ["Engine", "Outcome", "Watch"]

logger = logging.getLogger("hephaestus.cleanup")

_SYNC_SECONDS = 0.5


class Watch:
    """Hears of a run's progress; this one does nothing, a terminal's draws."""

    def planned(self, plan: Plan) -> None:
        """The plan is made; nothing has been removed."""

    def done(self, result: Result) -> None:
        """One item is settled."""

    def close(self) -> None:
        """The run has ended."""


@define
class Outcome:
    """What a run came to.

    Attributes:
        plan: what it was going to do.
        removed: results of what is gone, in order.
        skipped: what was kept, and why.
        errors: what could not be read or removed, and why.
        manifest: where the audit manifest is, if one was written.
        seconds: how long it took.
    """

    plan: Plan = field(factory=Plan)
    removed: Removals = field(factory=Removals)
    skipped: list[Note] = field(factory=list)
    errors: list[Note] = field(factory=list)
    manifest: str | None = None
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes freed; what went to the quarantine has freed none."""
        return self.removed.size

    @property
    def approximate(self) -> bool:
        """True when large folders were sampled, so that `size` is an estimate."""
        return self.removed.approximate


@define
class Engine:
    """Runs one cleanup.

    Args:
        roots: where to look.
        options: what to look for, and how to act.
        rules: all rules.
        protect: asks the plugins for a reason to keep a path.
        consent: how consent is got.
        run_id: names the manifest and the quarantine.
        watch: hears of progress.
        open_folder: how folders are opened; the kernel's best by default.
        before_execution: called between plan and execution; for tests.
        gate: holds signals back wherever one would leave something unsaid.
    """

    roots: SearchRoots
    options: CleanupOptions
    rules: Sequence[Rule]
    protect: Protect = lambda path, root: None
    consent: Consent = field(factory=Consent)
    run_id: str = "run"
    watch: Watch = field(factory=Watch)
    open_folder: OpenFolder | None = None
    before_execution: Callable[[Plan], None] | None = None
    gate: SignalGate = field(factory=SignalGate)
    outcome: Outcome = field(factory=Outcome, init=False)
    _planner: Planner = field(init=False)

    def run(self) -> Outcome:
        """Do it.

        Raises:
            CleanupError: refused, declined, busy, or the manifest cannot be written; what was done is in `outcome`.
            KeyboardInterrupt, Interrupted: after the events and the manifest were brought to an end.
        """
        with self.gate:
            return self._told()

    def _told(self) -> Outcome:
        started = time.monotonic()
        options = self.options
        emit_event(
            logger,
            events.CLEANUP_RUN_START,
            message="Cleaning " + ", ".join(each.path for each in self.roots.roots),
            search_roots=[each.path for each in self.roots.roots],
            **options.flags(),
            extra_paths=list(self.roots.extra),
            dry_run=options.dry_run,
        )
        try:
            self._run()
        finally:
            self.outcome.seconds = time.monotonic() - started
            self.watch.close()
            emit_event(
                logger,
                events.CLEANUP_RUN_COMPLETE,
                message=self._summary(),
                removed=len(self.outcome.removed),
                skipped=len(self.outcome.skipped),
                errors=len(self.outcome.errors),
                dry_run=options.dry_run,
                audit_manifest=self.outcome.manifest,
            )
        return self.outcome

    # ---- planning ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with contextlib.ExitStack() as stack:
            handles = self._open_roots(self._usable_roots(), stack)
            with self.gate.open():
                plan = self._plan([root for root in self.roots.roots if root.path in handles])
            self.outcome.plan = plan
            self.outcome.removed = Removals(plan.items)
            for note in plan.skips:
                self._skip(note)
            for note in plan.errors:
                self._error(note)
            self.watch.planned(plan)
            if self.options.dry_run:
                self._preview(plan)
                return
            with self.gate.open():
                self._ask(plan)
            if self.before_execution is not None:
                self.before_execution(plan)
            if plan.items or self.options.audit_manifest is not None:
                self._execute(plan, handles)
                pruned = prune_records(retention_of(self.options.config))
                logger.debug("%d manifests were pruned", pruned)

    def _usable_roots(self) -> list[SearchRoot]:
        for path, reason in self.roots.skipped:
            self._skip(Note(path, reason))
        usable = []
        may_leave = self.options.dry_run or self.consent.yes or self.consent.ask is not None
        for root in self.roots.roots:
            if root.outside and not may_leave:
                self._skip(Note(root.path, "outside root"))
            else:
                usable.append(root)
        return usable

    def _open_roots(self, roots: list[SearchRoot], stack: contextlib.ExitStack) -> dict[str, int]:
        handles = {}
        for root in roots:
            try:
                handle = open_root(root, lock=not self.options.dry_run)
            except OSError as error:
                self._error(Note(root.path, reason_of(error)))
                continue
            handles[root.path] = handle
            stack.callback(os.close, handle)
        return handles

    def _plan(self, roots: list[SearchRoot]) -> Plan:
        manifests = (self.options.audit_manifest or runs_folder(), runs_folder())
        more = [(os.path.realpath(each), "holds the audit manifest") for each in manifests]
        self._planner = Planner(self.roots, self.options, self.rules, self.protect, InUse(more))
        plan = self._planner.plan(roots)
        config = self.options.config
        limits = (config.max_entries, config.max_bytes, config.max_share)
        return measured(plan) if any(each is not None for each in limits) else plan

    def _preview(self, plan: Plan) -> None:
        for item in plan.items:
            self.gate.check()
            emit_event(
                logger,
                events.CLEANUP_PATH_PREVIEW,
                message=f"Would remove {item.path}",
                path=item.path,
                dry_run=True,
            )
        if self.options.audit_manifest is not None:
            with self._journal(plan) as journal:
                journal.end(state="complete", **self._counts())

    def _ask(self, plan: Plan) -> None:
        if plan.outside:
            places = ", ".join(sorted({each.root.path for each in plan.outside}))
            count = f"{len(plan.outside)} of {len(plan.items)} paths"
            self.consent.require(f"{count} lie outside {self.roots.main.path}: {places}")
        excess = over_budget(plan, self.options.config)
        if excess:
            self.consent.require(excess)

    # ---- execution ---------------------------------------------------------------------------------------------

    def _execute(self, plan: Plan, handles: dict[str, int]) -> None:
        changed = self._planner.repositories_changed()
        if changed:
            raise CleanupError(f"the git index of {changed} changed after the plan was made", hint="run again")
        opener = self.open_folder or pick_opener()
        with self._journal(plan) as journal, contextlib.ExitStack() as stack:
            try:
                quarantines = self._quarantines(plan, handles, opener, stack)
                self._remove(plan, handles, journal, opener, quarantines)
            except BaseException:
                with contextlib.suppress(ManifestError):
                    journal.end(state="interrupted", **self._counts())
                raise
            journal.end(state="complete", **self._counts())

    def _quarantines(
        self, plan: Plan, handles: dict[str, int], opener: OpenFolder, stack: contextlib.ExitStack
    ) -> dict[str, int]:
        if not self.options.config.quarantine:
            return {}
        found = {}
        for path in {item.root.path for item in plan.items if item.rule != EXPIRED}:
            try:
                found[path] = open_quarantine(handles[path], self.run_id, opener)
            except OSError as error:
                raise CleanupError(
                    f"no quarantine can be made in {path}: {reason_of(error)}",
                    hint=f"see what {QUARANTINE_NAME} is there; nothing was removed",
                ) from error
            stack.callback(os.close, found[path])
        return found

    def _remove(
        self, plan: Plan, handles: dict[str, int], journal: Journal, opener: OpenFolder, quarantines: dict[str, int]
    ) -> None:
        config = self.options.config
        crew = Crew(plan, handles, journal, opener, config.workers, config.exact, quarantines, self.gate.check)
        results = crew.results()
        synced = time.monotonic()
        try:
            for result in results:
                self._settled(result)
                if time.monotonic() - synced > _SYNC_SECONDS:
                    journal.sync()
                    synced = time.monotonic()
        except BaseException:
            crew.stop()
            crew.join()
            for result in crew.unheard():
                self._settled(result)
            raise

    def _settled(self, result: Result) -> None:
        item = result.item
        if result.outcome == "removed":
            self.outcome.removed.append(result)
            path = item.path
            emit_event(logger, events.CLEANUP_PATH_REMOVED, message=f"Removed {path}", path=path, dry_run=False)
        elif result.outcome == "gone":
            self._skip(Note(item.path, result.reason))
        else:
            path, reason = result.tally.problems[0]
            more = len(result.tally.problems) - 1
            self._error(Note(path, f"{reason} (and {more} more beneath {item.path})" if more else reason))
        self.watch.done(result)

    # ---- telling -----------------------------------------------------------------------------------------------

    def _skip(self, note: Note) -> None:
        self.outcome.skipped.append(note)
        emit_event(
            logger,
            events.CLEANUP_PATH_SKIPPED,
            message=f"Skipped {note.path}: {note.reason}",
            path=note.path,
            reason=note.reason,
        )

    def _error(self, note: Note) -> None:
        self.outcome.errors.append(note)
        emit_event(
            logger,
            events.CLEANUP_PATH_ERROR,
            level=logging.ERROR,
            message=f"Failed at {note.path}: {note.reason}",
            path=note.path,
            reason=note.reason,
        )

    def _summary(self) -> str:
        if self.options.dry_run:
            return f"{len(self.outcome.plan.items)} paths would be removed"
        return f"{len(self.outcome.removed)} paths removed"

    def _counts(self) -> dict[str, Any]:
        outcome = self.outcome
        counts = {"removed": len(outcome.removed), "skipped": len(outcome.skipped), "errors": len(outcome.errors)}
        return {"counts": counts, "freed_bytes": outcome.size, "freed_approximate": outcome.approximate}

    @contextlib.contextmanager
    def _journal(self, plan: Plan) -> Iterator[Journal]:
        path = self.options.audit_manifest
        try:
            path = (
                os.path.abspath(path) if path else os.path.join(make_runs_folder(), f"{file_name_of(self.run_id)}.json")
            )
        except OSError as error:
            raise ManifestError(
                f"the folder for manifests cannot be made: {error.strerror}", hint="use --audit-manifest PATH"
            ) from error
        journal = create_journal(path)
        try:
            self._write_plan(journal, plan)
            self.outcome.manifest = path
            _point_to(path, self.run_id)
            yield journal
        finally:
            if self.outcome.manifest == path:
                with contextlib.suppress(ManifestError):
                    journal.replace(document_text(path))
            else:
                journal.discard()
            journal.close()

    def _write_plan(self, journal: Journal, plan: Plan) -> None:
        journal.header(
            run=self.run_id,
            when=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            root=self.roots.main.path,
            search_roots=[each.path for each in self.roots.roots],
            options=self.options.record(),
            dry_run=self.options.dry_run,
            quarantine=self.options.config.quarantine,
            process=os.getpid(),
        )
        journal.plan(plan)


def _point_to(path: str, run_id: str) -> None:
    """Let `cleanup-runs` find a manifest that lies elsewhere."""
    with contextlib.suppress(OSError):
        folder = make_runs_folder()
        if os.path.dirname(path) != folder:
            os.symlink(path, os.path.join(folder, file_name_of(run_id) + ".json"))
