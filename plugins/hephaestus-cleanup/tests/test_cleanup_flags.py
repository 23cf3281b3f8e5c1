"""Each flag of `hephaestus cleanup`, driven through the real command line: events, files left, exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]

FLAGS = ("include_git", "include_poetry_env", "python_cache", "build_artifacts", "node_modules")

# One workspace with something for every flag, and next to each leftover something that only looks like one.
TREE = (
    *("pyproject.toml", "package.json", "src/app.py", "src/builder.py"),
    *(".DS_Store", "src/._app.py", "docs/Thumbs.db", "Icons/arrow.svg"),
    *("src/__pycache__/app.cpython-311.pyc", "src/old.pyc", ".pytest_cache/v/x", ".mypy_cache/3.11/y"),
    *("build/lib/app.py", "dist/app.whl", "app.egg-info/PKG-INFO", "docs/build/chapter.md"),
    *("node_modules/left-pad/package.json", "node_modules/left-pad/dist/index.js"),
    *(
        ".venv/pyvenv.cfg",
        ".venv/bin/activate",
        ".venv/bin/__pycache__/tool.pyc",
        ".venv/lib/python3.11/site-packages/__pycache__/six.pyc",
    ),
    *(".git/HEAD", ".git/config", ".git/.DS_Store", ".git/refs/heads/.DS_Store", ".git/objects/__pycache__/x"),
)
LITTER = [".DS_Store", "docs/Thumbs.db", "src/._app.py"]
PYTHON = [".mypy_cache", ".pytest_cache", "src/__pycache__", "src/old.pyc"]
BUILD = ["app.egg-info", "build", "dist"]
NODE = ["node_modules"]
ENVIRONMENT = [".venv/bin/__pycache__"]
GIT = [".git/.DS_Store"]


@pytest.fixture
def project(workspace: Path, fill: Fill, git: Callable[..., str]) -> Path:
    git(workspace, "init", "-q")
    fill(workspace, *TREE)
    (workspace / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (workspace / ".git/config").write_text("[core]\nrepositoryformatversion = 0\n")
    return workspace


CASES = [
    pytest.param((), LITTER, id="no flag"),
    pytest.param(("--python-cache",), LITTER + PYTHON, id="--python-cache"),
    pytest.param(("--build-artifacts",), LITTER + BUILD, id="--build-artifacts"),
    pytest.param(("--node-modules",), LITTER + NODE, id="--node-modules"),
    pytest.param(("--include-poetry-env",), LITTER + ENVIRONMENT, id="--include-poetry-env"),
    pytest.param(("--include-git",), LITTER + GIT, id="--include-git"),
    pytest.param(("--deep-clean",), LITTER + PYTHON + BUILD + NODE + ENVIRONMENT, id="--deep-clean"),
    pytest.param(
        ("--deep-clean", "--include-git", "--no-node-modules"),
        LITTER + PYTHON + BUILD + ENVIRONMENT + GIT,
        id="--deep-clean --include-git --no-node-modules",
    ),
]


def effective(arguments: tuple[str, ...]) -> dict[str, bool]:
    deep = "--deep-clean" in arguments
    flags = {name: f"--{name.replace('_', '-')}" in arguments for name in FLAGS}
    implied = {
        name: deep and name != "include_git" and f"--no-{name.replace('_', '-')}" not in arguments for name in FLAGS
    }
    return {name: flags[name] or implied[name] for name in FLAGS}


def skips(arguments: tuple[str, ...], project: Path) -> list[str]:
    return [str(project / "docs/build")] if effective(arguments)["build_artifacts"] else []


def in_order(project: Path, names: list[str]) -> list[str]:
    return [str(project / name) for name in sorted(names, key=lambda name: name.replace("/", "\0"))]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_a_flag_removes_exactly_its_leftovers_and_tells_each_step(
    cleanup: Callable[..., Any], project: Path, left: Left, arguments: tuple[str, ...], expected: list[str]
) -> None:
    before = left(project)

    run = cleanup(*arguments)

    flags = effective(arguments)
    kept = skips(arguments, project)
    manifest = run.events[-1][1].get("audit_manifest")
    assert run.code == 0, run.err
    assert run.events == [
        (
            "cli.cleanup.start",
            {
                **flags,
                "deep_clean": "--deep-clean" in arguments,
                "extra_paths": [],
                "dry_run": False,
                "root": str(project),
            },
        ),
        ("cleanup.run.start", {"search_roots": [str(project)], **flags, "extra_paths": [], "dry_run": False}),
        *(("cleanup.path.skipped", {"path": path, "reason": "no evidence"}) for path in kept),
        *(("cleanup.path.removed", {"path": path, "dry_run": False}) for path in in_order(project, expected)),
        (
            "cleanup.run.complete",
            {
                "removed": len(expected),
                "skipped": len(kept),
                "errors": 0,
                "dry_run": False,
                "audit_manifest": manifest,
            },
        ),
        (
            "cli.cleanup.complete",
            {"removed": len(expected), "skipped": len(kept), "errors": 0, "audit_manifest": manifest},
        ),
    ]
    gone = {name for name in before if any(f"{name}/".startswith(f"{each}/") for each in expected)}
    assert left(project) == before - gone
    for name in expected:
        assert not (project / name).exists()
    assert (project / ".git/refs/heads/.DS_Store").exists()
    assert (project / ".git/.DS_Store").exists() is not flags["include_git"]


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_a_dry_run_previews_what_the_real_run_removes_in_the_same_order_and_touches_nothing(
    cleanup: Callable[..., Any], project: Path, left: Left, state: Path, arguments: tuple[str, ...], expected: list[str]
) -> None:
    before = left(project)

    dry = cleanup(*arguments, "--dry-run")

    assert dry.code == 0
    assert left(project) == before
    assert not state.exists()
    assert [payload["path"] for payload in dry.of("cleanup.path.preview")] == in_order(project, expected)
    assert all(payload["dry_run"] is True for payload in dry.of("cleanup.path.preview"))
    assert dry.names[0] == "cli.cleanup.start"
    assert dry.events[-2:] == [
        (
            "cleanup.run.complete",
            {"removed": 0, "skipped": len(skips(arguments, project)), "errors": 0, "dry_run": True},
        ),
        ("cli.cleanup.complete", {"removed": 0, "skipped": len(skips(arguments, project)), "errors": 0}),
    ]

    real = cleanup(*arguments)

    assert [each["path"] for each in real.of("cleanup.path.removed")] == in_order(project, expected)


def test_a_second_run_finds_nothing_and_still_completes(cleanup: Callable[..., Any], project: Path, left: Left) -> None:
    cleanup("--deep-clean")
    before = left(project)

    again = cleanup("--deep-clean")

    assert again.code == 0
    assert again.of("cli.cleanup.complete") == [{"removed": 0, "skipped": 1, "errors": 0}]
    assert not again.of("cleanup.path.removed")
    assert left(project) == before


@pytest.mark.parametrize(("depth", "expected"), [(1, ["a.pyc"]), (2, ["a.pyc", "one/b.pyc"])])
def test_max_depth_limits_how_deep_matches_may_lie(
    cleanup: Callable[..., Any], workspace: Path, fill: Fill, left: Left, depth: int, expected: list[str]
) -> None:
    fill(workspace, "a.pyc", "one/b.pyc", "one/two/c.pyc")

    cleanup("--python-cache", "--max-depth", str(depth), ".")

    assert left(workspace) == {"a.pyc", "one/b.pyc", "one/two/c.pyc"} - set(expected)


def test_configuration_sets_flags_and_an_explicit_flag_wins(
    cleanup: Callable[..., Any], workspace: Path, fill: Fill, left: Left
) -> None:
    fill(workspace, "a.pyc", "node_modules/p/package.json", "package.json")
    (workspace / "pyproject.toml").write_text("[tool.hephaestus.cleanup]\npython-cache = true\nnode-modules = true\n")

    run = cleanup("--no-node-modules", ".")

    assert run.code == 0, run.err
    assert run.of("cleanup.run.start")[0]["python_cache"] is True
    assert run.of("cleanup.run.start")[0]["node_modules"] is False
    assert left(workspace) == {"node_modules/p/package.json", "package.json", "pyproject.toml"}


def test_json_prints_one_object_with_what_was_done(cleanup: Callable[..., Any], workspace: Path, fill: Fill) -> None:
    fill(workspace, ".DS_Store", text="seven b")

    run = cleanup("--json", ".")

    document = json.loads(run.out)
    assert [(each["path"], each["size"]) for each in document["removed"]] == [(str(workspace / ".DS_Store"), 7)]
    assert document["counts"] == {"planned": 1, "removed": 1, "skipped": 0, "errors": 0}
    assert document["freed_bytes"] == 7
    assert document["audit_manifest"] == run.of("cli.cleanup.complete")[0]["audit_manifest"]


def test_json_gives_names_of_any_bytes_back_exactly(cleanup: Callable[..., Any], workspace: Path) -> None:
    odd = workspace / "new\nline\x1b[31m\udcff.pyc"
    odd.touch()

    run = cleanup("--python-cache", "--json", ".")

    assert run.out.isascii()
    assert [each["path"] for each in json.loads(run.out)["removed"]] == [str(odd)]


def test_print0_ends_each_path_exactly_as_it_is_with_a_nul(cleanup: Callable[..., Any], workspace: Path) -> None:
    odd = workspace / "new\nline\x1b[31m\udcff.pyc"
    odd.touch()

    run = cleanup("--python-cache", "--dry-run", "--print0", ".")

    assert run.out == f"{odd}\0"


def test_the_manifest_says_what_was_removed_with_sizes_kept_and_why(
    cleanup: Callable[..., Any], workspace: Path, fill: Fill, tmp_path: Path
) -> None:
    fill(workspace, "src/__pycache__/a.pyc", "src/__pycache__/b.pyc", "build/x", text="12345")
    manifest = tmp_path / "audit.json"

    run = cleanup("--deep-clean", "--audit-manifest", str(manifest), ".")

    document = json.loads(manifest.read_text())
    assert run.of("cli.cleanup.start")[0]["audit_manifest"] == str(manifest)
    assert run.of("cleanup.run.complete")[0]["audit_manifest"] == str(manifest)
    assert run.of("cli.cleanup.complete")[0]["audit_manifest"] == str(manifest)
    assert document["root"] == str(workspace)
    assert document["when"].endswith("+00:00")
    assert document["options"]["deep_clean"] is True
    assert [(each["path"], each["size"], each["entries"]) for each in document["removed"]] == [
        (str(workspace / "src/__pycache__"), 10, 3)
    ]
    assert document["skipped"] == [{"path": str(workspace / "build"), "reason": "no evidence"}]
    assert document["errors"] == []
    assert document["state"] == "complete"


def test_a_dry_run_writes_a_manifest_only_where_one_is_asked_for(
    cleanup: Callable[..., Any], workspace: Path, fill: Fill, tmp_path: Path
) -> None:
    fill(workspace, ".DS_Store")
    manifest = tmp_path / "audit.json"

    cleanup("--dry-run", "--audit-manifest", str(manifest), ".")

    document = json.loads(manifest.read_text())
    assert document["dry_run"] is True
    assert [each["path"] for each in document["not_removed"]] == [str(workspace / ".DS_Store")]
    assert document["removed"] == []


def test_root_defaults_to_the_git_top_level(cleanup: Callable[..., Any], project: Path) -> None:
    run = cleanup("--dry-run", cwd=project / "src")

    assert run.of("cleanup.run.start")[0]["search_roots"] == [str(project)]


def test_root_defaults_to_the_current_folder_outside_a_repository(cleanup: Callable[..., Any], workspace: Path) -> None:
    assert cleanup("--dry-run").of("cleanup.run.start")[0]["search_roots"] == [str(workspace)]
