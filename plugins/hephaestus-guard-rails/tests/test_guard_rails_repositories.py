"""Repositories as people have them, from end to end: exact events, exit code, files, processes left."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from hephaestus_guard_rails.testing import Outcome, SampleProject, survivors


class Manager(NamedTuple):
    """A way to manage a project's tools: its files, in which ruff is 0.9.1, and the mend of another version."""

    files: dict[str, str]
    mend: str


_LOCKED = '[[package]]\nname = "ruff"\nversion = "0.9.1"\n'
_POETRY_GROUP = "[tool.poetry]\nname = 'demo'\n[tool.poetry.group.lint.dependencies]\nruff = '^0.9'\n"
MANAGERS = {
    "pip": Manager(
        {"requirements-dev.txt": "-r requirements.txt\nruff==0.9.1\n", "requirements.txt": "attrs\n"}, "pip"
    ),
    "uv": Manager(
        {"pyproject.toml": "[dependency-groups]\nlint = ['ruff>=0.9']\n", "uv.lock": f"version = 1\n\n{_LOCKED}"},
        "uv sync --frozen --inexact --group lint",
    ),
    "poetry": Manager(
        {"pyproject.toml": _POETRY_GROUP, "poetry.lock": f'{_LOCKED}groups = ["lint"]\n'},
        "poetry install --no-interaction --with lint",
    ),
    "pdm": Manager(
        {"pyproject.toml": "[dependency-groups]\nlint = ['ruff~=0.9']\n", "pdm.lock": f'{_LOCKED}groups = ["lint"]\n'},
        "pdm sync --group lint",
    ),
}
_STEP_EVENTS = ["guard-rails.step.start", "guard-rails.step.complete"]


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an environment that holds ruff and pip."""
    sample = SampleProject(tmp_path / "demo")
    sample.write({"demo.py": "x = 1\n", ".venv/lib/python3.11/site-packages/pip/__main__.py": ""})
    sample.tool("ruff", "exit 0")
    return sample


def _names(outcome: Outcome) -> list[str]:
    return [record["event"] for record in outcome.events]


def _files(project: SampleProject) -> dict[str, str]:
    paths = (path for path in project.root.rglob("*") if path.is_file() and ".venv" not in path.parts)
    return {str(path.relative_to(project.root)): path.read_text() for path in paths}


@pytest.mark.parametrize("manager", MANAGERS.values(), ids=MANAGERS)
def test_the_gates_of_a_project_of_any_manager_run_and_change_nothing(project: SampleProject, manager: Manager) -> None:
    project.write(manager.files)
    before = _files(project)

    outcome = project.run("--jobs", "1")

    assert outcome.exit_code == 0
    # Two fix passes, then two checks: no lock is touched, no environment made, nothing else started.
    assert _names(outcome) == ["cli.guard-rails.start", *_STEP_EVENTS * 4, "cli.guard-rails.complete"]
    assert _files(project) == before


@pytest.mark.parametrize("manager", MANAGERS.values(), ids=MANAGERS)
def test_drift_from_any_managers_pin_is_found_with_the_mend_in_its_words(
    project: SampleProject, manager: Manager
) -> None:
    project.write(manager.files)
    project.installed("ruff", "0.9.0")
    before = _files(project)

    outcome = project.run("--drift")

    assert outcome.exit_code == 3
    assert _names(outcome) == ["cli.guard-rails.start", "cli.guard-rails.drift", "cli.guard-rails.failed"]
    assert outcome.payloads("cli.guard-rails.drift")[0]["drifted_tools"] == ["ruff"]
    mend = next(line for line in outcome.stdout.splitlines() if line.startswith("mend: "))
    expected = f"{project.bin}/python -m pip install ruff==0.9.1" if manager.mend == "pip" else manager.mend
    assert mend == f"mend: {expected}"
    assert _files(project) == before


@pytest.mark.parametrize("manager", MANAGERS.values(), ids=MANAGERS)
def test_what_the_pin_says_is_no_drift(project: SampleProject, manager: Manager) -> None:
    project.write(manager.files)
    project.installed("ruff", "0.9.1")
    outcome = project.run("--drift")
    assert outcome.exit_code == 0
    assert _names(outcome) == ["cli.guard-rails.start", "cli.guard-rails.drift.ok", "cli.guard-rails.complete"]


def test_in_a_monorepo_each_project_has_its_own_gates_and_the_locks_of_the_workspace(project: SampleProject) -> None:
    member = "[project]\nname = 'a'\n[dependency-groups]\nlint = ['ruff>=0.9']\n"
    project.write(
        {
            ".git/HEAD": "ref: refs/heads/main\n",
            "pyproject.toml": "[tool.uv.workspace]\nmembers = ['packages/*']\n[tool.mypy]\n",
            "uv.lock": f"version = 1\n\n{_LOCKED}",
            "packages/a/pyproject.toml": member,
            "packages/a/src/a.py": "",
        }
    )
    project.tool("mypy", "exit 1")
    nearest = project.root / "packages" / "a"

    outcome = project.run("--no-format", "--jobs", "1", cwd=nearest / "src")

    assert outcome.exit_code == 0
    assert _names(outcome) == ["cli.guard-rails.start", *_STEP_EVENTS * 2, "cli.guard-rails.complete"]
    assert project.run("--no-format").ended == {"mypy": ("failed", 1)}
    project.installed("ruff", "0.9.0")
    drifted = project.run("--drift", cwd=nearest)
    assert drifted.exit_code == 3
    assert "../../uv.lock:3" in drifted.stdout


def test_a_hanging_gate_whose_grandchildren_hold_the_pipe_ends_with_its_time(project: SampleProject) -> None:
    hang = "(setsid sleep 600 & echo $! > b.pid; sleep 600 & echo $! > c.pid; wait) & echo $$ > a.pid; sleep 600"
    project.write({"pyproject.toml": "[tool.mypy]\n"})
    project.tool("mypy", hang)

    outcome = project.run("--timeout", "1")

    assert outcome.exit_code == 124
    assert _names(outcome) == ["cli.guard-rails.start", *_STEP_EVENTS, "cli.guard-rails.failed"]
    assert outcome.ended == {"mypy": ("timeout", -15)}
    assert survivors(project.root) == []


def test_a_gate_that_ended_does_not_wait_for_who_holds_its_pipe(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n"})
    project.tool("mypy", "echo said; (sleep 600 & echo $! > b.pid; wait) & while [ ! -s b.pid ]; do sleep 0.01; done")

    outcome = project.run()

    assert outcome.exit_code == 0
    assert outcome.ended == {"mypy": ("passed", 0)}
    assert survivors(project.root) == []
