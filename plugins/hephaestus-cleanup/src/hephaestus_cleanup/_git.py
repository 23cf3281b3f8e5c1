"""The git guard: which paths git tracks, asked once for each repository, with nothing of the repository's run.

A repository's configuration can name programs (fsmonitor, hooks, pagers, filters); a cleanup of somebody else's
workspace must start none of them. Only `ls-files` and `check-ignore` are called, with these switched off on their
command lines.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
import unicodedata
from collections.abc import Callable, Iterable

from attrs import define, field, frozen

from hephaestus_cleanup._nullisting import Listing
from hephaestus_cleanup.errors import GitGuardError

__all__ = ["GitGuard", "Repository", "find_repositories"]

_HARDENED = (
    "--no-pager",
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"),
    *("-c", "core.untrackedCache=false", "-c", "core.pager=cat", "-c", "core.editor=false"),
)
_FOLDING = r"^core\.(ignorecase|precomposeunicode)$"
_SECONDS = 120.0


@frozen
class Repository:
    """A git work tree.

    Attributes:
        top: its top level, absolute.
        git_dir: its `.git` folder, or the one that its `.git` file names.
    """

    top: str
    git_dir: str


def find_repositories(folder: str) -> list[Repository]:
    """The repositories around a folder: each `.git` at or above it, the nearest first.

    More than the nearest one counts: a repository that was made within another doesn't take from that what it tracks.

    Raises:
        GitGuardError: a `.git` that is neither a folder nor names one.
    """
    found = []
    while True:
        entry = os.path.join(folder, ".git")
        if os.path.lexists(entry):
            found.append(Repository(folder, _git_dir(entry)))
        parent = os.path.dirname(folder)
        if parent == folder:
            return found
        folder = parent


def _git_dir(entry: str) -> str:
    if os.path.isdir(entry):
        return entry
    try:
        # O_NONBLOCK: a FIFO of that name must not hang the run.
        handle = os.open(entry, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, encoding="utf-8", errors="surrogateescape") as file:
            line = file.readline(8192).rstrip("\n") if stat.S_ISREG(os.fstat(handle).st_mode) else ""
    except OSError as error:
        raise GitGuardError(f"cannot read {entry}: {error.strerror}") from error
    if not line.startswith("gitdir: "):
        raise GitGuardError(f"{entry} is no git folder and names none", hint="mend or remove that entry")
    return os.path.normpath(os.path.join(os.path.dirname(entry), line.removeprefix("gitdir: ")))


@define
class GitGuard:
    """Asks git which files of one repository it tracks; the answer is fetched while the caller scans.

    Args:
        repository: whose index is read.

    Raises:
        GitGuardError: git is missing or cannot read the repository.
    """

    repository: Repository
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _asked: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _reader: threading.Thread | None = field(default=None, init=False)
    _answer: tuple[bytes, str] | GitGuardError = field(factory=lambda: GitGuardError("git was not read"), init=False)
    _tracked: Listing | None = field(default=None, init=False)
    _folded: bool = field(default=False, init=False)
    _seen: tuple[int, ...] = field(default=(), init=False)
    _prefix: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._prefix = self.repository.top.rstrip("/") + "/"

    def start(self) -> None:
        """Begin to read the index; returns at once."""
        self._seen = self._index_state()
        self._process = self._git("ls-files", "-z", "--cached")
        self._asked = self._git("config", "--type=bool", "--get-regexp", _FOLDING)
        # Read as it comes: git would stop at a full pipe and not be ready when the scan is.
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="cleanup-git", daemon=True)
        self._reader.start()

    def covers(self, path: str) -> bool:
        """True when a path lies beneath the repository's top level."""
        return path.startswith(self._prefix)

    def tracks(self, path: str) -> bool:
        """True when git tracks a path, or anything beneath it.

        Args:
            path: absolute, beneath the repository's top level.
        """
        tracked = self._tracked if self._tracked is not None else self._listing()
        return tracked.holds(self._key(path[len(self._prefix) :]))

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those paths that git ignores by a pattern of their own, and not because of a folder above them."""
        wanted = list(paths)
        if not wanted:
            return set()
        asked = {each: os.path.dirname(each) for each in wanted}
        inside = [each for each in {*asked, *asked.values()} if each != self.repository.top]
        # "./" keeps a name that begins with a colon from being read as a pathspec.
        relative = {b"./" + os.fsencode(os.path.relpath(each, self.repository.top)): each for each in inside}
        process = self._git("check-ignore", "-z", "--stdin", "--no-index", stdin=subprocess.PIPE)
        output, _ = self._finish(process, b"".join(each + b"\0" for each in relative))
        found = {relative[each] for each in output.split(b"\0") if each in relative}
        return {each for each, parent in asked.items() if each in found and parent not in found}

    def changed(self) -> bool:
        """True when the index is no longer the one that was read."""
        return self._index_state() != self._seen

    def close(self) -> None:
        """End the git processes that are still reading."""
        for process in filter(None, (self._process, self._asked)):
            if process.poll() is None:
                process.kill()
        if self._reader is not None:
            self._reader.join()
        if self._asked is not None:
            self._asked.communicate()
        if self._process is not None:
            self._process.wait()  # an interrupted join() lets the next one return at once
        self._process = self._asked = self._reader = None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        try:
            self._answer = self._finish(process)
        except GitGuardError as error:  # raised again where the answer is wanted
            self._answer = error

    def _listing(self) -> Listing:
        if self._tracked is None:
            if self._process is None:
                self.start()
            assert self._process is not None
            assert self._asked is not None
            assert self._reader is not None
            self._reader.join()
            if isinstance(self._answer, GitGuardError):
                raise self._answer
            output, complaint = self._answer
            if self._process.returncode != 0:
                raise GitGuardError(
                    f"git cannot list what it tracks in {self.repository.top}: {complaint}",
                    hint="mend the repository, or clean a folder outside it",
                )
            asked, self._asked = self._asked, None
            self._folded = b" true" in self._finish(asked)[0]
            self._answer = b"", ""
            self._tracked = Listing(_sorted_records(output, self._key_of) if self._folded else output)
        return self._tracked

    def _key(self, relative: str) -> bytes:
        name = os.fsencode(relative)
        return self._key_of(name) if self._folded else name

    @staticmethod
    def _key_of(name: bytes) -> bytes:
        text = name.decode("utf-8", "surrogateescape")
        return unicodedata.normalize("NFC", text).casefold().encode("utf-8", "surrogateescape")

    def _git(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        place = self.repository
        command = ["git", *_HARDENED, f"--git-dir={place.git_dir}", f"--work-tree={place.top}", *arguments]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
        try:
            return subprocess.Popen(
                command,
                executable=_program(),
                cwd=place.top,
                env=environment,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise GitGuardError(
                f"{place.top} is a git repository, but git cannot be started: {error.strerror}",
                hint="install git, so that tracked files can be told from leftovers",
            ) from error

    def _finish(self, process: subprocess.Popen[bytes], text: bytes | None = None) -> tuple[bytes, str]:
        try:
            output, complaint = process.communicate(text, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise GitGuardError(f"git did not answer within {_SECONDS:.0f} s in {self.repository.top}") from None
        finally:
            # Interrupted or out of time: no process is left behind, whatever it hangs on.
            if process.poll() is None:
                process.kill()
                process.communicate()
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        return output, lines[-1] if lines else "no reason given"

    def _index_state(self) -> tuple[int, ...]:
        try:
            status = os.stat(os.path.join(self.repository.git_dir, "index"))
        except OSError:
            return ()
        return status.st_ino, status.st_size, status.st_mtime_ns


def _program() -> str:
    """The git on the path; relative entries don't count, for git is started in somebody else's workspace."""
    for folder in os.get_exec_path():
        path = os.path.join(folder, "git")
        if os.path.isabs(folder) and os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "git")


def _sorted_records(listing: bytes, key: Callable[[bytes], bytes]) -> bytes:
    return b"".join(each + b"\0" for each in sorted(key(name) for name in listing.split(b"\0") if name))
