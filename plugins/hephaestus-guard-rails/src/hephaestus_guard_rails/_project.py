"""The project under test: where its root is, what lies there, what it declares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails._environment import Environment, find_environment
from hephaestus_guard_rails.errors import GuardRailsUsageError, ProjectFileError

if TYPE_CHECKING:
    from hephaestus_guard_rails._declared import Declaration

__all__ = ["Project", "find_project", "is_source_folder", "walk"]

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "hephaestus.toml", "tox.ini", "requirements.txt")
# Folders that never hold a project's own sources.
PRUNED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox",
        ".nox", ".eggs", ".hypothesis", ".venv", ".pyre", ".pytype", "htmlcov", ".idea", ".uv-cache",
    }
)  # fmt: skip


class Project:
    """A project's root folder and what can be read from it without running anything.

    Files are read on first use and once.

    Attributes:
        root: absolute path of the nearest project above the place where the run was started.
        top: root of the repository around it; the same folder when there is none.
    """

    def __init__(self, root: Path, *, environment: Environment | str | None = "detect") -> None:
        self.root = root
        self.top = _repository_root(root) or root
        self._environment = environment

    def __repr__(self) -> str:
        return f"Project({str(self.root)!r})"

    @cached_property
    def environment(self) -> Environment | None:
        """The project's own virtual environment, or None when it has none."""
        if isinstance(self._environment, str):
            return find_environment(self.root, self.top)
        return self._environment

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The parsed pyproject.toml; empty when there is none.

        Raises:
            ProjectFileError: it is not valid TOML or not UTF-8.
        """
        import tomllib

        text = self.read("pyproject.toml")
        try:
            return tomllib.loads(text) if text else {}
        except tomllib.TOMLDecodeError as error:
            raise ProjectFileError(
                f"{self.root / 'pyproject.toml'} is not valid TOML: {error}", hint="mend the file, then run again"
            ) from error

    def table(self, *path: str) -> dict[str, Any] | None:
        """A table of pyproject.toml, e.g. `table("tool", "ruff")`; None when it is absent or no table."""
        node: Any = self.pyproject
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node if isinstance(node, dict) else None

    def read(self, name: str) -> str:
        """Text of a file below the root; empty when it is absent.

        Raises:
            ProjectFileError: it exists and cannot be read as UTF-8.
        """
        try:
            return (self.root / name).read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectFileError(f"cannot read {self.root / name}: {error}") from error

    def has(self, *names: str) -> str:
        """The first of the named files that exists below the root; empty when none does."""
        return next((name for name in names if (self.root / name).is_file()), "")

    def ini_section(self, name: str, prefix: str) -> dict[str, str] | None:
        """The first section of an INI file that is called `prefix` or begins with `prefix-`; None when absent."""
        text = self.read(name)
        if f"[{prefix}" not in text:
            return None
        import configparser

        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise ProjectFileError(f"{self.root / name} is not a valid INI file: {error}") from error
        found = [section for section in parser.sections() if section == prefix or section.startswith(f"{prefix}-")]
        return dict(parser[found[0]]) if found else None

    @cached_property
    def declared(self) -> dict[str, Declaration]:
        """Names of the distributions that the project asks for anywhere → the place that asks."""
        from hephaestus_guard_rails._declared import declared_distributions

        return declared_distributions(self)

    def python_files(self) -> Iterator[Path]:
        """Python files below the root, in no order, without environments, caches and hidden tool folders."""
        yield from (Path(path) for path in walk(self.root) if path.endswith((".py", ".pyi")))

    @cached_property
    def has_python(self) -> bool:
        """Whether there is a Python file at all."""
        return next(self.python_files(), None) is not None

    @cached_property
    def has_tests(self) -> bool:
        """Whether a file is named as pytest looks for tests."""
        return any(path.name.startswith("test_") or path.stem.endswith("_test") for path in self.python_files())


def is_source_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a folder may hold sources of the project: it is no environment, no cache and nobody else's."""
    return entry.name not in PRUNED_FOLDERS and not os.path.exists(f"{entry.path}/pyvenv.cfg")


def walk(root: Path) -> Iterator[str]:
    """Every file below `root`, sources and data alike; symlinked folders, environments and caches are not entered."""
    stack = [str(root)]
    while stack:
        try:
            entries = list(os.scandir(stack.pop()))
        except OSError:
            continue  # unreadable or vanished: the tools will say so where it matters
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                yield entry.path
            elif is_source_folder(entry):
                stack.append(entry.path)


def _repository_root(folder: Path) -> Path | None:
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def find_project(start: Path) -> Project:
    """The nearest project at or above `start`.

    A project is a folder with a build, tool or requirements file; failing that the repository's root, and failing
    that `start` itself. The search ends at the repository's root: what lies above belongs to somebody else.

    Raises:
        GuardRailsUsageError: `start` is no folder.
    """
    start = start.resolve()
    if not start.is_dir():
        raise GuardRailsUsageError(f"{start} is no folder", hint="give the folder of a project, or leave it out")
    top = _repository_root(start)
    for place in (start, *start.parents):
        if any((place / marker).is_file() for marker in _MARKERS):
            return Project(place)
        if place == top:
            break
    return Project(top or start)
