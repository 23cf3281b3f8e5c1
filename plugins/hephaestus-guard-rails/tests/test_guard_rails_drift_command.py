"""`--drift` and `--remediate`: events, exit codes, table, JSON, and the mend that is applied."""

from __future__ import annotations

import json
import os
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from hephaestus_guard_rails.testing import Outcome, SampleProject


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


def _wheel(folder: Path, name: str, version: str) -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.mark.slow
def test_the_real_uv_applies_the_mend_and_drift_is_gone(tmp_path: Path) -> None:
    """From a folder of wheels, so no network is asked."""
    project = SampleProject(tmp_path / "demo", environment=False)
    project.write({"requirements.txt": "ruff>=0.9,<0.10\n"})
    venv.create(project.root / ".venv")
    for version in ("0.8.0", "0.9.3", "0.10.0"):
        _wheel(tmp_path / "wheels", "ruff", version)
    (site,) = (project.root / ".venv").glob("lib/python*/site-packages")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def drift(*arguments: str) -> Outcome:
        wheels, cache = str(tmp_path / "wheels"), str(tmp_path / "uv")
        return project.run("--drift", *arguments, PATH=path, UV_OFFLINE="1", UV_FIND_LINKS=wheels, UV_CACHE_DIR=cache)

    assert drift().exit_code == 3  # missing
    outcome = drift("--remediate")
    assert outcome.exit_code == 0, outcome.stderr
    assert [path.name for path in site.glob("ruff-*")] == ["ruff-0.9.3.dist-info"]

    project.write({"requirements.txt": "ruff==0.8.0\n"})
    assert drift().exit_code == 3  # violated
    assert drift("--remediate").exit_code == 0
    assert [path.name for path in site.glob("ruff-*")] == ["ruff-0.8.0.dist-info"]
    assert not [path for path in project.root.iterdir() if path.name.startswith(("=", "0"))]
