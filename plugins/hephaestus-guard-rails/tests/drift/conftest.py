"""Sample projects and environments for drift checks: files and metadata folders only, nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from hephaestus_guard_rails.drift import DriftReport, check

CheckDrift = Callable[..., DriftReport]


def write_files(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(dedent(content).lstrip("\n"), encoding="utf-8")


def make_environment(path: Path, installed: Mapping[str, str], python: str) -> None:
    folder = path / "lib" / f"python{'.'.join(python.split('.')[:2])}" / "site-packages"
    folder.mkdir(parents=True)
    (path / "pyvenv.cfg").write_text(f"home = /nowhere/bin\nversion = {python}\n", encoding="utf-8")
    for name, version in installed.items():
        (folder / f"{name}-{version}.dist-info").mkdir()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder to hold a project."""
    path = tmp_path / "forge"
    path.mkdir()
    return path


@pytest.fixture
def check_drift(project: Path) -> CheckDrift:
    """Writes files, makes `.venv` with what is installed (None: no environment) and checks the project."""

    def run(
        files: Mapping[str, str | bytes],
        installed: Mapping[str, str] | None,
        *,
        python: str = "3.11.7",
        tools: Collection[str] | None = None,
        at: str = ".",
    ) -> DriftReport:
        write_files(project, files)
        environment = None
        if installed is not None:
            environment = project / at / ".venv"
            make_environment(environment, installed, python)
        return check(project / at, environment=environment, tools=tools)

    return run
