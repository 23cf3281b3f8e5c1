"""What git tracks stays, and nothing that a repository names is run: told by the engine over real repositories."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus.testing import capture_events
from hephaestus_cleanup import _git, events
from hephaestus_cleanup._git import find_repositories
from hephaestus_cleanup.errors import CleanupError, GitGuardError

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]
Git = Callable[..., str]


def run(engine: Any) -> tuple[set[str], dict[str, str]]:
    """Run; returns the removed paths and the skipped ones with their reasons, relative to the first root."""
    root = engine.roots.main.path
    outcome = engine.run()
    removed = {os.path.relpath(each.item.path, root) for each in outcome.removed}
    return removed, {os.path.relpath(each.path, root): each.reason for each in outcome.skipped}


def test_tracked_and_partly_tracked_folders_stay_and_leftovers_within_them_go(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], left: Left
) -> None:
    git(workspace, "init", "-q")
    fill(
        workspace,
        "pyproject.toml",
        "build/script.py",
        "build/out.o",
        "golden/__pycache__/a.pyc",
        "free/__pycache__/b.pyc",
    )
    git(workspace, "add", "-f", "build/script.py", "golden")
    fill(workspace, "build/__pycache__/script.pyc")

    removed, skipped = run(engine())

    assert removed == {"free/__pycache__", "build/__pycache__"}
    assert skipped == {
        "build": "tracked by git",
        "golden/__pycache__": "tracked by git",
        "golden/__pycache__/a.pyc": "tracked by git",
    }
    assert {"build/out.o", "build/script.py", "golden/__pycache__/a.pyc"} <= left(workspace)


def test_names_that_sort_around_a_slash_do_not_confuse_the_guard(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "package.json", "build-tools/a", "build.txt", "build0", "build/out", "dist/kept", "dist-x/a")
    git(workspace, "add", "-f", "build-tools", "build.txt", "build0", "dist/kept", "dist-x")

    assert run(engine()) == ({"build"}, {"dist": "tracked by git"})


def test_case_folding_repositories_are_compared_folded(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    git(workspace, "init", "-q")
    git(workspace, "config", "core.ignorecase", "true")
    fill(workspace, "pyproject.toml", "Build/script.py")
    git(workspace, "add", "Build/script.py")
    (workspace / "Build").rename(workspace / "build")

    assert run(engine()) == (set(), {"build": "tracked by git"})


def test_a_root_below_the_top_level_is_guarded_too(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "sub/package.json", "sub/dist/x")
    git(workspace, "add", "-f", "sub/dist/x")

    assert run(engine(workspace / "sub")) == (set(), {"dist": "tracked by git"})


def test_a_worktree_is_guarded_by_its_own_index(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    main = workspace.parent / "main"
    fill(main, "a.pyc", "b.py")
    git(main, "init", "-q")
    git(main, "add", "-f", ".")
    git(main, "commit", "-qm", "all")
    workspace.rmdir()
    git(main, "worktree", "add", "-q", str(workspace))

    assert run(engine()) == (set(), {"a.pyc": "tracked by git"})


def test_a_repository_that_git_cannot_read_keeps_everything_and_is_an_error(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], left: Left
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc")
    (workspace / ".git/index").write_bytes(b"garbage")
    built = engine()

    with capture_events() as captured:
        built.run()

    captured.assert_emitted(events.CLEANUP_PATH_ERROR, path=str(workspace))
    assert left(workspace) == {"a.pyc"}


def test_without_git_a_repository_keeps_everything(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc")
    monkeypatch.setenv("PATH", "/nonexistent")

    outcome = engine().run()

    assert "git cannot be started" in outcome.errors[0].reason
    assert left(workspace) == {"a.pyc"}


def test_no_program_that_a_repository_names_is_started(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(workspace, "init", "-q")
    fill(workspace, "a.py", "build/x")
    git(workspace, "add", "a.py")
    for key in ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "diff.external"):
        git(workspace, "config", key, str(trap))
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit"):
        (workspace / ".git/hooks").mkdir(exist_ok=True)
        (workspace / ".git/hooks" / hook).symlink_to(trap)

    assert run(engine()) == (set(), {"build": "no evidence"})
    assert not (tmp_path / "sprung").exists()


def test_a_repository_cannot_point_the_guard_at_another_work_tree(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], tmp_path: Path
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc", "build/x")
    fill(workspace, ".gitignore", text="build/")
    git(workspace, "add", "-f", "a.pyc")
    fill(tmp_path / "other", ".gitignore", text="nothing")
    git(workspace, "config", "core.worktree", str(tmp_path / "other"))

    assert run(engine()) == ({"build"}, {"a.pyc": "tracked by git"})


def test_an_index_that_changes_after_the_plan_stops_the_run(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], left: Left
) -> None:
    from hephaestus_cleanup.errors import CleanupError

    git(workspace, "init", "-q")
    fill(workspace, "a.pyc", "b.py")
    git(workspace, "add", "b.py")

    with pytest.raises(CleanupError, match=r"index of .* changed"):
        engine(before_execution=lambda plan: git(workspace, "add", "-f", "a.pyc")).run()

    assert left(workspace) == {"a.pyc", "b.py"}


@pytest.mark.parametrize("name", ["build", "whatever"])
def test_a_tagged_cache_that_holds_a_tracked_file_is_looked_through_once(
    engine: Build, workspace: Path, fill: Fill, git: Git, name: str
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "pyproject.toml", f"{name}/tracked.txt", f"{name}/x.pyc", f"{name}/inner/y.pyc")
    fill(workspace, f"{name}/CACHEDIR.TAG", text="Signature: 8a477f597d28d172789f06886806bc55\n")
    git(workspace, "add", "-f", f"{name}/tracked.txt")

    assert run(engine()) == ({f"{name}/x.pyc", f"{name}/inner/y.pyc"}, {name: "tracked by git"})


# ---- every kind of index -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["split", "sparse", "version 4", "untracked cache", "intent to add", "conflict"])
def test_every_kind_of_index_is_read(engine: Build, workspace: Path, fill: Fill, git: Git, kind: str) -> None:
    fill(workspace, "a.py", "in/tracked.pyc", "out/tracked.pyc", "out/x.py")
    git(workspace, "init", "-q")
    git(workspace, "add", "-f", ".")
    git(workspace, "commit", "-qm", "all")
    if kind == "split":
        git(workspace, "update-index", "--split-index")
    elif kind == "sparse":
        git(workspace, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
        fill(workspace, "out/tracked.pyc")
    elif kind == "version 4":
        git(workspace, "update-index", "--index-version", "4")
    elif kind == "untracked cache":
        git(workspace, "update-index", "--force-untracked-cache")
    elif kind == "intent to add":
        git(workspace, "rm", "-q", "--cached", "out/tracked.pyc")
        git(workspace, "add", "-f", "-N", "out/tracked.pyc")
    else:
        blob = git(workspace, "hash-object", "-w", "a.py").strip()
        stages = "".join(f"100644 {blob} {stage}\tout/tracked.pyc\n" for stage in (1, 2, 3))
        command = ["git", "update-index", "--index-info"]
        zero = "0 0000000000000000000000000000000000000000\tout/tracked.pyc\n"
        subprocess.run(command, cwd=workspace, input=zero + stages, text=True, check=True)
    fill(workspace, "in/free.pyc")

    removed, skipped = run(engine())

    assert removed == {"in/free.pyc"}
    assert skipped == dict.fromkeys(("in/tracked.pyc", "out/tracked.pyc"), "tracked by git")


def test_a_tracked_name_of_any_bytes_stays(engine: Build, workspace: Path, fill: Fill, git: Git) -> None:
    names = [os.fsdecode(each) for each in (b"new\nline.pyc", b"\xff\xfe.pyc", b":(glob)x.pyc", b"-f.pyc", b'".pyc')]
    fill(workspace, *names, *(f"free-{name}" for name in names))
    git(workspace, "init", "-q")
    git(workspace, "--literal-pathspecs", "add", "-f", "--", *(f"./{name}" for name in names))

    assert run(engine()) == ({f"free-{name}" for name in names}, dict.fromkeys(names, "tracked by git"))


def test_a_listing_longer_than_a_pipe_holds_is_read_to_its_end(
    engine: Build, workspace: Path, fill: Fill, git: Git
) -> None:
    git(workspace, "init", "-q")
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=workspace, input="x", text=True, check=True, capture_output=True
    ).stdout.strip()
    lines = "".join(f"100644 {blob}\t{'d' * 60}/{number:06}.py\n" for number in range(20_000))
    lines += f"100644 {blob}\tz/last.pyc\n"
    subprocess.run(["git", "update-index", "--index-info"], cwd=workspace, input=lines, text=True, check=True)
    fill(workspace, "z/last.pyc", "z/free.pyc")

    assert run(engine()) == ({"z/free.pyc"}, {"z/last.pyc": "tracked by git"})


@pytest.mark.parametrize(
    "config",
    [
        "[core]\n\tignorecase = true\n",
        "[core]\n\tignorecase = yes\n",
        "[core]\n\tignorecase\n",
        "[core] ignorecase = 1\n",
        '[core]\n\tIgnoreCase = "on" ; a remark\n',
        "[include]\n\tpath = included\n",
        "[extensions]\n\tworktreeConfig = true\n",
    ],
)
def test_case_folding_is_noticed_however_it_is_spelt(
    engine: Build, workspace: Path, fill: Fill, git: Git, config: str
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "pyproject.toml", "Build/script.py")
    git(workspace, "add", "Build/script.py")
    (workspace / "Build").rename(workspace / "build")
    (workspace / ".git/included").write_text("[core]\nignorecase = true\n")
    (workspace / ".git/config.worktree").write_text("[core]\nignorecase = true\n")
    (workspace / ".git/config").write_text(f"[core]\n\trepositoryformatversion = 0\n{config}")

    assert run(engine()) == (set(), {"build": "tracked by git"})


def test_a_submodule_and_its_git_folder_stay(engine: Build, workspace: Path, fill: Fill, git: Git) -> None:
    other = workspace.parent / "other"
    fill(other, "sub.pyc")
    git(other, "init", "-q")
    git(other, "add", "-f", ".")
    git(other, "commit", "-qm", "all")
    git(workspace, "init", "-q")
    git(workspace, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "module")
    fill(workspace, "module/x.pyc", ".git/modules/module/refs/heads/Thumbs.db", "a.pyc")

    assert run(engine(config={"include_git": True})) == ({"a.pyc"}, {"module": "nested repository"})


# ---- several repositories ------------------------------------------------------------------------------------------


def test_what_an_outer_repository_tracks_stays_although_an_inner_one_does_not_know_it(
    engine: Build, workspace: Path, fill: Fill, git: Git
) -> None:
    fill(workspace, "inner/package.json", "inner/dist/shipped", "inner/a.pyc")
    git(workspace, "init", "-q")
    git(workspace, "add", "-f", "inner/dist/shipped")
    git(workspace / "inner", "init", "-q")

    assert run(engine(workspace / "inner")) == ({"a.pyc"}, {"dist": "tracked by git"})


@pytest.mark.parametrize("damage", ["garbage", "fifo", "index"])
def test_a_named_folder_whose_repository_cannot_be_read_is_not_swept(
    engine: Build, workspace: Path, fill: Fill, git: Git, left: Left, damage: str
) -> None:
    fill(workspace, "inner/tracked.pyc", "a.pyc")
    git(workspace / "inner", "init", "-q")
    git(workspace / "inner", "add", "-f", "tracked.pyc")
    entry = workspace / "inner/.git"
    if damage == "index":
        (entry / "index").write_bytes(b"garbage")
    else:
        shutil.rmtree(entry)
        os.mkfifo(entry) if damage == "fifo" else entry.write_text("nonsense\n")
    before = left(workspace)

    outcome = engine(extra_paths=(str(workspace / "inner"),)).run()

    assert [each.path for each in outcome.errors] == [str(workspace)]
    assert not outcome.removed
    assert left(workspace) == before


def test_a_repository_that_appears_after_the_plan_stops_the_run(
    engine: Build, workspace: Path, fill: Fill, git: Git, left: Left
) -> None:
    fill(workspace, "a.pyc")

    def appear(plan: Any) -> None:
        git(workspace, "init", "-q")
        git(workspace, "add", "-f", "a.pyc")

    with pytest.raises(CleanupError, match=r"index of .* changed"):
        engine(before_execution=appear).run()

    assert left(workspace) == {"a.pyc"}


def test_a_git_fifo_is_no_repository_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")

    with pytest.raises(GitGuardError, match="is no git folder"):
        find_repositories(str(tmp_path))


# ---- how git is called ---------------------------------------------------------------------------------------------


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, Path]:
    """A program that leaves a mark when it is run: (program, mark)."""
    program, mark = tmp_path / "trap", tmp_path / "sprung"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    return program, mark


def test_no_program_of_an_included_file_an_alias_or_a_filter_is_started(
    engine: Build, workspace: Path, fill: Fill, git: Git, trap: tuple[Path, Path]
) -> None:
    program, mark = trap
    git(workspace, "init", "-q")
    fill(workspace, "a.py", "build/x", "tracked.pyc")
    git(workspace, "add", "-f", "a.py", "tracked.pyc")
    fill(workspace, ".gitattributes", text="* filter=trap diff=trap\n")
    keys = (
        "core.fsmonitor",
        "core.pager",
        "pager.ls-files",
        "pager.config",
        "pager.check-ignore",
        "core.alternateRefsCommand",
    )
    lines = [f"[{key.rpartition('.')[0]}]\n{key.rpartition('.')[2]} = {program}" for key in keys]
    lines += [f"[alias]\nls-files = !{program}\ncheck-ignore = !{program}\nconfig = !{program}"]
    lines += [f'[filter "trap"]\nclean = {program}\nsmudge = {program}\nprocess = {program}']
    lines += [f"[trace2]\nnormalTarget = {mark}", f"[credential]\nhelper = !{program}"]
    (workspace / ".git/traps").write_text("\n".join(lines) + "\n")
    git(workspace, "config", "include.path", "traps")

    assert run(engine()) == (set(), {"build": "no evidence", "tracked.pyc": "tracked by git"})
    assert not mark.exists()


def test_the_callers_git_variables_do_not_reach_the_guard(
    engine: Build, workspace: Path, fill: Fill, git: Git, trap: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, mark = trap
    git(workspace, "init", "-q")
    fill(workspace, "tracked.pyc", "free.pyc", "build/x")
    git(workspace, "add", "-f", "tracked.pyc")
    other = workspace.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    for key, value in {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_NAMESPACE": "x",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(program),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor'='{program}'",
        "GIT_EXTERNAL_DIFF": str(program),
        "GIT_PAGER": str(program),
        "GIT_TRACE": str(mark),
        "GIT_EXEC_PATH": "/nonexistent",
    }.items():
        monkeypatch.setenv(key, value)

    assert run(engine()) == ({"free.pyc"}, {"tracked.pyc": "tracked by git", "build": "no evidence"})
    assert not mark.exists()


def test_git_is_told_on_its_command_line_to_start_nothing(
    engine: Build, workspace: Path, fill: Fill, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    calls = tmp_path / "calls"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >>{calls}\nenv | grep ^GIT_ >>{calls}\nexec {real} "$@"\n'
    )
    (tmp_path / "bin/git").chmod(0o755)
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc", "build/x")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    run(engine())

    lines = calls.read_text().splitlines()
    commands = [line for line in lines if not line.startswith("GIT_")]
    assert {each for line in commands for each in ("ls-files", "config", "check-ignore") if f" {each} " in line} == {
        *("ls-files", "config", "check-ignore")
    }
    for line in commands:
        for wanted in (
            *("--no-pager", "--no-optional-locks", "-c core.fsmonitor=false", "-c core.hooksPath=/dev/null"),
            *("-c core.untrackedCache=false", "-c core.pager=cat", "-c core.editor=false", "-c safe.directory=*"),
            *(f"--git-dir={workspace}/.git", f"--work-tree={workspace}"),
        ):
            assert wanted in line
    assert set(lines) - set(commands) == {"GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1"}


def test_a_git_of_the_workspace_itself_is_not_started(
    engine: Build, workspace: Path, fill: Fill, git: Git, trap: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, mark = trap
    git(workspace, "init", "-q")
    fill(workspace, "tracked.pyc", "free.pyc")
    git(workspace, "add", "-f", "tracked.pyc")
    (workspace / "git").symlink_to(program)
    monkeypatch.setenv("PATH", f".::bin:{os.environ['PATH']}")
    monkeypatch.chdir(workspace)

    assert run(engine()) == ({"free.pyc"}, {"tracked.pyc": "tracked by git"})
    assert not mark.exists()


def test_a_repository_of_another_user_is_guarded_all_the_same(
    engine: Build, workspace: Path, fill: Fill, git: Git
) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: a repository of another user is not tested")
    git(workspace, "init", "-q")
    fill(workspace, "tracked.pyc", "free.pyc")
    git(workspace, "add", "-f", "tracked.pyc")
    for base, folders, files in os.walk(workspace):
        for name in (".", *folders, *files):
            os.chown(os.path.join(base, name), 65534, 65534, follow_symlinks=False)

    assert run(engine()) == ({"free.pyc"}, {"tracked.pyc": "tracked by git"})


@pytest.fixture
def odd_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a shell script stand in for git."""

    def stand_in(script: str) -> None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin/git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    return stand_in


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("printf 'a\\0'; exit 3", "no reason given"),
        ("printf 'a\\0'; echo broken >&2; exit 128", "broken"),
        ("printf 'a\\0'; kill -9 $$", "no reason given"),
        ("exec sleep 60", "did not answer"),
    ],
)
def test_a_git_that_fails_or_hangs_keeps_everything(
    engine: Build,
    workspace: Path,
    fill: Fill,
    git: Git,
    left: Left,
    odd_git: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    reason: str,
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc", "b.pyc")
    odd_git(script)
    monkeypatch.setattr(_git, "_SECONDS", 0.2)

    outcome = engine().run()

    assert [each.path for each in outcome.errors] == [str(workspace)]
    assert reason in outcome.errors[0].reason
    assert left(workspace) == {"a.pyc", "b.pyc"}


def test_a_git_that_hangs_is_ended_with_the_run(
    engine: Build, workspace: Path, fill: Fill, git: Git, odd_git: Callable[[str], None], tmp_path: Path
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "a.pyc")
    pids = tmp_path / "pids"
    pids.touch()
    odd_git(f"echo $$ >>{pids}; exec sleep 1000")

    def interrupt() -> None:
        while len(pids.read_text().split()) < 2:
            time.sleep(0.01)
        time.sleep(0.2)  # until both are waited for
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()

    with pytest.raises(KeyboardInterrupt):
        engine().run()

    thread.join()
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert (workspace / "a.pyc").exists()
