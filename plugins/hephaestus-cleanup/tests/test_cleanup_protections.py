"""What cleanup never removes, whatever the flags: told by the engine's events over real trees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus.errors import ConfigError
from hephaestus.testing import capture_events
from hephaestus_cleanup import events

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]

TAG = "Signature: 8a477f597d28d172789f06886806bc55\n"


def run(engine: Any) -> tuple[set[str], dict[str, str]]:
    """Run; returns the removed paths and the skipped ones with their reasons, relative to the first root."""
    root = engine.roots.main.path
    with capture_events() as captured:
        engine.run()
    removed = {os.path.relpath(str(each.payload["path"]), root) for each in captured.of(events.CLEANUP_PATH_REMOVED)}
    skipped = {
        os.path.relpath(str(each.payload["path"]), root): str(each.payload["reason"])
        for each in captured.of(events.CLEANUP_PATH_SKIPPED)
    }
    return removed, skipped


# ---- evidence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "evidence"),
    [
        ("build/x", "pyproject.toml"),
        ("build/x", "setup.py"),
        ("build/x", "package.json"),
        ("build/x", "CMakeLists.txt"),
        ("dist/x", "package.json"),
        ("target/x", "Cargo.toml"),
        ("target/x", "pom.xml"),
        ("node_modules/x", "package.json"),
        ("a.egg-info/x", "a.egg-info/PKG-INFO"),
        ("node_modules/x", "node_modules/.package-lock.json"),
    ],
)
def test_a_weak_name_goes_only_with_evidence(
    engine: Build, workspace: Path, fill: Fill, path: str, evidence: str
) -> None:
    fill(workspace, path)
    name = path.split("/")[0]
    assert run(engine()) == (set(), {name: "no evidence"})

    fill(workspace, evidence)
    removed, _ = run(engine())
    assert removed == {name}


def test_a_genuine_cache_tag_is_evidence_and_a_forged_one_is_not(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, *(f"{name}/CACHEDIR.TAG" for name in ("whatever", "target", "htmlcov")), text=TAG)
    fill(workspace, "forged/CACHEDIR.TAG", "dist/CACHEDIR.TAG", text="no signature")

    assert run(engine()) == ({"whatever", "target", "htmlcov"}, {"dist": "no evidence"})


def test_a_fifo_called_like_a_cache_tag_does_not_hang_the_scan(engine: Build, workspace: Path) -> None:
    (workspace / "odd").mkdir()
    os.mkfifo(workspace / "odd/CACHEDIR.TAG")

    assert run(engine()) == (set(), {})


def test_being_ignored_by_git_is_evidence_but_not_when_the_folder_above_is(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    git(workspace, "init", "-q")
    (workspace / ".gitignore").write_text("build/\nvendor/\n")
    fill(workspace, "build/x", "vendor/pkg/build/x", "docs/dist/x")

    removed, skipped = run(engine())

    assert removed == {"build"}
    assert skipped == {"vendor/pkg/build": "no evidence", "docs/dist": "no evidence"}


# ---- what is closed --------------------------------------------------------------------------------------------


def test_nested_repositories_of_every_kind_are_not_entered(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], left: Left
) -> None:
    for name in ("plain", "worktree", "mercurial", "bare.git"):
        fill(workspace, f"{name}/a.pyc")
    git(workspace / "plain", "init", "-q")
    fill(workspace, "worktree/.git", text="gitdir: /nowhere")
    fill(workspace, "mercurial/.hg/requires")
    git(workspace / "bare.git", "init", "-q", "--bare")

    removed, skipped = run(engine())

    assert removed == set()
    assert skipped == dict.fromkeys(("plain", "worktree", "mercurial", "bare.git"), "nested repository")
    assert "plain/a.pyc" in left(workspace)


def test_a_nested_repository_named_by_an_option_is_cleaned_by_its_own_rules(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str]
) -> None:
    fill(workspace, "closed/inner/a.pyc", "closed/inner/tracked.pyc", "closed/b.pyc")
    git(workspace / "closed", "init", "-q")
    git(workspace / "closed/inner", "init", "-q")
    git(workspace / "closed/inner", "add", "-f", "tracked.pyc")

    removed, skipped = run(engine(extra_paths=(str(workspace / "closed/inner"),)))

    assert removed == {"closed/inner/a.pyc"}
    assert skipped == {"closed": "nested repository", "closed/inner/tracked.pyc": "tracked by git"}


@pytest.mark.parametrize("inside", [".git", ".hg", "deep/er/.git", "deep/er/pyvenv.cfg", "bare/HEAD"])
def test_a_match_that_holds_a_repository_or_an_environment_stays_whole(
    engine: Build, workspace: Path, fill: Fill, left: Left, inside: str
) -> None:
    fill(workspace, "package.json", f"build/{inside}/x" if "." in inside[-4:] else f"build/{inside}", "build/out")
    if inside == "bare/HEAD":
        fill(workspace, "build/bare/objects/", "build/bare/refs/")
    before = left(workspace)

    removed, skipped = run(engine())

    assert removed == set()
    assert skipped == {"build": "environment" if "pyvenv" in inside else "nested repository"}
    assert left(workspace) == before


def test_a_repository_deep_in_a_cache_is_kept_by_the_removal_itself(
    engine: Build, workspace: Path, fill: Fill, left: Left
) -> None:
    fill(workspace, "package.json", "node_modules/a/x", "node_modules/b/.git/HEAD", "node_modules/b/work.js")

    outcome = engine().run()

    assert [(each.path, each.reason) for each in outcome.errors] == [
        (str(workspace / "node_modules/b"), "kept: holds a nested repository")
    ]
    assert (workspace / "node_modules/b/.git/HEAD").exists()
    assert (workspace / "node_modules/b/work.js").exists()
    assert not (workspace / "node_modules/a").exists()


@pytest.mark.parametrize("name", [".venv", "venv", "env-by-another-name"])
@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_environments_are_closed_whatever_their_name(
    engine: Build, workspace: Path, fill: Fill, left: Left, name: str, mark: str
) -> None:
    fill(workspace, f"{name}/{mark}", f"{name}/build/x", f"{name}/setup.py", f"{name}/bin/__pycache__/x.pyc")
    before = left(workspace)

    assert run(engine()) == (set(), {})
    assert left(workspace) == before


def test_what_a_package_manager_installed_is_closed(engine: Build, workspace: Path, fill: Fill, left: Left) -> None:
    fill(workspace, "package.json", "node_modules/p/package.json", "node_modules/p/dist/x")
    fill(workspace, "lib/site-packages/p/__pycache__/x.pyc", "lib/site-packages/p/setup.py")
    before = left(workspace)

    assert run(engine(config={"node_modules": False})) == (set(), {})
    assert left(workspace) == before


@pytest.mark.parametrize("closed", ["refs", "objects", "worktrees", "logs/refs"])
def test_in_git_a_branch_called_like_litter_stays(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], closed: str
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, f".git/{closed}/heads/Thumbs.db", ".git/info/Thumbs.db", ".git/hooks/__pycache__/x.pyc")

    removed, _ = run(engine(config={"include_git": True}))

    assert removed == {".git/info/Thumbs.db"}
    assert (workspace / f".git/{closed}/heads/Thumbs.db").exists()


def test_poetrys_environment_gives_up_caches_but_no_installed_package(
    engine: Build, workspace: Path, fill: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: Left
) -> None:
    import base64
    import hashlib

    from hephaestus_cleanup._poetry import poetry_environments

    digest = base64.urlsafe_b64encode(hashlib.sha256(str(workspace).encode()).digest()).decode()[:8]
    monkeypatch.setenv("POETRY_VIRTUALENVS_PATH", str(tmp_path / "envs"))
    mine, other = tmp_path / f"envs/my-app-{digest}-py3.11", tmp_path / "envs/my-app-AAAAAAAA-py3.11"
    for each in (mine, other):
        fill(
            each,
            "pyvenv.cfg",
            "bin/python",
            "bin/__pycache__/x.pyc",
            "lib/site-packages/p/__pycache__/y.pyc",
            "build/z",
        )
    (workspace / "pyproject.toml").write_text('[tool.poetry]\nname = "My-App"\n')

    assert poetry_environments(str(workspace)) == [os.path.realpath(mine)]
    engine(extra_paths=(str(mine),), config={"include_poetry_env": True}).run()

    assert left(mine) == {"pyvenv.cfg", "bin/python", "lib/site-packages/p/__pycache__/y.pyc", "build/z"}
    assert "bin/__pycache__/x.pyc" in left(other)


# ---- in use ----------------------------------------------------------------------------------------------------


def test_what_holds_the_current_folder_or_an_import_path_stays(
    engine: Build, workspace: Path, fill: Fill, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(workspace, "init", "-q")
    fill(workspace, "package.json", "build/here/x", "dist/lib/x")
    monkeypatch.chdir(workspace / "build/here")
    monkeypatch.syspath_prepend(str(workspace / "dist/lib"))

    removed, skipped = run(engine())

    assert removed == set()
    assert skipped == {"build": "holds the current folder", "dist": "in use by this program"}


@pytest.mark.skipif(sys.platform != "linux", reason="other processes are looked up in /proc")
def test_what_holds_the_folder_of_another_process_stays(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "package.json", "build/here/x")
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
        cwd=workspace / "build/here",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        found = run(engine())
        worker.communicate()

    assert found == (set(), {"build": f"in use by process {worker.pid}"})


# ---- protections by people and plugins -------------------------------------------------------------------------


def test_keep_patterns_protect_matches_and_what_holds_a_match(
    engine: Build, workspace: Path, fill: Fill, left: Left
) -> None:
    fill(workspace, "package.json", "build/a/report.html", "dist/x", "src/a.pyc", "src/b.pyc", "data/c.pyc")

    removed, skipped = run(engine(config={"keep": ["report.html", "/src/a.pyc", "data/"]}))

    assert removed == {"dist", "src/b.pyc"}
    assert skipped == {"build": "kept by configuration", "src/a.pyc": "kept by configuration"}
    assert "data/c.pyc" in left(workspace)


def test_an_ignore_file_protects_its_own_folder_and_below(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a.pyc", "sub/a.pyc", "sub/deep/a.pyc", "sub/b.pyc", "other/a.pyc")
    (workspace / "sub/.hephaestusignore").write_text("# bytecode we ship\na.pyc\n\n")

    removed, skipped = run(engine())

    assert removed == {"a.pyc", "other/a.pyc", "sub/b.pyc"}
    assert skipped == dict.fromkeys(("sub/a.pyc", "sub/deep/a.pyc"), "kept by .hephaestusignore")


def test_a_keep_pattern_reaches_into_caches_too(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "package.json", "node_modules/linked/src.js")

    assert run(engine(config={"keep": ["node_modules/linked"]})) == (set(), {"node_modules": "kept by configuration"})


@pytest.mark.parametrize("line", ["!a.pyc", "../up", "[z-a]", "/"])
def test_an_ignore_file_that_cannot_be_understood_stops_everything(
    engine: Build, workspace: Path, fill: Fill, left: Left, line: str
) -> None:
    fill(workspace, "z.pyc")
    (workspace / ".hephaestusignore").write_text(f"fine\n{line}\n")

    with pytest.raises(ConfigError, match=r"\.hephaestusignore, line 2"):
        engine().run()

    assert left(workspace) == {"z.pyc", ".hephaestusignore"}


def test_a_fifo_called_like_an_ignore_file_stops_everything_and_does_not_hang(
    engine: Build, workspace: Path, fill: Fill
) -> None:
    fill(workspace, "z.pyc")
    os.mkfifo(workspace / ".hephaestusignore")

    with pytest.raises(ConfigError):
        engine().run()

    assert (workspace / "z.pyc").exists()


def test_a_plugins_reason_keeps_a_path_and_is_told(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a.pyc", "b.pyc")
    asked: list[tuple[str, str]] = []

    def protect(path: str, root: str) -> str | None:
        asked.append((path, root))
        return "shipped" if path.endswith("a.pyc") else None

    assert run(engine(protect=protect)) == ({"b.pyc"}, {"a.pyc": "shipped"})
    assert sorted(asked) == [(str(workspace / name), str(workspace)) for name in ("a.pyc", "b.pyc")]


@pytest.mark.parametrize("place", ["build", "build/deep/er", "node_modules", "node_modules/deep/er"])
def test_an_ignore_file_within_a_leftover_keeps_its_folder(
    engine: Build, workspace: Path, fill: Fill, left: Left, place: str
) -> None:
    fill(workspace, "package.json", "build/x", "node_modules/y", f"{place}/kept", f"{place}/other")
    (workspace / place / ".hephaestusignore").write_text("kept\n")

    outcome = engine().run()

    assert {f"{place}/kept", f"{place}/.hephaestusignore"} <= left(workspace)
    reasons = {os.path.relpath(each.path, workspace): each.reason for each in (*outcome.skipped, *outcome.errors)}
    # Found beforehand where a leftover is looked through, else while it is removed.
    late = place == "node_modules/deep/er"
    assert reasons == (
        {place: "kept: holds .hephaestusignore"} if late else {place.split("/")[0]: "kept by .hephaestusignore"}
    )


def test_a_checkout_with_many_folders_in_a_cache_is_kept_whole(
    engine: Build, workspace: Path, fill: Fill, left: Left
) -> None:
    fill(workspace, "package.json", "node_modules/.hg/x", *(f"node_modules/{number}/x" for number in range(20)))
    before = left(workspace)

    outcome = engine().run()

    assert [each.reason for each in outcome.errors] == ["kept: holds a nested repository"]
    assert left(workspace) == before


@pytest.mark.parametrize("name", [".git", ".hg", ".svn", ".bzr", ".jj", "_darcs"])
def test_a_checkout_of_any_kind_deep_in_a_cache_is_kept(engine: Build, workspace: Path, fill: Fill, name: str) -> None:
    fill(workspace, "package.json", f"node_modules/a/b/{name}/x", "node_modules/a/b/work.js", "node_modules/c/d")

    outcome = engine().run()

    assert [each.reason for each in outcome.errors] == ["kept: holds a nested repository"]
    assert (workspace / "node_modules/a/b/work.js").exists()
    assert not (workspace / "node_modules/c").exists()


def test_a_cache_deeper_than_a_path_may_be_long_is_looked_at_all_the_same(engine: Build, workspace: Path) -> None:
    handle = os.open(workspace, os.O_RDONLY)
    for name in (*["d" * 200] * 25, "__pycache__"):
        os.mkdir(name, dir_fd=handle)
        above, handle = handle, os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(above)
    os.close(os.open("pyvenv.cfg", os.O_CREAT, dir_fd=handle))

    outcome = engine().run()

    assert [each.reason for each in outcome.skipped] == ["environment"]
    assert os.listdir(handle) == ["pyvenv.cfg"]
    os.close(handle)


def test_the_state_folder_and_an_open_file_are_in_use(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, "package.json", "build/x", "dist/y", "out/__pycache__/z.pyc")
    monkeypatch.setenv("XDG_STATE_HOME", str(workspace / "build/state"))

    with (workspace / "dist/log").open("w"):
        removed, skipped = run(engine())

    assert removed == {"out/__pycache__"}
    assert skipped["build"] == "holds the audit manifest"
    assert sys.platform != "linux" or skipped["dist"] == "in use by this program"


@pytest.mark.parametrize("variable", ["sys.prefix", "sys.executable", "VIRTUAL_ENV", "sys.argv", "sys.path"])
def test_what_the_running_interpreter_lives_on_stays(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    fill(workspace, "package.json", "build/env/bin/python", "dist/tool.pyz", "build/env/marker")
    build, dist = str(workspace / "build/env"), str(workspace / "dist/tool.pyz")
    if variable == "VIRTUAL_ENV":
        monkeypatch.setenv(variable, build)
    elif variable == "sys.path":
        monkeypatch.setattr(sys, "path", [dist, *sys.path])
    elif variable == "sys.argv":
        monkeypatch.setattr(sys, "argv", [dist])
    else:
        monkeypatch.setattr(variable, build if variable == "sys.prefix" else f"{build}/bin/python")

    removed, skipped = run(engine())

    held = "dist" if variable in ("sys.path", "sys.argv") else "build"
    assert skipped == {held: "in use by this program"}
    assert removed == {"build", "dist"} - {held}


def test_a_zip_application_does_not_remove_itself(workspace: Path, fill: Fill, left: Left, tmp_path: Path) -> None:
    import zipapp

    fill(workspace, "package.json", "dist/other", "build/x")
    fill(tmp_path / "app", "__main__.py", text="from hephaestus.cli import main\nmain()\n")
    zipapp.create_archive(tmp_path / "app", workspace / "dist/tool.pyz")

    done = subprocess.run(
        [sys.executable, "dist/tool.pyz", "cleanup", "--deep-clean", "."],
        cwd=workspace,
        capture_output=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert left(workspace) == {"package.json", "dist/other", "dist/tool.pyz"}
