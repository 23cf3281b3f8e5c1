"""`--drift` and `--remediate`: events, exit codes, table, JSON, and the mend that is applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hephaestus_guard_rails.testing import SampleProject


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project that pins two tools."""
    sample = SampleProject(tmp_path / "demo")
    sample.write({"requirements.txt": "ruff==0.9.0\nmypy==1.8.0\n"})
    sample.installed("mypy", "1.8.0")
    return sample


def test_no_drift_completes_and_says_that_all_was_compared(project: SampleProject) -> None:
    project.installed("ruff", "0.9.0")
    outcome = project.run("--drift")
    assert outcome.exit_code == 0
    names = [record["event"] for record in outcome.events]
    assert names == ["cli.guard-rails.start", "cli.guard-rails.drift.ok", "cli.guard-rails.complete"]


def test_drift_names_the_tools_and_fails_with_3(project: SampleProject) -> None:
    project.installed("ruff", "0.8.0")
    outcome = project.run("--drift")
    assert outcome.exit_code == 3
    names = [record["event"] for record in outcome.events]
    assert names == ["cli.guard-rails.start", "cli.guard-rails.drift", "cli.guard-rails.failed"]
    assert outcome.payloads("cli.guard-rails.drift")[0]["drifted_tools"] == ["ruff"]
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"]) == ("drift", 3)
    assert "requirements.txt:1" in outcome.stdout
    assert "mend: " in outcome.stdout


def test_drift_as_json_is_one_document(project: SampleProject) -> None:
    project.installed("ruff", "0.8.0")
    report = json.loads(project.run("--drift", "--output", "json").stdout)
    assert report["drifted_tools"] == ["ruff"]
    assert report["mend"]


def test_drift_on_github_annotates_the_lines_of_the_repository(project: SampleProject) -> None:
    project.write({".git/HEAD": "ref: refs/heads/main\n", "part/requirements.txt": "ruff==0.9.0\nruff-lsp\nyamllint\n"})
    project.installed("ruff", "0.8.0")
    project.installed("yamllint", "1.0")
    lines = project.run("--drift", "--output", "github", "part").stdout.splitlines()
    hint = "0.8.0 is installed; install ==0.9.0"
    assert f"::error title=drift%3A violation,file=part/requirements.txt,line=1::ruff ==0.9.0: {hint}" in lines
    assert any(
        line.startswith("::notice title=drift%3A unpinned,file=part/requirements.txt,line=3::") for line in lines
    )


def test_drift_runs_no_gate_and_changes_nothing(project: SampleProject) -> None:
    project.tool("ruff", "touch ran")
    project.tool("mypy", "touch ran")
    project.run("--drift")
    assert sorted(path.name for path in project.root.iterdir()) == [".venv", "requirements.txt"]


def test_remediate_runs_the_mend_as_arguments_and_compares_again(project: SampleProject) -> None:
    project.installed("ruff", "0.8.0")
    site = project.root / ".venv/lib/python3.11/site-packages"
    mend = f'echo "$@" >> "{project.root}/said"; mv {site}/ruff-0.8.0.dist-info {site}/ruff-0.9.0.dist-info'
    (project.bin / "python").unlink()
    project.tool("python", mend)
    for installer in ("pip", "uv"):
        project.tool(installer, mend)
    outcome = project.run("--drift", "--remediate")
    assert "ruff" in (project.root / "said").read_text()
    assert outcome.exit_code == 0
    assert outcome.terminal == ["cli.guard-rails.complete"]
    assert not [path for path in project.root.iterdir() if path.name.startswith("=")]


def test_a_mend_that_fails_is_reported_with_what_it_said(project: SampleProject) -> None:
    project.installed("ruff", "0.8.0")
    (project.bin / "python").unlink()
    for installer in ("python", "pip", "uv"):
        project.tool(installer, "echo no such version; exit 4")
    outcome = project.run("--drift", "--remediate")
    assert outcome.exit_code == 1
    assert "no such version" in outcome.stderr
    assert outcome.payloads("cli.guard-rails.failed")[0]["step"] == "drift"
    assert outcome.terminal == ["cli.guard-rails.failed"]
