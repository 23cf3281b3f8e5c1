"""`--quarantine` and `hephaestus cleanup-runs`: what was moved aside comes back, and nothing is ever overwritten."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup import _crew, _quarantine

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]
Cleanup = Callable[..., Any]

RUNS = ("cleanup-runs",)


@pytest.fixture
def tree(workspace: Path, fill: Fill) -> Path:
    fill(workspace, "package.json", "build/lib/x", "build/y", "src/__pycache__/z.pyc", "src/z.py", "a.pyc")
    (workspace / "build/link").symlink_to("y")
    (workspace / "build/y").chmod(0o640)
    return workspace


def test_undo_brings_everything_back_as_it_was(cleanup: Cleanup, tree: Path, left: Left) -> None:
    before = left(tree)
    inodes = {path: (tree / path).lstat().st_ino for path in before}

    run = cleanup("--python-cache", "--build-artifacts", "--quarantine", ".")

    assert run.code == 0
    assert [each["path"] for each in run.of("cleanup.path.removed")] == [
        str(tree / name) for name in ("a.pyc", "build", "src/__pycache__")
    ]
    assert {path for path in left(tree) if not path.startswith(".hephaestus")} == {"package.json", "src/z.py"}
    assert stat.S_IMODE((tree / ".hephaestus-quarantine").stat().st_mode) == 0o700
    assert "cleanup-runs undo run-" in run.out

    undone = cleanup("undo", command=RUNS)

    assert undone.code == 0, undone.err
    assert left(tree) == before
    assert {path: (tree / path).lstat().st_ino for path in before} == inodes


def test_undo_overwrites_nothing_and_says_what_is_left(cleanup: Cleanup, tree: Path, left: Left) -> None:
    cleanup("--python-cache", "--build-artifacts", "--quarantine", ".")
    (tree / "build").mkdir()
    (tree / "build/new").write_text("new work")

    undone = cleanup("undo", "--json", command=RUNS)

    document = json.loads(undone.out)
    assert undone.code == 1
    assert document["restored"] == [str(tree / "a.pyc"), str(tree / "src/__pycache__")]
    assert document["left"] == [{"path": str(tree / "build"), "reason": "something is there now"}]
    assert (tree / "build/new").read_text() == "new work"

    (tree / "build").rename(tree / "moved")
    again = json.loads(cleanup("undo", "--json", command=RUNS).out)
    assert again["restored"] == [str(tree / "build")]
    assert (tree / "build/lib/x").exists()


def test_undo_makes_folders_that_are_gone_meanwhile(cleanup: Cleanup, tree: Path) -> None:
    cleanup("--python-cache", "--quarantine", ".")
    (tree / "src/z.py").unlink()
    (tree / "src").rmdir()

    assert cleanup("undo", command=RUNS).code == 0
    assert (tree / "src/__pycache__/z.pyc").exists()


def test_undo_does_not_follow_a_link_that_took_a_folders_place(cleanup: Cleanup, tree: Path, tmp_path: Path) -> None:
    cleanup("--python-cache", "--quarantine", ".")
    (tmp_path / "victim").mkdir()
    (tree / "src").rename(tree / "aside")
    (tree / "src").symlink_to(tmp_path / "victim")

    undone = cleanup("undo", command=RUNS)

    assert undone.code == 1
    assert os.listdir(tmp_path / "victim") == []


def test_a_run_that_deleted_cannot_be_undone(cleanup: Cleanup, tree: Path) -> None:
    cleanup("--python-cache", ".")

    undone = cleanup("undo", command=RUNS)

    assert undone.code == 1
    assert "--quarantine" in undone.err


def test_the_quarantine_is_neither_swept_nor_seen_by_git(cleanup: Cleanup, tree: Path, git: Callable[..., str]) -> None:
    git(tree, "init", "-q")
    cleanup("--deep-clean", "--quarantine")

    again = cleanup("--deep-clean")

    assert again.of("cli.cleanup.complete") == [{"removed": 0, "skipped": 0, "errors": 0}]
    assert ".hephaestus" not in git(tree, "status", "--porcelain", "--untracked-files=all")


def test_another_file_system_is_an_error_and_nothing_is_copied(
    engine: Build, tree: Path, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    before = left(tree)
    monkeypatch.setattr(_crew, "move_without_overwriting", refuse)

    outcome = engine(config={"quarantine": True}).run()

    assert [each.reason for each in outcome.errors] == [os.strerror(errno.EXDEV)] * 3
    assert {path for path in left(tree) if not path.startswith(".heph")} == before


def test_what_took_the_name_at_the_last_moment_is_put_back(
    engine: Build, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = _quarantine.move_without_overwriting

    def late(source: int, name: str, target: int, new_name: str) -> None:
        if name == "a.pyc" and new_name == "0":
            os.rename("a.pyc", "aside", src_dir_fd=source, dst_dir_fd=source)
            (tree / "a.pyc").write_text("somebody's work")
        move(source, name, target, new_name)

    monkeypatch.setattr(_crew, "move_without_overwriting", late)

    outcome = engine(config={"quarantine": True}).run()

    assert ("changed since the plan", str(tree / "a.pyc")) in [(each.reason, each.path) for each in outcome.skipped]
    assert (tree / "a.pyc").read_text() == "somebody's work"


def test_what_took_the_name_and_cannot_be_put_back_is_told_of(
    engine: Build, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = _quarantine.move_without_overwriting

    def late(source: int, name: str, target: int, new_name: str) -> None:
        if "a.pyc" in (name, new_name):
            if (tree / "a.pyc").exists():
                (tree / "a.pyc").rename(tree / "aside")  # not unlinked, or the next file could get its inode
            (tree / "a.pyc").write_text(f"work of {name}")
        move(source, name, target, new_name)

    monkeypatch.setattr(_crew, "move_without_overwriting", late)

    outcome = engine(config={"quarantine": True}).run()

    assert ["0 in the quarantine" in each.reason for each in outcome.errors] == [True]
    assert (tree / "a.pyc").read_text() == "work of 0"
    assert (tree / ".hephaestus-quarantine/run-test/0").read_text() == "work of a.pyc"


@pytest.mark.parametrize("fallback", [False, True])
def test_moving_never_overwrites(workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, fallback: bool) -> None:
    if fallback:
        monkeypatch.setattr(sys, "platform", "other")
    fill(workspace, "one", text="1")
    fill(workspace, "two", text="2")
    handle = os.open(workspace, os.O_RDONLY)

    with pytest.raises(FileExistsError):
        _quarantine.move_without_overwriting(handle, "one", handle, "two")
    assert (workspace / "two").read_text() == "2"
    _quarantine.move_without_overwriting(handle, "one", handle, "three")
    assert (workspace / "three").read_text() == "1"
    os.close(handle)


def test_quarantined_runs_expire_by_age_and_their_removal_is_itself_told(
    cleanup: Cleanup, tree: Path, fill: Fill
) -> None:
    first = cleanup("--python-cache", "--quarantine", ".")
    (shelf,) = (path for path in (tree / ".hephaestus-quarantine").iterdir() if path.is_dir())
    os.utime(shelf, (time.time() - 15 * 86400,) * 2)

    preview = cleanup("--dry-run", ".")
    assert preview.of("cleanup.path.preview") == [{"path": str(shelf), "dry_run": True}]
    assert shelf.exists()

    fill(tree, ".DS_Store")
    second = cleanup("--quarantine", ".")
    assert [each["path"] for each in second.of("cleanup.path.removed")] == [str(tree / ".DS_Store"), str(shelf)]
    assert not shelf.exists()
    assert cleanup("undo", command=RUNS).code == 0
    assert (tree / ".DS_Store").exists()

    run = Path(first.events[-1][1]["audit_manifest"]).stem
    undone = cleanup("undo", run, command=RUNS)
    assert undone.code == 1
    assert "no quarantine" in undone.err or "not in the quarantine" in undone.err


def test_quarantined_runs_expire_by_size_the_oldest_first(engine: Build, workspace: Path, fill: Fill) -> None:
    now = time.time()
    for number, age in (("old", 300), ("middle", 200), ("new", 100)):
        fill(workspace, f".hephaestus-quarantine/{number}/0", text="x" * 100)
        os.utime(workspace / f".hephaestus-quarantine/{number}", (now - age,) * 2)

    outcome = engine(config={"quarantine_max_bytes": 250}).run()

    assert [each.item.relative for each in outcome.removed] == [".hephaestus-quarantine/old"]


@pytest.mark.parametrize("kind", ["link", "file", "fifo"])
def test_a_quarantine_that_is_no_folder_is_refused_and_nothing_is_removed(
    cleanup: Cleanup, tree: Path, left: Left, tmp_path: Path, fill: Fill, kind: str
) -> None:
    place = tree / ".hephaestus-quarantine"
    fill(tmp_path / "victim", "old-run/precious")
    os.utime(tmp_path / "victim/old-run", (0, 0))
    if kind == "link":
        place.symlink_to(tmp_path / "victim")
    elif kind == "file":
        place.touch()
    else:
        os.mkfifo(place)
    before = left(tree)

    run = cleanup("--python-cache", "--quarantine", ".")

    assert run.code == 1
    assert "no quarantine can be made" in run.err
    assert run.names[-2:] == ["cleanup.run.complete", "cli.cleanup.failed"]
    assert left(tree) == before
    # … nor does anything behind the link count as a run whose time is over.
    assert cleanup(".", "--dry-run").of("cleanup.path.preview") == []
    assert left(tmp_path / "victim") == {"old-run/precious"}


def test_a_quarantine_that_others_may_read_is_made_private(engine: Build, tree: Path) -> None:
    (tree / ".hephaestus-quarantine").mkdir(mode=0o755)
    (tree / ".hephaestus-quarantine").chmod(0o755)

    engine(config={"quarantine": True}).run()

    assert stat.S_IMODE((tree / ".hephaestus-quarantine").stat().st_mode) == 0o700
    assert stat.S_IMODE((tree / ".hephaestus-quarantine/run-test").stat().st_mode) == 0o700


def test_an_expired_quarantine_is_protected_like_any_leftover(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(workspace, "init", "-q")
    for name in ("free", "tracked", "here"):
        fill(workspace, f".hephaestus-quarantine/{name}/0")
    git(workspace, "add", "-f", ".hephaestus-quarantine/tracked")
    monkeypatch.chdir(workspace / ".hephaestus-quarantine/here")
    for name in ("free", "tracked", "here"):
        os.utime(workspace / f".hephaestus-quarantine/{name}", (0, 0))

    outcome = engine().run()

    shelf = str(workspace / ".hephaestus-quarantine")
    assert [each.item.path for each in outcome.removed] == [f"{shelf}/free"]
    assert {(each.path, each.reason) for each in outcome.skipped} == {
        (f"{shelf}/tracked", "tracked by git"),
        (f"{shelf}/here", "holds the current folder"),
    }


def test_what_is_quarantined_frees_nothing_until_it_expires(engine: Build, tree: Path) -> None:
    outcome = engine(config={"quarantine": True}).run()

    assert len(outcome.removed) == 3
    assert outcome.size == 0

    os.utime(tree / ".hephaestus-quarantine/run-test", (0, 0))
    later = engine(run_id="later").run()
    assert later.size > 0


@pytest.mark.parametrize("run_id", ["team/app/17", "../../escape", "..", ".gitignore", "a:b@c+d"])
def test_a_run_of_any_id_stays_within_its_folders_and_is_found_again(
    cleanup: Cleanup, tree: Path, left: Left, state: Path, tmp_path: Path, run_id: str
) -> None:
    before = left(tree)
    around = set(os.listdir(tmp_path))
    environment = {"HEPHAESTUS_RUN_ID": run_id}

    run = cleanup("--python-cache", "--quarantine", ".", env=environment)

    assert run.code == 0, run.err
    assert {path for path in left(tree) if not path.startswith(".hephaestus-quarantine/")} == {
        *("package.json", "build/lib/x", "build/y", "build/link", "src/z.py")
    }
    assert len(list((state / "hephaestus/cleanup/runs").glob("*.json"))) == 1
    assert set(os.listdir(tmp_path)) - around <= {"state", *(each.name for each in tmp_path.glob("log-*"))}
    assert cleanup("show", run_id, command=RUNS).out.startswith(f"run {run_id} of")
    assert cleanup("undo", run_id, command=RUNS).code == 0
    assert left(tree) == before


@pytest.mark.parametrize("forged", ["../../precious", "../../../outside", "/etc/hostname", "..", ""])
def test_a_forged_manifest_moves_nothing_but_what_lies_in_the_quarantine(
    cleanup: Cleanup, tree: Path, left: Left, tmp_path: Path, forged: str
) -> None:
    cleanup("--python-cache", "--quarantine", ".")
    (tree / "precious").touch()
    (tree.parent / "outside").touch()
    record = json.loads(cleanup("show", "--json", command=RUNS).out)
    record["removed"] = [{**record["removed"][0], "quarantined": forged, "relative": "taken"}]
    (tmp_path / "forged.json").write_text(json.dumps(record, indent=1))

    undone = cleanup("undo", str(tmp_path / "forged.json"), command=RUNS)

    assert undone.code == 1
    assert not os.path.lexists(tree / "taken")
    assert (tree / "precious").exists()
    assert (tree.parent / "outside").exists()


@pytest.mark.parametrize("relative", ["../taken", "src/../../taken", "src/..", ""])
def test_a_forged_manifest_restores_nothing_outside_the_root(
    cleanup: Cleanup, tree: Path, tmp_path: Path, relative: str
) -> None:
    cleanup("--python-cache", "--quarantine", ".")
    record = json.loads(cleanup("show", "--json", command=RUNS).out)
    record["removed"] = [{**record["removed"][0], "relative": relative}]
    (tmp_path / "forged.json").write_text(json.dumps(record, indent=1))
    around = set(os.listdir(tree.parent))

    undone = cleanup("undo", str(tmp_path / "forged.json"), command=RUNS)

    assert undone.code == 1
    assert set(os.listdir(tree.parent)) - around <= {each.name for each in tmp_path.glob("log-*")}


def test_undo_waits_for_no_run_and_is_refused_while_the_root_is_held(cleanup: Cleanup, tree: Path) -> None:
    import fcntl

    cleanup("--python-cache", "--quarantine", ".")
    handle = os.open(tree, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        undone = cleanup("undo", command=RUNS)
    finally:
        os.close(handle)

    assert undone.code == 1
    assert f"is being cleaned by process {os.getpid()}" in undone.err
    assert not (tree / "a.pyc").exists()
    assert cleanup("undo", command=RUNS).code == 0


def test_an_undo_that_died_halfway_goes_on_where_it_stopped(
    cleanup: Cleanup, tree: Path, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hephaestus_cleanup import _runs

    before = left(tree)
    cleanup("--python-cache", "--build-artifacts", "--quarantine", ".")
    move = _quarantine.move_without_overwriting
    moved: list[str] = []

    def dying(source: int, name: str, target: int, new_name: str) -> None:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(new_name)
        move(source, name, target, new_name)

    monkeypatch.setattr(_runs, "move_without_overwriting", dying)
    with pytest.raises(KeyboardInterrupt):
        _runs.undo_run(_runs.find_record(None))
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(tree.parent / "state"))

    again = cleanup("undo", "--json", command=RUNS)

    assert len(json.loads(again.out)["restored"]) == 1
    assert left(tree) == before


# ---- the record ------------------------------------------------------------------------------------------------


def test_list_and_show_tell_of_runs_the_newest_first(cleanup: Cleanup, tree: Path, tmp_path: Path) -> None:
    assert cleanup("list", command=RUNS).out == ""
    first = cleanup("--python-cache", ".")
    second = cleanup("--build-artifacts", ".", "--audit-manifest", str(tmp_path / "elsewhere.json"))
    names = [line.split()[0] for line in cleanup("list", command=RUNS).out.splitlines()]

    assert names[1] == Path(first.events[-1][1]["audit_manifest"]).stem
    assert json.loads(cleanup("list", "--json", command=RUNS).out)[0]["manifest"] == str(tmp_path / "elsewhere.json")
    assert second.code == 0
    shown = cleanup("show", command=RUNS).out
    assert f"removed {tree / 'build'}" in shown
    assert "build-folder: beside package.json" in shown
    by_id = json.loads(cleanup("show", names[1], "--json", command=RUNS).out)
    assert [each["path"] for each in by_id["removed"]] == [str(tree / "a.pyc"), str(tree / "src/__pycache__")]
    by_path = cleanup("show", "--print0", str(tmp_path / "elsewhere.json"), command=RUNS)
    assert by_path.out == f"{tree / 'build'}\0"


def test_an_unknown_run_is_a_usage_error_that_names_some(cleanup: Cleanup, tree: Path) -> None:
    cleanup("--python-cache", ".")

    unknown = cleanup("show", "run-nonsense", command=RUNS)

    assert unknown.code == 2
    assert "the newest are: run-" in unknown.err


def test_a_damaged_manifest_is_listed_as_such_and_hides_no_other(cleanup: Cleanup, tree: Path, state: Path) -> None:
    cleanup("--python-cache", ".")
    (state / "hephaestus/cleanup/runs/broken.json").write_text("{}")

    listed = cleanup("list", command=RUNS)

    assert listed.code == 0
    assert len(listed.out.splitlines()) == 2
    assert "broken  unreadable" in listed.out
    assert cleanup("show", command=RUNS).code == 0


def test_a_killed_run_is_shown_with_its_doubts(cleanup: Cleanup, tree: Path, state: Path) -> None:
    cleanup("--python-cache", ".")
    runs = state / "hephaestus/cleanup/runs"
    header = {"format": "hephaestus-cleanup-manifest", "version": 1, "run": "killed", "when": "9", "root": str(tree)}
    plan = {"plan": 0, "root": str(tree), "relative": "x.pyc", "rule": "python-bytecode", "evidence": "name"}
    lines = [{**header, "quarantine": False}, plan, {"planned": 1}, {"begin": 0}]
    (runs / "killed.json").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"remo')

    shown = cleanup("show", command=RUNS)

    assert "running or killed" in shown.out
    assert f"in doubt {tree / 'x.pyc'}" in shown.out
