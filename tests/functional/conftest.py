"""The real command line in a subprocess, and fresh environments to install plugins into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from textwrap import dedent

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# What the core and cleanup need at run time; a fresh environment sees these and nothing else of ours.
DEPENDENCIES = (
    "attrs",
    "cattrs",
    "click",
    "markdown-it-py",
    "mdurl",
    "pluggy",
    "pygments",
    "rich",
    "typing-extensions",
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hephaestus(tmp_path: Path) -> Run:
    """Run `hephaestus` in an empty folder; returns the completed process with text output."""
    folder = tmp_path / "cwd"
    folder.mkdir()

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = folder
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hephaestus", *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    return run


class Environment:
    """A virtual environment with the dependencies, into which wheels are installed by pip without an index."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        self.shared = folder / "dependencies"
        self.shared.mkdir()
        self.see(*DEPENDENCIES)
        (site / "dependencies.pth").write_text(f"{self.shared}\n")

    def see(self, *distributions: str) -> None:
        """Have distributions that are installed beside the tests here, too."""
        for name in distributions:
            for file in distribution(name).files or ():
                top = file.parts[0]
                if not top.startswith("..") and not (self.shared / top).is_symlink():
                    (self.shared / top).symlink_to(Path(str(distribution(name).locate_file(top))))

    def pip(self, *arguments: str) -> None:
        """Run pip on this environment."""
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "-qq", *arguments],
            check=True,
            capture_output=True,
            timeout=120,
        )

    def install(self, *wheels: Path) -> None:
        """Install wheels, from these files alone."""
        self.pip("install", "--no-index", "--no-deps", "--no-compile", *map(str, wheels))

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run this environment's `hephaestus`."""
        return self._run(self.python.parent / "hephaestus", *arguments, cwd=cwd)

    def python_run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python."""
        return self._run(self.python, *arguments, cwd=cwd)

    def _run(self, program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=60
        )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A fresh environment."""
    return Environment(tmp_path / "environment")


def _build(project: Path, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=project,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = set(out.iterdir()) - before
    return wheel


@pytest.fixture(scope="session")
def core_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core, built as a wheel."""
    return _build(REPOSITORY, tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="session")
def cleanup_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cleanup plugin, built as a wheel."""
    return _build(REPOSITORY / "plugins" / "hephaestus-cleanup", tmp_path_factory.mktemp("cleanup"))


@pytest.fixture
def build_wheel() -> Callable[[Path, Path], Path]:
    """Build a project as a wheel into a folder."""
    return _build


@pytest.fixture
def plugin_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Build a third party's plugin as a wheel from the source of its modules."""

    def build(name: str, **modules: str) -> Path:
        project = tmp_path / "projects" / name
        package = project / "src" / name
        package.mkdir(parents=True)
        (project / "pyproject.toml").write_text(
            dedent(f"""
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"

            [project]
            name = "{name}"
            version = "1.2"
            dependencies = ["hephaestus-toolkit"]

            [project.entry-points."hephaestus.plugins"]
            {name} = "{name}.plugin"

            [tool.hatch.build.targets.wheel]
            packages = ["src/{name}"]
            """)
        )
        (package / "__init__.py").write_text("")
        for module, source in modules.items():
            (package / f"{module}.py").write_text(dedent(source))
        return _build(project, tmp_path / "wheels")

    return build
