"""The project's files as they stand: signatures, contents' digests, and what changed between two moments."""

from __future__ import annotations

import os
import subprocess
import time
from functools import cached_property
from pathlib import Path

from hephaestus_guard_rails._digest import digest
from hephaestus_guard_rails._project import walk

__all__ = ["FileTree", "Signature", "signature_of"]

#: size, mtime_ns, ctime_ns, inode
Signature = tuple[int, int, int, int]
# A file changed within the clock's grain of being read may change again without a new signature.
_RACY_SECONDS = 1.0
_IMPORTABLE = (".py", ".pyi", ".so", ".pyd")
_ARTEFACT_NAMES = ("coverage.xml", "coverage.json", ".DS_Store", "nohup.out", "junit.xml")


def signature_of(path: str) -> Signature | None:
    """What `stat` says of a file; None when it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _start_git(root: Path) -> subprocess.Popen[bytes] | None:
    """Have git list tracked files, and untracked ones that are not ignored; None without git or a repository."""
    if not any((place / ".git").exists() for place in (root, *root.parents)):
        return None
    command = ["git", "ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _git_listing(git: subprocess.Popen[bytes] | None) -> tuple[set[str], set[str]] | None:
    """Tracked and other files, relative to the root; None where git could not say."""
    if git is None:
        return None
    with git:
        listed = git.communicate()[0]
    if git.returncode != 0:
        return None
    tracked: set[str] = set()
    others: set[str] = set()
    for item in listed.split(b"\0"):
        if len(item) > 2:
            (others if item.startswith(b"?") else tracked).add(os.fsdecode(item[2:]))
    return tracked, others


def _is_artefact(relative: str) -> bool:
    name = relative.rpartition("/")[2]
    return name.startswith(".coverage") or name.endswith((".pyc", ".log")) or name in _ARTEFACT_NAMES


class FileTree:
    """Files below a root that decide results, and those that no check may change.

    Which files these are is for git to say, and it is asked while other things are done: the first look at them waits
    for its answer, as does the end of a `with` block around a tree that nobody looked at.

    Attributes:
        root: the project's root.
        digests: path → signature and digest, as far as known; may be filled from an earlier run.
    """

    def __init__(self, root: Path, found: dict[str, Signature], git: subprocess.Popen[bytes] | None) -> None:
        self.root = root
        self.digests: dict[str, tuple[Signature, str]] = {}
        self._found = found
        self._git = git

    @classmethod
    def scan(cls, root: Path) -> FileTree:
        """Look at all files below `root`."""
        git = _start_git(root)
        prefix = len(str(root)) + 1
        found = {}
        for path in walk(root):
            if (signature := signature_of(path)) is not None:
                found[path[prefix:]] = signature
        return cls(root, found, git)

    def __enter__(self) -> FileTree:
        return self

    def __exit__(self, *_: object) -> None:
        self._listing  # noqa: B018  # whoever started git waits for it

    @cached_property
    def _listing(self) -> tuple[set[str], set[str]] | None:
        return _git_listing(self._git)

    @cached_property
    def signatures(self) -> dict[str, Signature]:
        """Path relative to root → signature. Ignored files (by git, else by name) are left out, but for those that
        Python can import."""
        return {relative: each for relative, each in self._found.items() if _counts(relative, self._listing)}

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The paths that a read-only step must leave as they are: tracked ones, or all without git."""
        return frozenset(self.signatures if self._listing is None else self._found.keys() & self._listing[0])

    def refresh(self) -> list[str]:
        """Look at the known files again; returns the guarded ones that changed or vanished, sorted."""
        changed, guarded = [], self.guarded
        for relative, before in list(self.signatures.items()):
            now = signature_of(os.path.join(self.root, relative))
            if now == before:
                continue
            if now is None:
                del self.signatures[relative]
            else:
                self.signatures[relative] = now
            if relative in guarded and not self._same_content(relative, before, now):
                changed.append(relative)
        return sorted(changed)

    def _same_content(self, relative: str, before: Signature, now: Signature | None) -> bool:
        known = self.digests.get(relative)
        if now is None or now[0] != before[0] or known is None or known[0] != before:
            # Contents were not read before; a rewrite with equal text then shows by its inode or time only.
            return now is not None and now[:2] == before[:2]
        return self.digest(relative) == known[1]

    def digest(self, relative: str) -> str:
        """blake2b of a file's contents (16 bytes, hex); "absent" when it cannot be read."""
        signature = self.signatures.get(relative)
        known = self.digests.get(relative)
        if known is not None and known[0] == signature:
            return known[1]
        try:
            with open(os.path.join(self.root, relative), "rb") as stream:
                value = digest(stream.read())
        except OSError:
            return "absent"
        if signature is not None:
            self.digests[relative] = (signature, value)
        return value

    def keepable_digests(self) -> dict[str, tuple[Signature, str]]:
        """The digests that a later run may trust: of present files that were not touched just now."""
        horizon = time.time_ns() - int(_RACY_SECONDS * 1e9)
        return {
            relative: (signature, value)
            for relative, (signature, value) in self.digests.items()
            if self.signatures.get(relative) == signature and max(signature[1], signature[2]) < horizon
        }


def _counts(relative: str, listing: tuple[set[str], set[str]] | None) -> bool:
    if listing is None:
        return not _is_artefact(relative)
    tracked, others = listing
    if relative in tracked:
        return True
    return (relative in others and not _is_artefact(relative)) or relative.endswith(_IMPORTABLE)
