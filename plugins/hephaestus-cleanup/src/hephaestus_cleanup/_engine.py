"""One run: plan, consent, manifest, execution of that very plan; each step an event, each start with its end."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import define, evolve, field

from hephaestus.errors import Interrupted
from hephaestus.telemetry import emit_event
from hephaestus_cleanup import events
from hephaestus_cleanup._beneath import OpenFolder, pick_opener
from hephaestus_cleanup._consent import Consent, measured, over_budget
from hephaestus_cleanup._crew import Crew, Result
from hephaestus_cleanup._inuse import InUse
from hephaestus_cleanup._journal import Journal, create_journal
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup._plan import Note, Plan, PlanItem, ordered
from hephaestus_cleanup._planner import Planner, Protect
from hephaestus_cleanup._quarantine import EXPIRED, expired_runs, open_quarantine
from hephaestus_cleanup._record import document_text
from hephaestus_cleanup._removals import Removals
from hephaestus_cleanup._rootlock import open_root
from hephaestus_cleanup._roots import SearchRoot, SearchRoots
from hephaestus_cleanup._state import make_runs_folder
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
        """Bytes freed."""
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
    outcome: Outcome = field(factory=Outcome, init=False)
    _planner: Planner = field(init=False)

    def run(self) -> Outcome:
        """Do it.

        Raises:
            CleanupError: refused, declined, busy, or the manifest cannot be written; what was done is in `outcome`.
            KeyboardInterrupt, Interrupted: after the events and the manifest were brought to an end.
        """
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
            with _uninterrupted():
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
            roots = self._usable_roots()
            handles: dict[str, int] = {}
            for root in roots:
                handle = open_root(root, lock=not self.options.dry_run)
                handles[root.path] = handle
                stack.callback(os.close, handle)
            plan = self._plan(roots)
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
            self._ask(plan)
            if self.before_execution is not None:
                self.before_execution(plan)
            if plan.items or self.options.audit_manifest is not None:
                self._execute(plan, handles)

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

    def _plan(self, roots: list[SearchRoot]) -> Plan:
        manifest = self.options.audit_manifest
        more = [(os.path.realpath(manifest), "holds the audit manifest")] if manifest else []
        self._planner = Planner(self.roots, self.options, self.rules, self.protect, InUse(more))
        plan = self._planner.plan(roots)
        expired = [item for root in roots for item in self._expired(root)]
        plan = evolve(plan, items=ordered((*plan.items, *expired), roots)) if expired else plan
        config = self.options.config
        limits = (config.max_entries, config.max_bytes, config.max_share)
        return measured(plan) if any(each is not None for each in limits) else plan

    def _expired(self, root: SearchRoot) -> Iterator[PlanItem]:
        config = self.options.config
        runs = expired_runs(root.path, days=config.quarantine_days, max_bytes=config.quarantine_max_bytes)
        for run in runs:
            status = os.lstat(os.path.join(root.path, run.relative))
            yield PlanItem(-1, root, run.relative, True, status.st_dev, status.st_ino, EXPIRED, "retention is over")

    def _preview(self, plan: Plan) -> None:
        for item in plan.items:
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
            state = "interrupted"
            try:
                quarantines = self._quarantines(plan, handles, opener, stack)
                self._remove(plan, handles, journal, opener, quarantines)
                state = "complete"
            finally:
                with _uninterrupted(), contextlib.suppress(ManifestError):
                    journal.end(state=state, **self._counts())

    def _quarantines(
        self, plan: Plan, handles: dict[str, int], opener: OpenFolder, stack: contextlib.ExitStack
    ) -> dict[str, int]:
        if not self.options.config.quarantine:
            return {}
        found = {}
        for path in {item.root.path for item in plan.items if item.rule != EXPIRED}:
            found[path] = open_quarantine(handles[path], self.run_id, opener)
            stack.callback(os.close, found[path])
        return found

    def _remove(
        self, plan: Plan, handles: dict[str, int], journal: Journal, opener: OpenFolder, quarantines: dict[str, int]
    ) -> None:
        config = self.options.config
        crew = Crew(plan, handles, journal, opener, config.workers, config.exact, quarantines)
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
            with _uninterrupted():
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
            path = os.path.abspath(path) if path else os.path.join(make_runs_folder(), f"{self.run_id}.json")
        except OSError as error:
            raise ManifestError(
                f"the folder for manifests cannot be made: {error.strerror}", hint="use --audit-manifest PATH"
            ) from error
        journal = create_journal(path)
        try:
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
            self.outcome.manifest = path
            _point_to(path, self.run_id)
            yield journal
        finally:
            with _uninterrupted():
                if self.outcome.manifest == path:
                    with contextlib.suppress(ManifestError):
                        journal.replace(document_text(path))
                journal.close()


def _point_to(path: str, run_id: str) -> None:
    """Let `cleanup-runs` find a manifest that lies elsewhere."""
    with contextlib.suppress(OSError):
        folder = make_runs_folder()
        if os.path.dirname(path) != folder:
            os.symlink(path, os.path.join(folder, f"{run_id}.json"))


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put Ctrl-C and SIGTERM off while a run is brought to its end.

    A signal that came meanwhile is delivered afterwards, unless one is what ends the run already.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = isinstance(sys.exc_info()[1], KeyboardInterrupt | Interrupted)
    pending: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda got, _: pending.append(got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if pending and not ending:
            signal.raise_signal(pending[0])
