"""From candidates to a plan: every protection gets its say before anything is planned for removal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, field

from hephaestus_cleanup._evidence import IGNORED
from hephaestus_cleanup._git import GitGuard, find_repositories
from hephaestus_cleanup._inuse import InUse
from hephaestus_cleanup._keep import KeepPattern, KeepSet
from hephaestus_cleanup._lookthrough import reason_within
from hephaestus_cleanup._mounts import mount_points
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup._plan import Note, Plan, PlanItem, ordered
from hephaestus_cleanup._quarantine import EXPIRED, expired_runs
from hephaestus_cleanup._roots import SearchRoot, SearchRoots
from hephaestus_cleanup._rulebook import QUARANTINE_NAME, RuleBook
from hephaestus_cleanup._scan import Candidate, Place, Scanner
from hephaestus_cleanup.errors import GitGuardError
from hephaestus_cleanup.rules import Rule

__all__ = ["Planner", "Protect"]

Protect = Callable[[str, str], "str | None"]
"""Asks the plugins: (path, root) → a reason to keep it, or None."""

# A folder kept for one of these may still hold leftovers; one kept for any other reason is left alone altogether.
_DESCEND = frozenset({"tracked by git", "no evidence"})
_EXPIRY = Rule(EXPIRED, names=(QUARANTINE_NAME,), kind="folder", category="litter")


@define
class Planner:
    """Makes the plan of one run.

    Args:
        roots: where to look.
        options: what to look for.
        rules: all rules, of every category.
        protect: what the plugins say of a match.
        in_use: what must not go because it is in use.
    """

    roots: SearchRoots
    options: CleanupOptions
    rules: Sequence[Rule]
    protect: Protect
    in_use: InUse
    guards: dict[str, GitGuard] = field(factory=dict, init=False)
    _mounts: frozenset[str] | None = field(init=False)
    _items: list[PlanItem] = field(factory=list, init=False)
    _skips: list[Note] = field(factory=list, init=False)
    _errors: list[Note] = field(factory=list, init=False)
    _entries: int = field(default=0, init=False)
    _swept: list[str] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        known = mount_points()
        roots = self.roots.roots
        # Only those beneath a root matter, and usually there are none.
        self._mounts = known and frozenset(each for each in known if any(root.holds(each) for root in roots))

    def plan(self, roots: Iterable[SearchRoot]) -> Plan:
        """Scan some of the roots and judge what is found.

        Raises:
            ConfigError: a `.hephaestusignore` that cannot be understood; nothing may be removed then.
        """
        chosen = tuple(roots)
        try:
            for root in chosen:
                self._sweep(root)
        finally:
            for guard in self.guards.values():
                guard.close()
        by_path = sorted(set(self._skips), key=lambda each: each.path.replace("/", "\0"))
        return Plan(ordered(self._items, chosen), tuple(by_path), tuple(self._errors), self._entries)

    def repositories_changed(self) -> str | None:
        """The top level of a repository that is no longer as the plan found it (or was not there), or None."""
        tops = {each.top for folder in self._swept for each in find_repositories(folder)}
        changed = (top for top, guard in self.guards.items() if guard.changed())
        return next(iter(tops - set(self.guards)), None) or next(changed, None)

    def _start_guards(self, folders: Iterable[str]) -> None:
        for folder in folders:
            for repository in find_repositories(folder):
                if repository.top not in self.guards:
                    # Known before it starts, so that it is closed whatever happens.
                    self.guards[repository.top] = GitGuard(repository)
                    self.guards[repository.top].start()

    def _sweep(self, root: SearchRoot) -> None:
        named = [each for each in sorted(self.roots.named) if root.holds(each)]
        try:
            # All of them first: git reads while we scan, and one that cannot be asked ends the sweep before it begins.
            self._start_guards((root.path, *named))
            self._swept += (root.path, *named)
            scanner = self._scanner(root)
            keep = KeepSet(tuple(KeepPattern(text, root.path) for text in self.options.config.keep))
            self._explore(root, scanner, [Place(root.path, keep=keep, start=True)])
            # A named folder that the pass did not reach, because something closed lies above it.
            for each in named:
                if each not in scanner.listed and not self._planned(each):
                    self._explore(root, scanner, [Place(each, keep=keep, start=True)])
            self._expire(root)
        except GitGuardError as error:
            self._items = [each for each in self._items if each.root != root]
            self._errors.append(Note(root.path, error.message))

    def _expire(self, root: SearchRoot) -> None:
        """Quarantined runs whose time is over are leftovers too, and protected like any."""
        config = self.options.config
        for path in expired_runs(root.path, days=config.quarantine_days, max_bytes=config.quarantine_max_bytes):
            reason = self._closed(path)
            if reason is None:
                candidate = Candidate(path, True, 0, _EXPIRY, None, KeepSet(), 2)
                self._items.append(_item(root, candidate, "retention is over"))
            else:
                self._skips.append(Note(path, reason))

    def _scanner(self, root: SearchRoot) -> Scanner:
        options, config = self.options, self.options.config
        on = options.categories()
        strong = [rule for rule in self.rules if not rule.weak]
        litter = [rule for rule in strong if rule.category == "litter"]
        books = {
            "workspace": RuleBook(rule for rule in self.rules if rule.category in on),
            "environment": RuleBook(rule for rule in strong if rule.category in ("litter", "python_cache")),
            "git": RuleBook(rule for rule in litter if rule.kind == "file"),
        }
        return Scanner(
            books,
            named=frozenset(each for each in self.roots.named if root.holds(each)),
            environments=frozenset(self.roots.extra),
            mounts=self._mounts,
            max_depth=config.max_depth,
            include_git=config.include_git,
            include_environments=config.include_poetry_env,
            tagged_caches=config.build_artifacts,
            device=root.device,
        )

    def _explore(self, root: SearchRoot, scanner: Scanner, places: list[Place]) -> None:
        """Scan and judge, batch by batch, and scan within those folders that turned out to be no leftovers."""
        while places:
            found = scanner.sweep(places)
            self._entries += found.entries
            self._errors += [Note(*each) for each in found.errors]
            self._skips += [Note(*each) for each in found.closed]
            for candidate, reason, evidence in self._judge(root, found.candidates):
                if reason is None:
                    self._items.append(_item(root, candidate, evidence))
                    continue
                self._skips.append(Note(candidate.path, reason))
                if reason in _DESCEND and candidate.is_folder and candidate.rule.category != "node_modules":
                    places.append(Place(candidate.path, candidate.depth, keep=candidate.keep, judged=True))

    def _judge(self, root: SearchRoot, candidates: list[Candidate]) -> Iterator[tuple[Candidate, str | None, str]]:
        """Each candidate with the reason why it stays, or None, and what speaks for it."""
        ignored = self._ignored([each.path for each in candidates if each.evidence is None])
        for each in candidates:
            evidence = each.evidence or (IGNORED if each.path in ignored else "")
            yield each, self._reason(root, each, bool(evidence)), evidence

    def _reason(self, root: SearchRoot, candidate: Candidate, has_evidence: bool) -> str | None:
        """Why a candidate stays; None when nothing protects it. Cheap questions come first."""
        path, keep = candidate.path, candidate.keep
        reason = self._closed(path)
        if reason is None and keep:
            reason = keep.reason(path, is_folder=candidate.is_folder)
        if reason is None and not has_evidence:
            reason = "no evidence"
        if reason is None:
            reason = self.protect(path, root.path)
        if reason is None and candidate.is_folder:
            reason = reason_within(path, keep, tool_owned=candidate.rule.tool_owned)
        return reason

    def _closed(self, path: str) -> str | None:
        """Why nobody may have a path removed, whatever speaks for it."""
        if self._mounts and any(each == path or each.startswith(path + "/") for each in self._mounts):
            return "mount point"
        for guard in self.guards.values():
            if guard.covers(path) and guard.tracks(path):
                return "tracked by git"
        return self.in_use.reason(path)

    def _ignored(self, paths: list[str]) -> set[str]:
        found: set[str] = set()
        for guard in self.guards.values():
            within = [each for each in paths if guard.covers(each)]
            try:
                found |= guard.ignored(within)
            except GitGuardError:
                continue  # no evidence, then
        return found

    def _planned(self, path: str) -> bool:
        return any(path == each.path or path.startswith(each.path + "/") for each in self._items)


def _item(root: SearchRoot, candidate: Candidate, evidence: str) -> PlanItem:
    device, inode = root.device, candidate.inode
    try:
        # Asked for, because on stacked file systems a listing's inode number is not the one that a later stat gives.
        status = os.lstat(candidate.path)
    except OSError:
        pass
    else:
        inode = status.st_ino
        # One number for all items, where there is but one device: there may be many items.
        if status.st_dev != device:
            device = status.st_dev
    relative = candidate.path[len(root.path) + 1 :]
    return PlanItem(-1, root, relative, candidate.is_folder, device, inode, candidate.rule.name, evidence)
