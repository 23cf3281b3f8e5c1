"""Which files bear on a project: its own, its workspace's, and those at the top of its repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hephaestus_guard_rails.drift import DriftReport, check
from hephaestus_guard_rails.drift._layout import Layout

CheckDrift = Callable[..., DriftReport]

LOCK = '[[package]]\nname = "ruff"\nversion = "0.6.9"\n'
HOOKS = "repos:\n- repo: https://x.invalid/ruff-pre-commit\n  rev: v0.6.8\n  hooks: []\n"


def workspace(members: str = '["packages/*"]', exclude: str = "[]") -> str:
    return f"[tool.uv.workspace]\nmembers = {members}\nexclude = {exclude}\n"


def places(report: DriftReport) -> list[str]:
    return [str(finding.source) for finding in report.findings]


def test_a_members_tools_are_those_of_the_workspaces_lock(check_drift: CheckDrift) -> None:
    files = {
        "pyproject.toml": workspace(),
        "uv.lock": LOCK,
        "packages/a/pyproject.toml": '[dependency-groups]\nlint = ["ruff"]\n',
    }

    assert places(check_drift(files, {"ruff": "0.5"}, at="packages/a")) == ["../../uv.lock:1"]


@pytest.mark.parametrize(
    "table", [workspace('["libs/*"]'), workspace('["packages"]'), workspace(exclude='["packages/a"]'), "broken ="]
)
def test_a_workspace_that_does_not_list_the_project_does_not_bear_on_it(table: str, check_drift: CheckDrift) -> None:
    files = {
        "pyproject.toml": table,
        "uv.lock": LOCK,
        "packages/a/pyproject.toml": '[dependency-groups]\nlint = ["ruff>=0.5"]\n',
    }

    report = check_drift(files, {"ruff": "0.5"}, at="packages/a")

    assert (report.findings, report.problems) == ((), ())


def test_a_workspaces_root_answers_for_its_members(check_drift: CheckDrift) -> None:
    files = {
        "pyproject.toml": workspace(exclude='["packages/b"]'),
        "packages/a/pyproject.toml": '[dependency-groups]\nlint = ["ruff>=0.7"]\n',
        "packages/b/pyproject.toml": '[dependency-groups]\nlint = ["mypy>=9"]\n',
        "packages/notes.txt": "",
    }

    assert places(check_drift(files, {"ruff": "0.5", "mypy": "1"})) == ["packages/a/pyproject.toml:2"]


def test_members_are_no_tools_of_their_own_workspace(check_drift: CheckDrift) -> None:
    files = {
        "pyproject.toml": f'{workspace()}[dependency-groups]\ndev = ["ruff==1"]\n',
        "packages/a/pyproject.toml": '[project]\nname = "ruff"\n',
    }

    assert places(check_drift(files, {"ruff": "2"})) == []


def test_hooks_at_the_top_of_the_repository_bear_on_every_project(check_drift: CheckDrift) -> None:
    files = {".git/HEAD": "", ".pre-commit-config.yaml": HOOKS, ".tool-versions": "mypy 1.0.0\n", "a/b/x": ""}

    report = check_drift(files, {"ruff": "0.6.9", "mypy": "1.1.0"}, at="a/b")

    assert places(report) == ["../../.tool-versions:1", "../../.pre-commit-config.yaml:3"]


def test_the_nearest_hooks_are_the_ones_that_count(check_drift: CheckDrift) -> None:
    files = {".git/HEAD": "", ".pre-commit-config.yaml": HOOKS, "a/.pre-commit-config.yaml": HOOKS.replace("8", "7")}

    assert [finding.expected for finding in check_drift(files, {"ruff": "1"}, at="a").findings] == ["==0.6.7"]


def test_nothing_above_the_repository_bears_on_it(check_drift: CheckDrift) -> None:
    files = {".pre-commit-config.yaml": HOOKS, "a/.git/HEAD": "", "a/b/x": ""}

    assert check_drift(files, {"ruff": "1"}, at="a/b").findings == ()


def test_the_commands_of_a_neighbours_ci_do_not_count(check_drift: CheckDrift) -> None:
    files = {".git/HEAD": "", ".github/workflows/ci.yml": "- run: pip install ruff==0.1.0\n", "a/pyproject.toml": ""}

    assert check_drift(files, {"ruff": "1"}, at="a").findings == ()


def test_a_relative_root_gives_the_same_places(
    check_drift: CheckDrift, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)

    assert places(check_drift({"requirements.txt": "ruff==1\n"}, {"ruff": "2"})) == ["requirements.txt:1"]


def test_a_checked_project_is_left_as_it_was(check_drift: CheckDrift, project: Path) -> None:
    files = {
        "pyproject.toml": workspace(),
        "uv.lock": LOCK,
        "requirements.txt": "ruff\n",
        ".pre-commit-config.yaml": HOOKS,
    }
    check_drift(files, {"ruff": "1"})
    before = sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*"))

    check(project, environment=project / ".venv")

    assert sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*")) == before


def test_a_project_outside_any_repository_stands_alone(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    root.mkdir(parents=True)
    (tmp_path / "a" / "mise.toml").write_text("", encoding="utf-8")

    assert Layout.of(root).nearest(["mise.toml"]) == []
