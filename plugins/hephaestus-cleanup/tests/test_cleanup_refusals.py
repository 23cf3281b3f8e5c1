"""What the operating system refuses is one error, the rest goes on: told through a seam and at the system calls."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup._record import read_record

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]
Events = Callable[[Path], list[tuple[str, dict[str, Any]]]]


# ---- through a seam ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.EIO, errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("call", ["unlink", "rmdir"])
def test_any_refusal_is_one_error_and_the_rest_goes_on(
    engine: Build,
    workspace: Path,
    fill: Fill,
    left: Left,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    call: str,
) -> None:
    fill(workspace, "a/__pycache__/bad.pyc", "b/__pycache__/good.pyc", "z.pyc")
    original = getattr(os, call)
    bad = "bad.pyc" if call == "unlink" else "__pycache__"
    refused: list[str] = []

    def refuse(name: str, *, dir_fd: int) -> None:
        if name == bad and os.readlink(f"/proc/self/fd/{dir_fd}").startswith(str(workspace / "a")):
            refused.append(name)
            raise OSError(number, os.strerror(number), name)
        original(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, call, refuse)
    outcome = engine().run()

    path = "a/__pycache__/bad.pyc" if call == "unlink" else "a/__pycache__"
    assert refused == [bad]
    assert [(each.path, each.reason) for each in outcome.errors] == [(str(workspace / path), os.strerror(number))]
    assert [each.item.relative for each in outcome.removed] == ["b/__pycache__", "z.pyc"]


# ---- at the system call --------------------------------------------------------------------------------------------


class Injected:
    """The command line over three leftovers, with a system call that fails."""

    def __init__(self, workspace: Path, tmp_path: Path, strace: Callable[..., Any], events: Events) -> None:
        self.workspace, self.manifest, self.log = workspace, tmp_path / "audit.json", tmp_path / "events"
        self._strace, self._events = strace, events

    def run(self, inject: str, *arguments: str, path: Path | None = None) -> int:
        program = (sys.executable, "-m", "hephaestus", "--log-file", str(self.log), "cleanup", "--python-cache", ".")
        options = ("--audit-manifest", str(self.manifest), "--workers", "1")
        done = self._strace(f"inject={inject}", *program, *options, *arguments, path=path)
        assert "Traceback" not in done.stderr
        self.events = self._events(self.log)
        names = [name for name, _ in self.events]
        assert names[:2] == ["cli.cleanup.start", "cleanup.run.start"]
        assert names[-2] == "cleanup.run.complete"
        assert names[-1] == ("cli.cleanup.failed" if done.returncode else "cli.cleanup.complete")
        return int(done.returncode)

    def told(self, name: str) -> list[str]:
        """Paths (or, for errors, paths and reasons) of an event, below the workspace."""
        found = (payload for each, payload in self.events if each == name)
        shown = ((os.path.relpath(each["path"], self.workspace), each.get("reason")) for each in found)
        return [f"{path}: {reason}" if reason else path for path, reason in shown]


@pytest.fixture
def injected(workspace: Path, tmp_path: Path, strace: Callable[..., Any], read_events: Events, fill: Fill) -> Injected:
    fill(workspace, "a/__pycache__/x.pyc", "b/__pycache__/y.pyc", "z.pyc")
    return Injected(workspace, tmp_path, strace, read_events)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EACCES", "EBUSY", "EIO", "EROFS"])
def test_an_unlinkat_that_fails_is_one_error_and_the_rest_goes(injected: Injected, left: Left, name: str) -> None:
    words = os.strerror(getattr(errno, name))

    assert injected.run(f"unlinkat:error={name}:when=1") == 1

    assert injected.told("cleanup.path.error") == [f"a/__pycache__/x.pyc: {words}"]
    assert injected.told("cleanup.path.removed") == ["b/__pycache__", "z.pyc"]
    assert left(injected.workspace) == {"a/__pycache__/x.pyc", "b/"}
    document = json.loads(injected.manifest.read_text())
    assert [each["reason"] for each in document["errors"]] == [words]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inject", "place", "error"),
    [
        # The folder above a match: a listing at the scan, an opening at the removal; then the match's own listing.
        ("getdents64:error=EIO:when=1", "a", "a: Input/output error"),
        ("openat2:error=EIO:when=1", "a", "a/__pycache__: Input/output error"),
        ("getdents64:error=EIO:when=1", "a/__pycache__", "a/__pycache__: Input/output error"),
        ("unlinkat:error=EROFS:when=1", "a", "a/__pycache__: Read-only file system"),
    ],
    ids=["scan", "open", "list", "rmdir"],
)
def test_a_folder_that_fails_in_any_way_is_one_error_and_the_rest_goes(
    injected: Injected, inject: str, place: str, error: str
) -> None:
    assert injected.run(inject, path=injected.workspace / place) == 1

    assert injected.told("cleanup.path.error") == [error]
    assert injected.told("cleanup.path.removed") == ["b/__pycache__", "z.pyc"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "inject",
    ["write:error=ENOSPC:when=1", "write:error=EIO:when=2", "fsync:error=ENOSPC:when=1", "fsync:error=EIO:when=1"],
)
def test_a_manifest_that_cannot_reach_the_disk_means_that_nothing_goes(
    injected: Injected, left: Left, inject: str
) -> None:
    before = left(injected.workspace)

    assert injected.run(inject, path=injected.manifest) == 1

    assert injected.told("cleanup.path.removed") == []
    assert left(injected.workspace) == before
    assert not injected.manifest.exists()


@pytest.mark.slow
@pytest.mark.parametrize("when", [4, 6])
def test_a_disk_that_fills_up_meanwhile_leaves_a_true_manifest(injected: Injected, when: int) -> None:
    assert injected.run(f"write:error=ENOSPC:when={when}+", path=injected.manifest) == 1

    record = read_record(str(injected.manifest))
    told = {key: {os.path.relpath(each["path"], injected.workspace) for each in record[key]} for key in STATES}
    there = {name for name in ("a/__pycache__", "b/__pycache__", "z.pyc") if (injected.workspace / name).exists()}
    assert told["not_removed"] <= there
    assert not told["removed"] & there
    assert len(told["in_doubt"]) <= 1
    assert sum(map(len, told.values())) == 3


STATES = ("removed", "not_removed", "in_doubt", "kept")


@pytest.mark.slow
def test_a_last_sync_that_fails_fails_the_run(injected: Injected) -> None:
    assert injected.run("fsync:error=EIO:when=2", path=injected.manifest) == 1

    assert injected.told("cleanup.path.removed") == ["a/__pycache__", "b/__pycache__", "z.pyc"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ENOSYS", "EPERM"])
def test_a_kernel_without_openat2_or_renameat2_is_no_hindrance(injected: Injected, left: Left, name: str) -> None:
    assert injected.run(f"openat2:error={name}") == 0
    assert left(injected.workspace) == {"a/", "b/"}


@pytest.mark.slow
def test_a_rename_to_another_file_system_copies_nothing(injected: Injected, left: Left) -> None:
    before = left(injected.workspace)

    assert injected.run("renameat2:error=EXDEV", "--quarantine") == 1

    assert len(injected.told("cleanup.path.error")) == 3
    assert {path for path in left(injected.workspace) if not path.startswith(".heph")} == before


@pytest.mark.slow
def test_without_renameat2_the_quarantine_does_its_work(injected: Injected, left: Left) -> None:
    assert injected.run("renameat2:error=ENOSYS", "--quarantine") == 0

    assert {path for path in left(injected.workspace) if not path.startswith(".heph")} == {"a/", "b/"}
