"""One pass over a tree for all rules; what a rule has matched is not descended into.

The scan reads by path, for speed, and decides nothing for good: whatever is swapped behind its back, the removal opens
each path again beneath the root's descriptor and compares device and inode with what was seen here.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from attrs import define, field

from hephaestus_cleanup._evidence import cache_tag_is_genuine, find_evidence
from hephaestus_cleanup._keep import KeepSet, parse_ignore_file
from hephaestus_cleanup._listing import list_folder
from hephaestus_cleanup._rulebook import (
    CACHE_TAG,
    ENVIRONMENT_NAMES,
    IGNORE_FILE,
    INSTALLED_NAMES,
    QUARANTINE_NAME,
    REPOSITORY_NAMES,
    SPECIAL_NAMES,
    RuleBook,
)
from hephaestus_cleanup.rules import Rule

__all__ = ["TAGGED_CACHE", "Candidate", "Findings", "Place", "Scanner"]

TAGGED_CACHE = Rule("tagged-cache", names=(CACHE_TAG,), kind="folder", category="build_artifacts", tool_owned=True)
"""What a folder with a genuine CACHEDIR.TAG is: its writer says that all of it can be made again."""

_NEVER_ENTERED = REPOSITORY_NAMES | INSTALLED_NAMES | {QUARANTINE_NAME}
# Inside .git: a branch may be called like an artefact, and objects are history.
_GIT_CLOSED = frozenset({"refs", "objects", "worktrees", "modules", "lfs", "annex", "svn", "rr-cache"})
_ENVIRONMENT_FOLDER = ".venv"
# Candidates take more memory than what is planned of them, so they are judged by batches.
_BATCH = 4096


class Candidate(NamedTuple):
    """A path that a rule has matched.

    Attributes:
        path: absolute.
        is_folder: False for files, links and whatever else.
        inode: as the folder's listing gave it.
        rule: the rule.
        evidence: what speaks for it besides the name; None when a weak name has nothing yet.
        keep: the protections that hold at this place.
        depth: how far below its root; a child of the root has 1.
    """

    path: str
    is_folder: bool
    inode: int
    rule: Rule
    evidence: str | None
    keep: KeepSet
    depth: int


class Place(NamedTuple):
    """A folder to list.

    Attributes:
        path: absolute.
        depth: 0 for a root.
        scope: "workspace", "environment" or "git"; which rules hold.
        keep: the protections that hold here.
        start: True for a root and for a folder that an option names: entered whatever it is.
        judged: True for a folder that was a candidate and stays: it is no candidate again.
    """

    path: str
    depth: int = 0
    scope: str = "workspace"
    keep: KeepSet = KeepSet()
    start: bool = False
    judged: bool = False


@define
class Findings:
    """What a pass found: candidates, closed folders with a reason, unreadable folders with one, and counts."""

    candidates: list[Candidate] = field(factory=list)
    closed: list[tuple[str, str]] = field(factory=list)
    errors: list[tuple[str, str]] = field(factory=list)
    entries: int = 0


@define
class Scanner:
    """Looks for what the rules name.

    Args:
        rules: the rules in force, by scope.
        named: folders that an option names; entered although they are repositories or environments.
        environments: environments that may be entered for caches.
        mounts: mount points, never entered; None to compare devices instead.
        max_depth: deepest level of entries that may match; None for no limit.
        include_git: look for litter inside the root's `.git`.
        include_environments: look for caches in `.venv` and `environments`.
        tagged_caches: take folders with a genuine CACHEDIR.TAG.
        device: the root's device; used only without `mounts`.
    """

    rules: dict[str, RuleBook]
    named: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    mounts: frozenset[str] | None = frozenset()
    max_depth: int | None = None
    include_git: bool = False
    include_environments: bool = False
    tagged_caches: bool = False
    device: int = 0
    listed: set[str] = field(factory=set, init=False)

    def sweep(self, stack: list[Place]) -> Findings:
        """Look through folders and what lies beneath them, until a batch of candidates is found.

        Args:
            stack: the folders; what has been looked through is taken off, and what is left comes with the next call.
        """
        findings = Findings()
        while stack and len(findings.candidates) < _BATCH:
            place = stack.pop()
            if self.max_depth is not None and place.depth >= self.max_depth:
                continue
            if place.path in self.named:
                self.listed.add(place.path)
            try:
                entries = list_folder(place.path)
                below, hits = self.rules[place.scope].sort_out(entries)
                if hits:
                    stack += self._folder(place, below, hits, entries, findings)
                elif below:
                    stack += self._enter(place, below, findings)
            except OSError as error:
                findings.errors.append((place.path, error.strerror or str(error)))
            else:
                findings.entries += len(entries)
        return findings

    def _folder(
        self,
        place: Place,
        below: list[str],
        hits: list[os.DirEntry[str]],
        entries: list[os.DirEntry[str]],
        findings: Findings,
    ) -> list[Place]:
        """What to enter of a folder in which some names mean something."""
        special = SPECIAL_NAMES.intersection([entry.name for entry in hits])
        if special:
            changed = self._special(place, special, below, findings)
            if changed is None:
                return []
            place = changed
        below += self._hits(place, hits, entries, findings)
        return self._enter(place, below, findings) if below else []

    def _special(self, place: Place, special: frozenset[str], below: list[str], findings: Findings) -> Place | None:
        """The place with what its special names change; None when it is closed."""
        if IGNORE_FILE in special:
            place = place._replace(keep=place.keep.plus(parse_ignore_file(f"{place.path}/{IGNORE_FILE}")))
        if place.start or place.path in self.named:
            return place
        repository = special & REPOSITORY_NAMES or ("HEAD" in special and {"objects", "refs"} <= {*below})
        if repository and place.scope != "git":
            findings.closed.append((place.path, "nested repository"))
            return None
        if special & ENVIRONMENT_NAMES:
            named = os.path.basename(place.path) == _ENVIRONMENT_FOLDER or place.path in self.environments
            return place._replace(scope="environment") if self.include_environments and named else None
        if CACHE_TAG in special and not place.judged and self._take_tagged(place, findings):
            return None
        return place

    def _take_tagged(self, place: Place, findings: Findings) -> bool:
        if not self.tagged_caches or place.scope != "workspace" or not cache_tag_is_genuine(place.path):
            return False
        inode = os.lstat(place.path).st_ino
        findings.candidates.append(
            Candidate(place.path, True, inode, TAGGED_CACHE, f"holds {CACHE_TAG}", place.keep, place.depth)
        )
        return True

    def _hits(
        self, place: Place, hits: list[os.DirEntry[str]], entries: list[os.DirEntry[str]], findings: Findings
    ) -> list[str]:
        """Turn hits into candidates; returns the names of folders that no rule took."""
        below = []
        names: frozenset[str] | None = None
        match = self.rules[place.scope].match
        for entry in hits:
            name = entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            rules = match(name, is_folder=is_folder)
            if not rules:
                if is_folder:
                    below.append(name)
                continue
            if names is None and rules[0].weak:
                names = frozenset([each.name for each in entries])
            path = f"{place.path}/{name}"
            rule, evidence = find_evidence(rules, path, names or frozenset())
            findings.candidates.append(
                Candidate(path, is_folder, entry.inode(), rule, evidence, place.keep, place.depth + 1)
            )
        return below

    def _enter(self, place: Place, below: list[str], findings: Findings) -> list[Place]:
        places = []
        keep = place.keep.patterns and place.keep
        for name in below:
            scope = self._scope_of(place, name)
            if scope is None:
                continue
            path = f"{place.path}/{name}"
            if keep and keep.reason(path, is_folder=True):
                continue
            if self._is_mount(path):
                findings.closed.append((path, "mount point"))
                continue
            places.append(Place(path, place.depth + 1, scope, place.keep))
        return places

    def _scope_of(self, place: Place, name: str) -> str | None:
        if place.scope == "git":
            return None if name in _GIT_CLOSED else "git"
        if name == ".git" and place.start and self.include_git:
            return "git"
        return None if name in _NEVER_ENTERED or name.casefold() == ".git" else place.scope

    def _is_mount(self, path: str) -> bool:
        if self.mounts is not None:
            return bool(self.mounts) and path in self.mounts
        return os.lstat(path).st_dev != self.device
