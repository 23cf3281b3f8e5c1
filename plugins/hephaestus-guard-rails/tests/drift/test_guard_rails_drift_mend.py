"""The mend: the right command of the right manager, as arguments, for the environment that was looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hephaestus_guard_rails.drift import DriftReport, check

CheckDrift = Callable[..., DriftReport]

LOCK = '[[package]]\nname = "ruff"\nversion = "0.6.9"\n\n[[package]]\nname = "mypy"\nversion = "1.14.1"\n'
GROUPS = '[dependency-groups]\nlint = ["ruff>=0.5"]\n[project.optional-dependencies]\ntypes = ["mypy"]\n'
POETRY = '[tool.poetry.group.lint.dependencies]\nruff = "*"\n[tool.poetry.dependencies]\nmypy = "*"\n'


@pytest.fixture
def python(project: Path) -> str:
    return str(project / ".venv" / "bin" / "python")


@pytest.mark.parametrize(
    ("lock", "pyproject", "command"),
    [
        ("uv.lock", GROUPS, ["uv", "sync", "--frozen", "--inexact", "--group", "lint", "--extra", "types"]),
        ("poetry.lock", POETRY, ["poetry", "install", "--no-interaction", "--with", "lint"]),
        ("pdm.lock", GROUPS, ["pdm", "sync", "--group", "lint", "--group", "types"]),
    ],
)
def test_what_the_lock_holds_is_installed_by_the_locks_manager(
    lock: str, pyproject: str, command: list[str], check_drift: CheckDrift
) -> None:
    report = check_drift({lock: LOCK, "pyproject.toml": pyproject}, {"ruff": "0.5", "mypy": "1.0"})

    assert report.drifted_tools == ["mypy", "ruff"]
    assert report.mend == [command]


@pytest.mark.parametrize(
    ("lock", "first"),
    [
        ("uv.lock", ["uv", "lock"]),
        ("poetry.lock", ["poetry", "lock", "--no-interaction"]),
        ("pdm.lock", ["pdm", "lock", "--update-reuse"]),
    ],
)
def test_a_stale_lock_is_made_anew_before_it_is_installed(lock: str, first: list[str], check_drift: CheckDrift) -> None:
    report = check_drift(
        {lock: LOCK, "pyproject.toml": GROUPS.replace("0.5", "0.7")}, {"ruff": "0.6.9", "mypy": "1.14.1"}
    )

    assert report.mend[0] == first
    assert report.mend[1][:2] == [first[0], "sync" if first[0] != "poetry" else "install"]


def test_a_tool_that_the_lock_lacks_is_locked_first(check_drift: CheckDrift) -> None:
    report = check_drift({"uv.lock": "version = 1\n", "pyproject.toml": GROUPS}, {"mypy": "1.14.1", "ruff": "0.4"})

    assert report.mend == [["uv", "lock"], ["uv", "sync", "--frozen", "--inexact", "--group", "lint"]]


def test_without_a_lock_pip_installs_what_all_sources_allow(
    check_drift: CheckDrift, project: Path, python: str
) -> None:
    site = project / ".venv" / "lib" / "python3.11" / "site-packages"
    files = {"requirements.txt": "ruff>=0.5\n", "constraints.txt": "ruff<0.7\n"}
    check_drift(files, {"ruff": "0.4"})
    (site / "pip").mkdir()

    report = check(project, environment=project / ".venv")

    assert report.mend == [[python, "-m", "pip", "install", "ruff<0.7,>=0.5"]]


def test_an_environment_without_pip_is_filled_by_uv(check_drift: CheckDrift, python: str) -> None:
    report = check_drift({"requirements.txt": "ruff==0.6.9\n"}, {"ruff": "0.4"})

    assert report.mend == [["uv", "pip", "install", "--python", python, "ruff==0.6.9"]]


def test_another_environment_than_the_managers_is_filled_by_itself(check_drift: CheckDrift, project: Path) -> None:
    check_drift({"uv.lock": LOCK, "pyproject.toml": GROUPS}, {})
    (project / ".venv").rename(project / "other")

    report = check(project, environment=project / "other")

    python = str(project / "other" / "bin" / "python")
    assert report.mend == [["uv", "pip", "install", "--python", python, "mypy==1.14.1", "ruff==0.6.9"]]


def test_a_hooks_tool_is_installed_beside_a_lock_that_does_not_hold_it(check_drift: CheckDrift, python: str) -> None:
    files = {"uv.lock": LOCK, "pyproject.toml": GROUPS, ".tool-versions": "black 24.8.0\n"}

    report = check_drift(files, {"ruff": "0.6.9", "mypy": "1.14.1", "black": "24.10.0"})

    assert report.mend == [["uv", "pip", "install", "--python", python, "black==24.8.0"]]


def test_a_divergence_alone_has_no_command(check_drift: CheckDrift) -> None:
    report = check_drift({"requirements.txt": "ruff==0.6.9\n", ".tool-versions": "ruff 0.6.8\n"}, {"ruff": "0.6.9"})

    assert report.drifted_tools == ["ruff"]
    assert report.mend == []


def test_nothing_drifted_needs_no_command(check_drift: CheckDrift) -> None:
    assert check_drift({"uv.lock": LOCK, "pyproject.toml": GROUPS}, {"ruff": "0.6.9", "mypy": "1.14.1"}).mend == []


@pytest.mark.parametrize("name", ["--editable=/", "a b", "$(x)", "-e"])
def test_no_group_of_any_name_becomes_an_option(name: str, check_drift: CheckDrift) -> None:
    pyproject = f'[tool.poetry.group."{name}".dependencies]\nruff = "*"\n'

    report = check_drift({"poetry.lock": LOCK, "pyproject.toml": pyproject}, {})

    assert report.mend == [["poetry", "install", "--no-interaction"]]
    assert f"{name!r} is not a valid name" in report.problems[0].message


def test_a_member_of_a_workspace_is_filled_from_the_workspaces_lock(check_drift: CheckDrift, project: Path) -> None:
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n[dependency-groups]\nlint = ["ruff"]\n',
        "uv.lock": LOCK,
        "packages/a/pyproject.toml": '[project]\nname = "a"\n',
    }
    check_drift(files, {"ruff": "0.5"})

    report = check(project / "packages" / "a", environment=project / ".venv")

    assert report.mend == [["uv", "sync", "--frozen", "--inexact", "--all-packages", "--group", "lint"]]


def test_no_command_starts_a_shell_or_names_a_program_by_accident(check_drift: CheckDrift) -> None:
    report = check_drift({"requirements.txt": "ruff>=0.14\n"}, {"ruff": "0.4"})

    assert report.mend[0][-1] == "ruff>=0.14"
    assert sys.executable not in report.mend[0]
