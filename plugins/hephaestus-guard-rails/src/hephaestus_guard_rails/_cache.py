"""Passes that need not be repeated: a step's key is everything that decides its result."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from hephaestus_guard_rails._digest import digest
from hephaestus_guard_rails._files import FileTree, signature_of
from hephaestus_guard_rails._plan import PlannedStep
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails._store import Store
from hephaestus_guard_rails.steps import Step

__all__ = ["Cache", "Key"]

_PASSES = "passes"
_DIGESTS = "digests"
_KEPT_KEYS = 8
_NAMED_DIFFERENCES = 5

#: part → value; the part "files" maps path → digest
Key = dict[str, Any]


def _digest(key: Key) -> str:
    # surrogatepass: file names need not be UTF-8
    return digest(json.dumps(key, sort_keys=True).encode("utf-8", "surrogatepass"))


def _matching(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    if "*" in (listed := list(patterns)):
        return sorted(paths)
    match = re.compile("|".join(fnmatch.translate(pattern) for pattern in listed)).match
    return sorted(path for path in paths if match(path))


class Cache:
    """The kept passes of one project.

    Args:
        store: where they are kept.
        project: the project.
        tree: its files now; digests of an earlier run are handed to it.
    """

    def __init__(self, store: Store, project: Project, tree: FileTree) -> None:
        self._store = store
        self._project = project
        self._tree = tree
        self._passes = store.load(_PASSES)
        self._has_news = False
        self._digests = store.load(_DIGESTS)
        for path, entry in self._digests.items():
            if isinstance(entry, list) and len(entry) == 5:
                tree.digests.setdefault(path, ((entry[0], entry[1], entry[2], entry[3]), entry[4]))

    @cached_property
    def _foreign(self) -> list[FileTree]:
        return [FileTree.scan(folder) for folder in self._foreign_sources()]

    def _foreign_sources(self) -> list[Path]:
        """Folders outside the project whose code runs in its tests: other packages installed in editable mode."""
        environment = self._project.environment
        folders = environment.editable_sources.values() if environment is not None else ()
        root = self._project.root
        return sorted({folder for folder in folders if folder.is_dir() and not folder.is_relative_to(root)})

    @staticmethod
    def unusable(step: Step) -> str:
        """Why the step's result is never reused; empty when it may be."""
        if step.inputs is None:
            return "it declares no inputs"
        if step.network:
            return "its result depends on the network"
        return "it writes files" if step.mutates else ""

    def key(self, entry: PlannedStep) -> Key:
        """Everything that decides the result of the step's check, as it stands now."""
        step = entry.step
        environment = self._project.environment
        found = entry.found
        patterns = step.inputs or ()
        files = {path: self._tree.digest(path) for path in _matching(self._tree.signatures, patterns)}
        for tree in self._foreign:
            files |= {f"{tree.root}/{path}": tree.digest(path) for path in _matching(tree.signatures, patterns)}
        program = list(signature_of(found.argv[0]) or ()) if found is not None and found.argv else []
        return {
            "command": list(entry.command("check")),
            "tool": [found.version if found is not None else "", program],
            "python": environment.python_version if environment is not None else sys.version,
            "platform": [os.uname().sysname, os.uname().machine],
            "variables": {name: os.environ.get(name) for name in step.environment_inputs} | dict(step.environment),
            "installed": environment.distributions if environment is not None else {},
            "files": files,
        }

    def holds(self, entry: PlannedStep, key: Key) -> bool:
        """Whether the step passed before with this key."""
        return _digest(key) in self._kept(entry)[0]

    def _kept(self, entry: PlannedStep) -> tuple[list[str], Key | None]:
        """Digests of the step's kept passes and the key of the last; whatever is damaged counts as absent."""
        kept = self._passes.get(entry.step.name)
        if not isinstance(kept, dict):
            return [], None
        digests, last = kept.get("digests"), kept.get("last")
        whole = isinstance(last, dict) and isinstance(last.get("files"), dict)
        return (digests if isinstance(digests, list) else []), (last if whole else None)

    def keep(self, entry: PlannedStep, key: Key) -> None:
        """Remember a pass; `save` writes it."""
        older, last = self._kept(entry)
        newest = _digest(key)
        if older[:1] == [newest] and last is not None:
            return
        self._has_news = True
        digests = [newest, *(each for each in older if each != newest)][:_KEPT_KEYS]
        self._passes[entry.step.name] = {"digests": digests, "last": key}

    def save(self) -> None:
        """Write what `keep` took, and the digests of files, where either is news."""
        if self._has_news:
            self._store.save(_PASSES, self._passes)
        digests = {path: [*signature, value] for path, (signature, value) in self._tree.keepable_digests().items()}
        if digests != self._digests:
            self._store.save(_DIGESTS, digests)

    def explain(self, entry: PlannedStep) -> tuple[bool, str]:
        """Whether the step would run now, and why: if it passed before, what differs from its last pass."""
        if reason := self.unusable(entry.step):
            return True, f"a pass is never reused, as {reason}"
        key = self.key(entry)
        if self.holds(entry, key):
            return False, "it passed before with the same inputs"
        _, last = self._kept(entry)
        if last is None:
            return True, "no pass of it is kept"
        return True, "; ".join(_differences(last, key)) or "its inputs differ"


def _differences(before: Key, now: Key) -> list[str]:
    parts = [f"{part} differs" for part in now if part != "files" and before.get(part) != now[part]]
    old, new = before["files"], now["files"]
    changes = [f"{path} is new" for path in new.keys() - old.keys()]
    changes += [f"{path} is gone" for path in old.keys() - new.keys()]
    changes += [f"{path} changed" for path in new.keys() & old.keys() if old[path] != new[path]]
    named = sorted(changes)[:_NAMED_DIFFERENCES]
    if len(changes) > len(named):
        named.append(f"and {len(changes) - len(named)} more files")
    return parts + named
