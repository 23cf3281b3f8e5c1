"""The opt-in step `cleanup`, which the cleanup plugin contributes by the hook, as any plugin may."""

from __future__ import annotations

from pathlib import Path

import pytest

from hephaestus_guard_rails.testing import SampleProject

OPTED_IN = """
[tool.hephaestus.guard-rails]
enable = ["cleanup"]

[tool.hephaestus.cleanup]
python-cache = true

[[tool.hephaestus.guard-rails.steps]]
name = "tests"
command = ["sh", "-c", "mkdir -p src/__pycache__ && touch src/__pycache__/a.cpython-311.pyc"]
"""


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with litter in it."""
    sample = SampleProject(tmp_path / "demo")
    sample.write({"pyproject.toml": "", "src/a.py": "", ".DS_Store": "litter", "src/__pycache__/a.cpython-311.pyc": ""})
    return sample


def test_nothing_is_cleaned_unless_it_is_asked_for(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[[tool.hephaestus.guard-rails.steps]]\nname = 'x'\ncommand = ['true']\n"})
    outcome = project.run()
    assert outcome.exit_code == 0
    assert "cleanup: opt-in" in outcome.stdout
    assert (project.root / ".DS_Store").exists()


@pytest.mark.slow
def test_the_check_lists_the_leftovers_fails_and_removes_nothing(project: SampleProject) -> None:
    outcome = project.run("--step", "cleanup", "--no-format")
    assert outcome.exit_code == 1
    assert outcome.ended == {"cleanup": ("failed", 1)}
    assert f"{project.root}/.DS_Store" in outcome.stdout
    assert "__pycache__" not in outcome.stdout.partition("--- cleanup")[2].partition("\n\n")[0]
    assert (project.root / ".DS_Store").exists()


@pytest.mark.slow
def test_the_fix_pass_removes_them_and_the_check_runs_before_other_gates_leave_new_ones(
    project: SampleProject,
) -> None:
    project.write({"pyproject.toml": OPTED_IN})
    outcome = project.run("--jobs", "4")
    assert outcome.exit_code == 0
    starts = [(each["step"], each["phase"]) for each in outcome.payloads("guard-rails.step.start")]
    assert starts == [("cleanup", "fix"), ("cleanup", "check"), ("tests", "check")]
    assert not (project.root / ".DS_Store").exists()
    assert (project.root / "src" / "a.py").exists()


@pytest.mark.slow
def test_a_preview_that_fails_is_an_error_of_the_tool_and_no_leftover(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.hephaestus.cleanup]\nmax-depth = 0\n"})
    outcome = project.run("--step", "cleanup", "--no-format")
    assert outcome.exit_code == 1
    assert outcome.ended == {"cleanup": ("error", 2)}
    assert "max" in outcome.stdout


def test_without_the_cleanup_plugin_there_is_no_such_step(project: SampleProject) -> None:
    outcome = project.run("--step", "cleanup", HEPHAESTUS_DISABLED_PLUGINS="cleanup")
    assert outcome.exit_code == 2
    assert "no step is called 'cleanup'" in outcome.stderr
